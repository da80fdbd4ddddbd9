package assay

import (
	"context"
	"errors"
	"io"
	"iter"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// WatchOptions say what to watch.
type WatchOptions struct {
	// NamePrefix limits the events to resources whose name is this or lies below it, such as
	// "namespaces/vision"; empty for all that you may read.
	NamePrefix string
	// StartRevision is the first revision wanted; 0 for everything from now on.
	StartRevision int64
	// OnInterruption, if set, is told why the stream broke, each time before it is resumed.
	OnInterruption func(error)
}

// Watch gives committed changes in revision order: all events of a revision in one answer, none twice,
// none left out. An answer without events is a bookmark, which comes at least every 30 seconds.
//
// When the server goes away, the stream is resumed after the last revision, for as long as the context
// lives. Any other failure ends it: the last pair holds the error. [ErrRevisionCompacted] means that the
// history was gone: read the state anew and watch from the revision of that answer plus one.
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
		watcher := &watcher{client: c, prefix: options.NamePrefix, next: next}
		for {
			goOn, err := watcher.follow(ctx, yield)
			if !goOn {
				return
			}
			if ctx.Err() != nil && errors.Is(err, io.EOF) {
				err = c.failureOf(ctx, ctx.Err())
			}
			if ctx.Err() != nil || !isWorthResuming(err) {
				yield(nil, err)
				return
			}
			if options.OnInterruption != nil {
				options.OnInterruption(err)
			}
			if !sleep(ctx, watcher.pauses.next()) {
				yield(nil, c.failureOf(ctx, ctx.Err()))
				return
			}
		}
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
	client *Client
	prefix string
	next   int64
	pauses pauses
}

// follow gives the answers of one stream until it breaks; false when the reader has enough.
func (w *watcher) follow(ctx context.Context, yield func(*assayv1.WatchResponse, error) bool) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.client.Watcher().Watch(ctx, &assayv1.WatchRequest{NamePrefix: w.prefix, StartRevision: w.next})
	if err != nil {
		return true, err
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return true, err
		}
		w.pauses = pauses{}
		w.next = answer.GetRevision() + 1
		if !yield(answer, nil) {
			return false, nil
		}
	}
}

// isWorthResuming tells whether a stream that ended so may go on from where it was.
func isWorthResuming(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, ErrUnavailable)
}
