package assay_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

var digits = map[string]string{
	"weights/model.safetensors": "weights",
	"config.json":               "{}",
	"empty.txt":                 "",
}

func push(t *testing.T, client *assay.Client, source string, options assay.PushOptions) *assay.Pushed {
	t.Helper()
	pushed, err := client.Push(context.Background(), "vision/digits", source, options)
	if err != nil {
		t.Fatal(err)
	}
	return pushed
}

func TestADirectoryBecomesAVersion(t *testing.T) {
	server := serve(t).withModel()

	pushed := push(t, server.client(), writeFiles(t, digits), assay.PushOptions{
		Card: "# Digits", Tags: map[string]string{"team": "vision"}, Facts: &assayv1.Facts{Format: &assayv1.Format{Name: "safetensors"}},
	})

	version := pushed.Version
	if version.Number != 1 || version.Card != "# Digits" || version.Tags["team"] != "vision" || version.Facts.Format.Name != "safetensors" {
		t.Errorf("sealed %v", version)
	}
	var listed []string
	for _, file := range version.Files {
		listed = append(listed, fmt.Sprint(file.Path, " ", file.SizeBytes, " ", file.MediaType, " ", file.Role))
	}
	want := "config.json 2 application/json config|empty.txt 0 text/plain |" +
		"weights/model.safetensors 7 application/octet-stream weights"
	if got := strings.Join(listed, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if pushed.SentBytes != 9 || pushed.Existed || pushed.Revision == 0 {
		t.Errorf("got %+v", pushed)
	}
}

func TestASingleFileBecomesAVersion(t *testing.T) {
	server := serve(t).withModel()

	pushed := push(t, server.client(), filepath.Join(writeFiles(t, digits), "config.json"), assay.PushOptions{Publish: true})

	if len(pushed.Version.Files) != 1 || pushed.Version.Files[0].Path != "config.json" {
		t.Errorf("got %v", pushed.Version.Files)
	}
	if pushed.Version.State != assayv1.VersionState_VERSION_STATE_READY {
		t.Errorf("the state is %v", pushed.Version.State)
	}
}

func TestAModelIsMadeOnlyWhenAskedFor(t *testing.T) {
	server := serve(t)
	source := writeFiles(t, digits)

	_, err := server.client().Push(context.Background(), "vision/digits", source, assay.PushOptions{})
	requireKind(t, err, assay.ErrNotFound)

	pushed := push(t, server.client(), source, assay.PushOptions{NewModel: &assayv1.Model{Task: "image-classification"}})
	if pushed.Version.Number != 1 {
		t.Errorf("got %v", pushed.Version)
	}
}

func TestAnUploadGoesOnFromWhatIsDurableAfterACut(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 10<<20+12345)
	server.Fail(once(func(call memoryregistry.Call) bool {
		return call.Method == "WriteUpload" && call.Bytes >= 4<<20
	}, unavailable))

	pushed := push(t, server.client(), source, assay.PushOptions{})

	requireStored(t, pushed, source)
	resumed := 0
	for number, call := range server.Calls("WriteUpload") {
		if number > 0 && call.Bytes == 0 {
			resumed++
		}
	}
	if resumed > 0 {
		t.Error("the upload started anew")
	}
	if begun := len(server.Calls("BeginUpload")); begun != 2 {
		t.Errorf("it was begun %d times", begun)
	}
}

func requireStored(t *testing.T, pushed *assay.Pushed, source string) {
	t.Helper()
	status, err := os.Stat(source)
	if err != nil {
		t.Fatal(err)
	}
	if got := pushed.Version.Files[0].SizeBytes; got != status.Size() {
		t.Errorf("the version has %d bytes, the file %d", got, status.Size())
	}
}

func TestAServerThatIsKilledAndStartedInMidUploadIsWaitedFor(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 8<<20)
	killed := make(chan struct{})
	server.Fail(once(func(call memoryregistry.Call) bool {
		if call.Method != "WriteUpload" || call.Bytes < 3<<20 {
			return false
		}
		select {
		case <-killed:
			return false
		default:
			close(killed)
			go server.kill()
			time.Sleep(50 * time.Millisecond)
			return true
		}
	}, unavailable))
	go func() {
		<-killed
		time.Sleep(1500 * time.Millisecond)
		server.start()
	}()

	pushed := push(t, server.client(), source, assay.PushOptions{})

	requireStored(t, pushed, source)
}

func TestAStreamThatBreaksAfterLongerThanThePatienceIsStillResumed(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 6<<20)
	server.Fail(once(func(call memoryregistry.Call) bool {
		if call.Method != "WriteUpload" || call.Bytes < 2<<20 {
			return false
		}
		time.Sleep(600 * time.Millisecond)
		return true
	}, unavailable))

	pushed, err := server.client(assay.WithPatience(300*time.Millisecond)).Push(
		context.Background(), "vision/digits", source, assay.PushOptions{})

	if err != nil {
		t.Fatal(err)
	}
	requireStored(t, pushed, source)
}

func TestPatienceEndsWithASentenceAndTheNextPushGoesOn(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 6<<20)
	var isMended atomic.Bool
	server.Fail(func(call memoryregistry.Call) error {
		if !isMended.Load() && call.Method == "WriteUpload" && call.Bytes >= 2<<20 {
			return unavailable
		}
		return nil
	})

	_, err := server.client(assay.WithPatience(400*time.Millisecond)).Push(
		context.Background(), "vision/digits", source, assay.PushOptions{})

	failure := requireKind(t, err, assay.ErrTransferInterrupted)
	requireSays(t, failure.Message, "2097152 of 6291456 bytes", "push again")
	if failure.Metadata["draft"] == "" {
		t.Error("the draft is not named")
	}

	isMended.Store(true)
	pushed := push(t, server.client(), source, assay.PushOptions{})
	if want := int64(4 << 20); pushed.SentBytes != want {
		t.Errorf("the second push sent %d bytes, not %d", pushed.SentBytes, want)
	}
}

func TestPushingTheSameAgainGivesTheVersionThatExists(t *testing.T) {
	for _, server := range []*served{serve(t).withModel(), serve(t).withModel().older()} {
		source := writeFiles(t, digits)
		first := push(t, server.client(), source, assay.PushOptions{})

		again := push(t, server.client(), source, assay.PushOptions{})
		other := push(t, server.client(), source, assay.PushOptions{Description: "another draft, the same record"})

		for _, pushed := range []*assay.Pushed{again, other} {
			if !pushed.Existed || pushed.Version.Name != first.Version.Name || pushed.SentBytes != 0 {
				t.Errorf("got %+v", pushed)
			}
		}
	}
}

func TestASecondPushPublishesWhatTheFirstOnlySealed(t *testing.T) {
	for _, server := range []*served{serve(t).withModel(), serve(t).withModel().older()} {
		source := writeFiles(t, digits)
		first := push(t, server.client(), source, assay.PushOptions{})
		_, err := server.client().Evaluate(context.Background(), first.Version.Name, accuracy(0.95))
		if err != nil {
			t.Fatal(err)
		}

		again := push(t, server.client(), source, assay.PushOptions{Publish: true})

		if again.Version.State != assayv1.VersionState_VERSION_STATE_READY || !again.Existed || again.Revision == 0 {
			t.Errorf("got %+v", again)
		}
	}
}

func TestContentThatTheServerKnowsIsNotSent(t *testing.T) {
	server := serve(t).withModel()
	push(t, server.client(), writeFiles(t, map[string]string{"model.bin": "the same weights"}), assay.PushOptions{})

	second := push(t, server.client(), writeFiles(t, map[string]string{"model.bin": "the same weights", "new.txt": "new"}), assay.PushOptions{})

	if second.SentBytes != 3 || second.Version.Number != 2 {
		t.Errorf("got %+v", second)
	}
}

func TestAWrongDigestIsARefusalOfTheServer(t *testing.T) {
	server := serve(t).withModel()
	client := server.client()
	created, err := client.Registry().CreateDraft(context.Background(), &assayv1.CreateDraftRequest{
		Parent: "namespaces/vision/models/digits", Draft: &assayv1.Draft{}})
	if err != nil {
		t.Fatal(err)
	}
	name := created.Draft.Name + "/uploads/6c84fb90-12c4-11e1-840d-7b25c5ee775a"
	if _, err := client.Artifacts().BeginUpload(context.Background(), &assayv1.BeginUploadRequest{
		Upload: &assayv1.Upload{Name: name, Path: "a.txt", SizeBytes: 0}}); err != nil {
		t.Fatal(err)
	}

	_, err = client.Artifacts().CommitUpload(context.Background(), &assayv1.CommitUploadRequest{Name: name, Digest: "sha256:00"})

	requireKind(t, err, assay.ErrCorrupt)
	if !assay.HasReason(err, assayv1.ErrorReason_ERROR_REASON_DIGEST_MISMATCH) {
		t.Errorf("the reason is another: %v", err)
	}
}

func TestProgressReachesTheWholeAndNeverMore(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 5<<20)
	server.Fail(once(func(call memoryregistry.Call) bool { return call.Method == "WriteUpload" && call.Bytes == 3<<20 }, unavailable))
	last := map[assay.Step]assay.Progress{}

	push(t, server.client(), source, assay.PushOptions{Progress: func(progress assay.Progress) {
		if progress.TotalBytes > progress.TotalSize || progress.FileBytes > progress.FileSize {
			t.Errorf("too much: %+v", progress)
		}
		last[progress.Step] = progress
	}})

	for _, step := range []assay.Step{assay.StepHashing, assay.StepSending} {
		if progress := last[step]; progress.TotalBytes != 5<<20 || progress.TotalSize != 5<<20 || progress.Path != "model.safetensors" {
			t.Errorf("%s ended at %+v", step, progress)
		}
	}
}

func TestACancelledPushEndsSoonAndSaysSo(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 8<<20)
	ctx, cancel := context.WithCancel(context.Background())
	server.Fail(func(call memoryregistry.Call) error {
		if call.Method == "WriteUpload" && call.Bytes == 2<<20 {
			cancel()
		}
		return nil
	})

	_, err := server.client().Push(ctx, "vision/digits", source, assay.PushOptions{})

	requireKind(t, err, context.Canceled)
	if errors.Is(err, assay.ErrTransferInterrupted) {
		t.Error("it says that the server is to blame")
	}
}

func TestAWrongModelNameIsToldWithoutACall(t *testing.T) {
	for _, name := range []string{"digits", "vision/Digits", "vision/digits/7", "/digits", ""} {
		_, err := serve(t).client().Push(context.Background(), name, writeFiles(t, digits), assay.PushOptions{})

		if wrong := requireKind(t, err, assay.ErrInvalidInput); wrong.Code != codes.InvalidArgument {
			t.Errorf("%q has the status %v", name, wrong.Code)
		}
	}
}

func accuracy(value float64) *assayv1.Evaluation {
	return &assayv1.Evaluation{
		Dataset: &assayv1.DatasetReference{Uri: "dvc://digits/test", Digest: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}, SampleCount: 360,
		Metrics: []*assayv1.Metric{assay.HigherIsBetter("accuracy", value, "ratio")},
	}
}
