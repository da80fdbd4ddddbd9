package assay_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

// happen makes so many changes, each with a revision of its own.
func (s *served) happen(first, count int) {
	s.t.Helper()
	for number := range count {
		_, err := s.CreateModel(context.Background(), &assayv1.CreateModelRequest{
			Parent: "namespaces/vision", ModelId: "m" + strconv.Itoa(first+number)})
		if err != nil {
			s.t.Error(err)
		}
	}
}

// collect watches until a revision and gives the revisions that came.
func collect(t *testing.T, client *assay.Client, options assay.WatchOptions, until int64, started func()) ([]int64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var revisions []int64
	if started != nil {
		go started()
	}
	for answer, err := range client.Watch(ctx, options) {
		if err != nil {
			return revisions, err
		}
		revisions = append(revisions, answer.Revision)
		if answer.Revision == until {
			return revisions, nil
		}
	}
	return revisions, nil
}

func requireEach(t *testing.T, revisions []int64, first, last int64) {
	t.Helper()
	next := first
	for _, revision := range revisions {
		if revision != next {
			t.Fatalf("revision %d came where %d was next: %v", revision, next, revisions)
		}
		next++
	}
	if next != last+1 {
		t.Fatalf("it ended after %d, not %d", next-1, last)
	}
}

func TestAWatchGivesEveryRevisionOnce(t *testing.T) {
	server := serve(t)
	server.happen(1, 5)

	revisions, err := collect(t, server.client(), assay.WatchOptions{StartRevision: 2}, 5, nil)

	if err != nil {
		t.Fatal(err)
	}
	requireEach(t, revisions, 2, 5)
}

func TestAWatchFromNowOnLosesNothingWhenItsFirstStreamBreaks(t *testing.T) {
	server := serve(t)
	server.happen(1, 3)
	server.Fail(once(func(call memoryregistry.Call) bool { return call.Method == "Watch" }, unavailable))

	revisions, err := collect(t, server.client(), assay.WatchOptions{}, 6, func() {
		for len(server.Calls("ListNamespaces")) == 0 {
			time.Sleep(time.Millisecond)
		}
		server.happen(10, 3)
	})

	if err != nil {
		t.Fatal(err)
	}
	requireEach(t, revisions, 4, 6)
}

func TestAWatchGoesOnAcrossARestartOfTheServer(t *testing.T) {
	server := serve(t)
	server.happen(1, 3)
	interruptions := make(chan error, 100)

	revisions, err := collect(t, server.client(), assay.WatchOptions{
		StartRevision: 1, OnInterruption: func(err error) { interruptions <- err },
	}, 6, func() {
		for len(server.Calls("Watch")) < 3 {
			time.Sleep(10 * time.Millisecond)
		}
		server.kill()
		server.happen(10, 3)
		time.Sleep(300 * time.Millisecond)
		server.start()
	})

	if err != nil {
		t.Fatal(err)
	}
	requireEach(t, revisions, 1, 6)
	requireKind(t, <-interruptions, assay.ErrUnavailable)
}

func TestAWatchComesBackWhenItsShareWasUsedUp(t *testing.T) {
	for _, reason := range []assayv1.ErrorReason{
		assayv1.ErrorReason_ERROR_REASON_TOO_MANY_CALLS, assayv1.ErrorReason_ERROR_REASON_TOO_MANY_UPLOADS,
	} {
		server := serve(t)
		server.happen(1, 3)
		asked := 400 * time.Millisecond
		server.Fail(once(func(call memoryregistry.Call) bool { return call.Method == "Watch" },
			memoryregistry.Refuse(codes.ResourceExhausted, reason, "Come back later.", nil,
				&errdetails.RetryInfo{RetryDelay: durationpb.New(asked)})))
		begun := time.Now()

		revisions, err := collect(t, server.client(), assay.WatchOptions{StartRevision: 1}, 3, nil)

		if err != nil {
			t.Fatal(err)
		}
		requireEach(t, revisions, 1, 3)
		if waited := time.Since(begun); waited < asked {
			t.Errorf("it came back after %s, and was asked to wait %s", waited, asked)
		}
	}
}

func TestAWatchOfASilentServerIsOpenedAnew(t *testing.T) {
	defer assay.BookmarksMissedForTest(300 * time.Millisecond)()
	server := serve(t)
	interruptions := make(chan error, 100)

	revisions, err := collect(t, server.client(), assay.WatchOptions{
		OnInterruption: func(err error) { interruptions <- err },
	}, 2, func() {
		requireKind(t, <-interruptions, assay.ErrUnreachable)
		server.happen(1, 2)
	})

	if err != nil {
		t.Fatal(err)
	}
	requireEach(t, revisions, 1, 2)
}

func TestAWatchWithTheStateGoesOnWhereTheStateBroke(t *testing.T) {
	server := serve(t)
	server.happen(1, 4)
	server.Fail(once(func(call memoryregistry.Call) bool { return call.Method == "Watch" && call.Bytes == 3 }, unavailable))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var names []string
	var revisions []int64

	for answer, err := range server.client().Watch(ctx, assay.WatchOptions{InitialState: true}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range answer.GetEvents() {
			names = append(names, event.GetName())
		}
		if answer.GetRevision() > 0 {
			revisions = append(revisions, answer.GetRevision())
		}
		if answer.GetInitialStateComplete() {
			server.happen(5, 1)
		}
		if answer.GetRevision() == 5 {
			break
		}
	}

	if len(names) != 5 || names[0] == names[1] || names[2] == names[1] {
		t.Errorf("got %v", names)
	}
	requireEach(t, revisions, 4, 5)
}

func TestAWatchWhoseHistoryIsGoneEndsWithTheOldestRevision(t *testing.T) {
	server := serve(t)
	server.happen(1, 3)
	server.Fail(func(call memoryregistry.Call) error {
		if call.Method != "Watch" {
			return nil
		}
		return memoryregistry.Refuse(codes.OutOfRange, assayv1.ErrorReason_ERROR_REASON_REVISION_COMPACTED,
			"The history before revision 900 is gone.", map[string]string{"oldest_revision": "900"})
	})

	_, err := collect(t, server.client(), assay.WatchOptions{StartRevision: 1}, 3, nil)

	failure := requireKind(t, err, assay.ErrRevisionCompacted)
	if failure.Int("oldest_revision") != 900 {
		t.Errorf("got %v", failure.Metadata)
	}
}

func TestAWatchOfNobodyEndsAtOnceInsteadOfWaiting(t *testing.T) {
	server := serve(t)
	server.kill()

	_, err := collect(t, server.client(), assay.WatchOptions{}, 1, nil)

	requireKind(t, err, assay.ErrUnreachable)
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	client := serve(t).client()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	var last error

	for _, err := range client.Watch(ctx, assay.WatchOptions{}) {
		last = err
	}

	requireKind(t, last, context.Canceled)
}

func TestAWatchWhoseDeadlinePassesChangedNothing(t *testing.T) {
	client := serve(t).client()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	var last error

	for _, err := range client.Watch(ctx, assay.WatchOptions{}) {
		last = err
	}

	failure := requireKind(t, last, assay.ErrDeadlinePassed)
	requireSays(t, failure.Message, "The watch ended: the deadline of its context passed.")
	if !errors.Is(last, context.DeadlineExceeded) || failure.Code != codes.DeadlineExceeded {
		t.Errorf("it is %+v", failure)
	}
}

func TestAWatchWhoseDeadlinePassesWhileItWaitsForTheServerSaysTheSame(t *testing.T) {
	server := serve(t)
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	var last error

	for _, err := range server.client().Watch(ctx, assay.WatchOptions{OnInterruption: func(error) {}}) {
		if last = err; err == nil {
			server.kill()
		}
	}

	requireSays(t, requireKind(t, last, assay.ErrDeadlinePassed).Message, "The watch ended")
}
