package assay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errorDomain tells our details from those of other servers and proxies on the way.
const errorDomain = "assay.dev"

// failureOf is failureIn for what may have changed something.
func (l *link) failureOf(ctx context.Context, err error) error {
	return l.failureIn(ctx, method{}, err)
}

// failureIn turns what gRPC reports of a method into an *Error. The end of a stream stays io.EOF.
func (l *link) failureIn(ctx context.Context, known method, err error) error {
	var already *Error
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &already) {
		return err
	}
	answer := status.FromContextError(err)
	// gRPC wraps what the last of its own repetitions met: what counts is what the server said.
	var spoken interface{ GRPCStatus() *status.Status }
	if errors.As(err, &spoken) {
		answer = spoken.GRPCStatus()
	}
	failure := &Error{Code: answer.Code(), Message: answer.Message(), cause: err}
	failure.readDetails(answer)
	failure.kinds = kindsOf(failure.Code, failure.Reason)
	if failure.Reason == "" {
		l.explain(ctx, known, failure)
	} else {
		l.hasAnswered.Store(true)
	}
	if failure.Message == "" {
		failure.Message = fmt.Sprintf("The server answered %s without a word.", failure.Code)
	}
	return failure
}

func (e *Error) readDetails(answer *status.Status) {
	for _, detail := range answer.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == errorDomain {
				e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
			}
		case *errdetails.RetryInfo:
			e.RetryAfter = detail.GetRetryDelay().AsDuration()
		case *errdetails.RequestInfo:
			e.RequestID = detail.GetRequestId()
		case *errdetails.BadRequest:
			for _, fault := range detail.GetFieldViolations() {
				e.Violations = append(e.Violations, Violation{Subject: fault.GetField(), Description: fault.GetDescription()})
			}
		case *errdetails.PreconditionFailure:
			for _, fault := range detail.GetViolations() {
				e.Violations = append(e.Violations, Violation{
					Subject: fault.GetSubject(), Description: fault.GetDescription(), Type: fault.GetType(),
				})
			}
		}
	}
}

// explain finds words for failures that no server explained.
func (l *link) explain(ctx context.Context, known method, failure *Error) {
	switch {
	case failure.Code == codes.Canceled && ctx.Err() != nil:
		failure.kinds = []error{context.Canceled}
		failure.Message = "The call was cancelled by its context."
	case failure.Code == codes.Canceled && strings.Contains(failure.Message, "client connection is closing"):
		failure.kinds = []error{context.Canceled}
		failure.Message = "This client was closed. Make another one to go on."
	case failure.Code == codes.Canceled:
		failure.kinds = []error{ErrUnavailable}
		failure.Message = fmt.Sprintf("The server at %s ended the call. It may be stopping: ask again.", l.target)
	case failure.Code == codes.DeadlineExceeded:
		l.explainDeadline(known, failure)
	case failure.Code == codes.Unimplemented:
		failure.Message = fmt.Sprintf("The server at %s does not know this method (%s): it is older than this "+
			"client, or not an Assay server.", l.target, failure.Message)
	case failure.Code == codes.Unavailable || wasCut(failure):
		failure.kinds = []error{ErrUnavailable, ErrUnreachable}
		failure.Message = l.whyUnreachable(failure.Message)
		if mayHaveHappened(ctx, known) {
			failure.Message += " " + lookFirst + "."
		}
	}
}

const lookFirst = "A change may have happened all the same: look before you repeat it"

func (l *link) explainDeadline(known method, failure *Error) {
	if strings.Contains(failure.Message, "connection error") || strings.Contains(failure.Message, "LB policy") {
		failure.kinds = append(failure.kinds, ErrUnavailable, ErrUnreachable)
		failure.Message = fmt.Sprintf("There was no connection to %s before the deadline passed. Check the address; "+
			"a firewall may drop the packets. (%s)", l.target, failure.Message)
		return
	}
	remedy := lookFirst
	if known.isRead {
		remedy = "Nothing was changed: ask again"
	}
	failure.Message = fmt.Sprintf("%s did not answer before the deadline passed. %s, or give its context more time.",
		l.target, remedy)
}

// wasCut tells whether the stream broke, which gRPC may report as INTERNAL or UNKNOWN.
func wasCut(failure *Error) bool {
	return (failure.Code == codes.Internal || failure.Code == codes.Unknown) &&
		strings.Contains(failure.Message, "RST_STREAM")
}
