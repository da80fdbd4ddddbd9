package assay

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// unary is what every single call goes through, also one that is made through a raw stub.
func (l *link) unary(
	ctx context.Context, path string, request, answer any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker,
	options ...grpc.CallOption,
) error {
	known := l.methods[path]
	ctx, cancel := l.withDeadline(context.WithValue(ctx, sentKey{}, new(atomic.Bool)), known)
	defer cancel()
	request = withRequestID(request)
	var waits pauses
	for attempt := 1; ; attempt++ {
		err := l.failureIn(ctx, known, invoke(ctx, path, request, answer, conn, options...))
		if err == nil {
			l.hasAnswered.Store(true)
		}
		// A share that is used up is waited for as long as the deadline allows.
		isLast := attempt >= attemptsMax && !HasReason(err, assayv1.ErrorReason_ERROR_REASON_TOO_MANY_CALLS)
		if err == nil || isLast || !known.isRepeatable || !isWorthRepeating(ctx, err) ||
			!sleepWithin(ctx, waits.next()+retryAfter(err)) {
			return err
		}
	}
}

// sleepWithin waits; false, at once, where the deadline would pass meanwhile.
func sleepWithin(ctx context.Context, pause time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	return sleep(ctx, pause)
}

// sentKey finds whether any attempt of a call was sent.
type sentKey struct{}

// sentNotes notes it. What was sent may have happened, also where the last attempt reached nobody.
type sentNotes struct{}

func (sentNotes) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (sentNotes) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, ok := event.(*stats.OutPayload); ok {
		if sent, ok := ctx.Value(sentKey{}).(*atomic.Bool); ok {
			sent.Store(true)
		}
	}
}

func (sentNotes) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (sentNotes) HandleConn(context.Context, stats.ConnStats) {}

// mayHaveHappened tells whether a call that failed without an answer may have changed something. Uploads are looked at
// before they go on.
func mayHaveHappened(ctx context.Context, known method) bool {
	sent, ok := ctx.Value(sentKey{}).(*atomic.Bool)
	return ok && sent.Load() && !known.isRead && known.service != artifactService
}

const artifactService = "assay.v1.ArtifactService"

// withDeadline gives the call a deadline where the caller set none.
func (l *link) withDeadline(ctx context.Context, known method) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	if known.isRead {
		return context.WithTimeout(ctx, l.readDeadline)
	}
	return context.WithTimeout(ctx, l.writeDeadline)
}

// isWorthRepeating finds lost races that say so, shares that are used up, and calls that a stopping server cancelled. gRPC
// itself has repeated UNAVAILABLE already.
func isWorthRepeating(ctx context.Context, err error) bool {
	var failure *Error
	if !errors.As(err, &failure) {
		return false
	}
	wasCancelled := failure.Code == codes.Canceled && !errors.Is(err, context.Canceled)
	return wasCancelled || HasReason(err, assayv1.ErrorReason_ERROR_REASON_CONFLICT) ||
		HasReason(err, assayv1.ErrorReason_ERROR_REASON_TOO_MANY_CALLS)
}

// withRequestID fills request_id, where the message has one and it is empty, in a copy: a caller may
// use the message again for another change.
func withRequestID(request any) any {
	message, ok := request.(proto.Message)
	if !ok {
		return request
	}
	field := message.ProtoReflect().Descriptor().Fields().ByName("request_id")
	if field == nil || field.Kind() != protoreflect.StringKind || message.ProtoReflect().Get(field).String() != "" {
		return request
	}
	copied := proto.Clone(message)
	copied.ProtoReflect().Set(field, protoreflect.ValueOfString(newID()))
	return copied
}

// stream is what every stream goes through.
func (l *link) stream(
	ctx context.Context, description *grpc.StreamDesc, conn *grpc.ClientConn, path string, open grpc.Streamer,
	options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	opened, err := open(ctx, description, conn, path, options...)
	if err != nil {
		return nil, l.failureIn(ctx, l.methods[path], err)
	}
	return &explained{opened, ctx, l, l.methods[path]}, nil
}

// explained is a stream whose failures are *Error.
type explained struct {
	grpc.ClientStream
	caller context.Context // gRPC cancels that of the stream itself when the stream ends, however it does.
	link   *link
	known  method
}

// SendMsg sends one message; io.EOF says that RecvMsg knows why the stream ended.
func (e *explained) SendMsg(message any) error {
	return e.link.failureIn(e.caller, e.known, e.ClientStream.SendMsg(message))
}

// RecvMsg receives one message; io.EOF is the regular end.
func (e *explained) RecvMsg(message any) error {
	err := e.ClientStream.RecvMsg(message)
	if err == nil {
		e.link.hasAnswered.Store(true)
	}
	return e.link.failureIn(e.caller, e.known, err)
}
