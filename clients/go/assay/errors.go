package assay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// Kinds of failure, for errors.Is. Each status of the server has one, some reasons have their own
// besides, and the last ones arise on this machine.
var (
	// ErrInvalidInput means that the request is wrong whatever the registry holds: change it.
	ErrInvalidInput = errors.New("invalid input")
	// ErrNotFound means absent, or hidden from you: the server does not tell which.
	ErrNotFound = errors.New("not found")
	// ErrAlreadyExists means that the id was used already, perhaps by something deleted.
	ErrAlreadyExists = errors.New("already exists")
	// ErrRaced means that someone else changed it first: read again, then decide again.
	ErrRaced = errors.New("someone was faster")
	// ErrAliasMoved is an ErrRaced: the alias does not point where you expected.
	ErrAliasMoved = errors.New("the alias moved")
	// ErrEtagMismatch is an ErrRaced: the resource changed since it was read.
	ErrEtagMismatch = errors.New("the etag is not the current one")
	// ErrNotPossibleNow means that the state of things forbids it: change that state first.
	ErrNotPossibleNow = errors.New("not possible now")
	// ErrGateClosed is an ErrNotPossibleNow: Error.Violations holds every unmet rule.
	ErrGateClosed = errors.New("the gate is closed")
	// ErrOutOfRange means that a position lies outside of what there is.
	ErrOutOfRange = errors.New("out of range")
	// ErrRevisionCompacted is an ErrOutOfRange: the history is gone, read the state anew.
	ErrRevisionCompacted = errors.New("the history is gone")
	// ErrCorrupt means that bytes on the server, or on the way to it, are not what their digest says.
	ErrCorrupt = errors.New("corrupt")
	// ErrPermissionDenied means that you may see it, but may not do this.
	ErrPermissionDenied = errors.New("permission denied")
	// ErrUnauthenticated means that your certificate does not tell who you are, or does not count any more.
	ErrUnauthenticated = errors.New("unauthenticated")
	// ErrCertificateExpired is an ErrUnauthenticated: the certificate expired while the connection was open.
	ErrCertificateExpired = errors.New("certificate expired")
	// ErrCertificateDenied is an ErrUnauthenticated: an operator denied the certificate, its key or whom it
	// names. Ask them; trying again does not help.
	ErrCertificateDenied = errors.New("certificate denied")
	// ErrExhausted means that a limit is reached or a store of the server is full.
	ErrExhausted = errors.New("exhausted")
	// ErrMethodUnknown means that the server is older than this client.
	ErrMethodUnknown = errors.New("method unknown")
	// ErrUnavailable means that the server cannot serve at this moment: try again.
	ErrUnavailable = errors.New("unavailable")
	// ErrUnreachable is an ErrUnavailable without an answer: no connection, or it broke.
	ErrUnreachable = errors.New("unreachable")
	// ErrDeadlinePassed means no answer in time; a change may have happened or not. It is also a
	// context.DeadlineExceeded.
	ErrDeadlinePassed = errors.New("deadline passed")
	// ErrServerFault means a fault of the server; Error.RequestID is where to look in its log.
	ErrServerFault = errors.New("fault of the server")

	// ErrTargetExists means that something else is where the version should go.
	ErrTargetExists = errors.New("target exists")
	// ErrTargetBusy means that another process pulls the same version to the same place.
	ErrTargetBusy = errors.New("target busy")
	// ErrContentMismatch means that what arrived, or was sent, is not what was promised.
	ErrContentMismatch = errors.New("content mismatch")
	// ErrLocalDiskFull means that no space is left on this machine.
	ErrLocalDiskFull = errors.New("local disk full")
	// ErrLocalFileFailure means that a file or directory of this machine cannot be read or written.
	ErrLocalFileFailure = errors.New("local file failure")
	// ErrUnsafeFile means that a file cannot be pushed: a link, a device, or a name that is not allowed.
	ErrUnsafeFile = errors.New("unsafe file")
	// ErrTransferInterrupted means that bytes stopped moving for longer than the client's patience.
	ErrTransferInterrupted = errors.New("transfer interrupted")
	// ErrInsecureTarget means that plaintext was asked for a server that is not on this machine.
	ErrInsecureTarget = errors.New("insecure target")
	// ErrCertificateUnusable means that certificate files cannot be read or do not fit together.
	ErrCertificateUnusable = errors.New("certificate unusable")
)

// Violation is one of several faults: a field that is wrong, or a rule of a gate that is not met.
type Violation struct {
	// Subject is a field, or a gate and its rule such as "namespaces/vision/gates/publish#accuracy".
	Subject string
	// Description says what is wrong with it.
	Description string
	// Type classes it, such as GATE_RULE; empty for fields.
	Type string
}

// Error is what every call of this package fails with. Its kinds answer errors.Is, and its cause is
// unwrapped, so that status.FromError works on it.
type Error struct {
	// Code is the status of the call. Of failures on this machine it is codes.InvalidArgument for wrong input,
	// codes.Canceled and codes.DeadlineExceeded where the context ended, and codes.OK for all others.
	Code codes.Code
	// Reason is from the catalogue assayv1.ErrorReason, without its prefix, such as "GATE_CLOSED". It
	// is empty where the server gave none, and for failures on this machine.
	Reason string
	// Message is a sentence for people: what was wrong, where, and what to do.
	Message string
	// Metadata holds strings for programs; the catalogue lists the keys of each reason.
	Metadata map[string]string
	// Violations holds each fault, where the server listed several.
	Violations []Violation
	// RetryAfter is when the server asks to come back; 0 where it did not say.
	RetryAfter time.Duration
	// RequestID is the id under which the server logged its fault; usually empty.
	RequestID string

	kinds []error
	cause error
}

// Error gives the sentence, and the reason where there is one.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.Message)
	for _, violation := range e.Violations {
		if violation.Description != "" && !strings.Contains(e.Message, violation.Description) {
			fmt.Fprintf(&text, "\n  %s: %s", violation.Subject, violation.Description)
		}
	}
	if e.Reason != "" {
		fmt.Fprintf(&text, " [%s]", e.Reason)
	}
	return text.String()
}

// Unwrap gives the cause: usually the status that gRPC reported.
func (e *Error) Unwrap() error { return e.cause }

// Is tells whether the error is of a kind, such as ErrNotFound.
func (e *Error) Is(target error) bool { return slices.Contains(e.kinds, target) }

// Int reads a number from the metadata, such as "current_version_number"; 0 where there is none.
func (e *Error) Int(key string) int64 {
	number, err := strconv.ParseInt(e.Metadata[key], 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// HasReason tells whether err is a refusal for this catalogued reason.
func HasReason(err error, reason assayv1.ErrorReason) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Reason == strings.TrimPrefix(reason.String(), reasonPrefix)
}

const reasonPrefix = "ERROR_REASON_"

// kindsOfCode says which kinds a status is of when its reason is not known.
var kindsOfCode = map[codes.Code][]error{
	codes.Canceled:           {ErrUnavailable},
	codes.Unknown:            {ErrServerFault},
	codes.InvalidArgument:    {ErrInvalidInput},
	codes.DeadlineExceeded:   {ErrDeadlinePassed, context.DeadlineExceeded},
	codes.NotFound:           {ErrNotFound},
	codes.AlreadyExists:      {ErrAlreadyExists},
	codes.PermissionDenied:   {ErrPermissionDenied},
	codes.ResourceExhausted:  {ErrExhausted},
	codes.FailedPrecondition: {ErrNotPossibleNow},
	codes.Aborted:            {ErrRaced},
	codes.OutOfRange:         {ErrOutOfRange},
	codes.Unimplemented:      {ErrMethodUnknown},
	codes.Internal:           {ErrServerFault},
	codes.Unavailable:        {ErrUnavailable},
	codes.DataLoss:           {ErrCorrupt},
	codes.Unauthenticated:    {ErrUnauthenticated},
}

// kindsOfReason holds the kinds that some reasons have besides that of their status.
var kindsOfReason = map[assayv1.ErrorReason]error{
	assayv1.ErrorReason_ERROR_REASON_ALIAS_MOVED:         ErrAliasMoved,
	assayv1.ErrorReason_ERROR_REASON_CERTIFICATE_DENIED:  ErrCertificateDenied,
	assayv1.ErrorReason_ERROR_REASON_CERTIFICATE_EXPIRED: ErrCertificateExpired,
	assayv1.ErrorReason_ERROR_REASON_ETAG_MISMATCH:       ErrEtagMismatch,
	assayv1.ErrorReason_ERROR_REASON_GATE_CLOSED:         ErrGateClosed,
	assayv1.ErrorReason_ERROR_REASON_REVISION_COMPACTED:  ErrRevisionCompacted,
}

func kindsOf(code codes.Code, reason string) []error {
	kinds := slices.Clone(kindsOfCode[code])
	number, known := assayv1.ErrorReason_value[reasonPrefix+reason]
	if kind, ok := kindsOfReason[assayv1.ErrorReason(number)]; known && ok {
		kinds = append(kinds, kind)
	}
	return kinds
}
