package assay

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc/codes"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// bookmarksMissed is three times the longest pause of a healthy server: after that the connection is
// half dead. Tests shorten it.
var bookmarksMissed = 90 * time.Second

// WatchOptions say what to watch.
type WatchOptions struct {
	// NamePrefix limits the events to resources whose name is this or lies below it, such as
	// "namespaces/vision"; empty for all that you may read.
	NamePrefix string
	// StartRevision is the first revision wanted; 0 for everything from now on.
	StartRevision int64
	// InitialState begins with what is current, instead of at a revision: answers whose revision is 0 and
	// whose events are EVENT_TYPE_INITIAL, then one with InitialStateComplete and the revision at which all
	// of that was true, then what happens after it.
	InitialState bool
	// OnInterruption, if set, is told why the stream broke, each time before it is resumed.
	OnInterruption func(error)
}

// Watch gives committed changes in revision order: all events of a revision in one answer, none twice,
// none left out. An answer without events is a bookmark, which comes at least every 30 seconds.
//
// When the server goes away, falls silent, or says that this caller's share is used up, the stream is
// resumed after the last revision, for as long as the context lives. Any other failure ends it: the last
// pair holds the error. [ErrRevisionCompacted] means that the history was gone: watch with InitialState.
//
// To go on after a restart of the program, keep the revision of the last answer that was dealt with,
// and start at that plus one.
func (c *Client) Watch(ctx context.Context, options WatchOptions) iter.Seq2[*assayv1.WatchResponse, error] {
	return func(yield func(*assayv1.WatchResponse, error) bool) {
		next, err := c.firstRevision(ctx, options.StartRevision)
		if err != nil {
			yield(nil, err)
			return
		}
		request := &assayv1.WatchRequest{NamePrefix: options.NamePrefix, StartRevision: next}
		if options.InitialState {
			request.SendInitialState, request.StartRevision = true, options.StartRevision
		}
		watcher := &watcher{client: c, request: request}
		for {
			goOn, err := watcher.follow(ctx, yield)
			if !goOn {
				return
			}
			if ctx.Err() != nil || errors.Is(err, ErrDeadlinePassed) {
				yield(nil, c.endOf(ctx))
				return
			}
			if !isWorthResuming(err) {
				yield(nil, err)
				return
			}
			if options.OnInterruption != nil {
				options.OnInterruption(err)
			}
			if !sleep(ctx, max(watcher.pauses.next(), retryAfter(err))) {
				yield(nil, c.endOf(ctx))
				return
			}
		}
	}
}

// endOf tells how the context of a watch ended. A watch has no deadline but that one.
func (c *Client) endOf(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return c.failureOf(ctx, ctx.Err())
	}
	return &Error{
		Code: codes.DeadlineExceeded, kinds: kindsOfCode[codes.DeadlineExceeded], cause: context.DeadlineExceeded,
		Message: "The watch ended: the deadline of its context passed. To go on, watch from the revision after the " +
			"last one that came.",
	}
}

// firstRevision turns "from now on" into a number, so that nothing is lost when the connection breaks
// before the first answer. It also finds out whether the server is there at all: a watch that waits for
// a server that never was would hide a wrong address.
func (c *Client) firstRevision(ctx context.Context, wanted int64) (int64, error) {
	answer, err := c.Access().ListNamespaces(ctx, &assayv1.ListNamespacesRequest{PageSize: 1})
	if err != nil {
		return 0, err
	}
	if wanted != 0 {
		return wanted, nil
	}
	return answer.GetRevision() + 1, nil
}

// watcher is one watch across all its streams.
type watcher struct {
	client  *Client
	request *assayv1.WatchRequest // what comes after the last answer
	pauses  pauses
}

// follow gives the answers of one stream until it breaks; false when the reader has enough.
func (w *watcher) follow(ctx context.Context, yield func(*assayv1.WatchResponse, error) bool) (bool, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(bookmarksMissed, func() { cancel(errSilent) })
	defer watchdog.Stop()
	stream, err := w.client.Watcher().Watch(ctx, w.request)
	if err != nil {
		return true, err
	}
	for {
		answer, err := stream.Recv()
		if context.Cause(ctx) == errSilent {
			err = silent("sent nothing to a watch", bookmarksMissed)
		}
		if err != nil {
			return true, err
		}
		watchdog.Stop() // How long the reader takes is no silence of the server.
		w.pauses = pauses{}
		w.goOnBehind(answer)
		if !yield(answer, nil) {
			return false, nil
		}
		watchdog.Reset(bookmarksMissed)
	}
}

// goOnBehind makes the next request ask for what comes after the answer.
func (w *watcher) goOnBehind(answer *assayv1.WatchResponse) {
	token := answer.GetInitialStateToken()
	next := &assayv1.WatchRequest{NamePrefix: w.request.GetNamePrefix(), InitialStateToken: token}
	if token != "" {
		next.SendInitialState = true
	} else {
		next.StartRevision = answer.GetRevision() + 1
	}
	w.request = next
}

// isWorthResuming tells whether a stream that ended so may go on from where it was.
func isWorthResuming(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, ErrUnavailable) ||
		HasReason(err, assayv1.ErrorReason_ERROR_REASON_TOO_MANY_CALLS) ||
		HasReason(err, assayv1.ErrorReason_ERROR_REASON_TOO_MANY_UPLOADS)
}
