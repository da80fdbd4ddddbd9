package assay

import (
	"context"
	"sync"
)

// inParallel does the work for each item, for at most limit of them at once, and gives the first
// failure, which cancels the context of the rest.
func inParallel[Item any](ctx context.Context, limit int, items []Item, work func(ctx context.Context, number int, item Item) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type task struct {
		number int
		item   Item
	}
	var workers sync.WaitGroup
	tasks := make(chan task)
	var failed sync.Once
	var failure error
	for range min(limit, len(items)) {
		workers.Go(func() {
			for next := range tasks {
				if err := work(ctx, next.number, next.item); err != nil {
					failed.Do(func() { failure = err })
					cancel(err)
				}
			}
		})
	}
	for number, item := range items {
		if ctx.Err() != nil {
			break
		}
		select {
		case tasks <- task{number, item}:
		case <-ctx.Done():
		}
	}
	close(tasks)
	workers.Wait()
	if failure == nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return failure
}
