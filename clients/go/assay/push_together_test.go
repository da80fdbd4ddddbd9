package assay_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

func TestPushesOfTheSameAtOnceComeToOneVersion(t *testing.T) {
	for _, count := range []int{2, 10} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			server := serve(t).withModel()
			client, source := server.client(), writeLarge(t, 6<<20)
			pushed, failures := make([]*assay.Pushed, count), make([]error, count)

			var all sync.WaitGroup
			for number := range count {
				all.Go(func() {
					pushed[number], failures[number] = client.Push(context.Background(), "vision/digits", source, assay.PushOptions{})
				})
			}
			all.Wait()

			if err := errors.Join(failures...); err != nil {
				t.Fatal(err)
			}
			for _, one := range pushed {
				if one.Version.GetNumber() != 1 {
					t.Errorf("got %v", one.Version)
				}
			}
		})
	}
}

func TestAnUploadThatSomebodyElseLeavesIsTakenOver(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 4<<20)
	server.Fail(once(func(call memoryregistry.Call) bool { return call.Method == "WriteUpload" && call.Bytes > 0 },
		memoryregistry.Refuse(codes.Aborted, assayv1.ErrorReason_ERROR_REASON_UPLOAD_FENCED, "A later BeginUpload took this over.", nil)))

	pushed := push(t, server.client(), source, assay.PushOptions{})

	if begun := len(server.Calls("BeginUpload")); pushed.Version.GetNumber() != 1 || begun != 2 {
		t.Errorf("got %v after %d beginnings", pushed.Version, begun)
	}
}

func TestWhatWasWithdrawnIsNotCalledPublished(t *testing.T) {
	for _, state := range []assayv1.VersionState{
		assayv1.VersionState_VERSION_STATE_YANKED, assayv1.VersionState_VERSION_STATE_DELETED,
	} {
		server := serve(t).withModel().older()
		source := writeFiles(t, digits)
		first := push(t, server.client(), source, assay.PushOptions{})
		server.Spoil(first.Version.Name, func(version *assayv1.ModelVersion) { version.State = state })

		_, err := server.client().Push(context.Background(), "vision/digits", source, assay.PushOptions{Publish: true})

		requireKind(t, err, assay.ErrNotPossibleNow)
	}
}

func TestWhatWasDeletedIsNotPushedAgainInSilence(t *testing.T) {
	server := serve(t).withModel().older()
	source := writeFiles(t, digits)
	first := push(t, server.client(), source, assay.PushOptions{})
	server.Spoil(first.Version.Name, func(version *assayv1.ModelVersion) {
		version.State = assayv1.VersionState_VERSION_STATE_DELETED
	})

	_, err := server.client().Push(context.Background(), "vision/digits", source, assay.PushOptions{})

	requireKind(t, err, assay.ErrNotPossibleNow)
	if !assay.HasReason(err, assayv1.ErrorReason_ERROR_REASON_TRANSITION_ILLEGAL) {
		t.Errorf("the reason is another: %v", err)
	}
}

func TestAStreamThatTheServerCancelsGoesOn(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 4<<20)
	server.Fail(once(func(call memoryregistry.Call) bool { return call.Method == "WriteUpload" && call.Bytes > 0 },
		status.Error(codes.Canceled, "the server stops")))

	pushed := push(t, server.client(), source, assay.PushOptions{})

	if pushed.Version.GetNumber() != 1 {
		t.Errorf("got %v", pushed.Version)
	}
}
