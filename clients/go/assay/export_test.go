package assay

import (
	"context"
	"time"
)

// ServiceConfigForTest shows what gRPC is told to repeat.
func ServiceConfigForTest() string { return serviceConfig(methodsOfContract()) }

// PathProblemForTest judges one path.
func PathProblemForTest(path string) string { return pathProblem(path) }

// BookmarksMissedForTest shortens the silence after which a watch is resumed, and gives what undoes that.
func BookmarksMissedForTest(limit time.Duration) func() {
	before := bookmarksMissed
	bookmarksMissed = limit
	return func() { bookmarksMissed = before }
}

// FailureForTest explains what a server refused.
func FailureForTest(ctx context.Context, err error) error { return new(link).failureOf(ctx, err) }
