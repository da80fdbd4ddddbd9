package assay_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

// withPushed makes the server hold the digits as version 1, and gives it with their files.
func withPushed(t *testing.T) (*served, []*assayv1.File) {
	t.Helper()
	server := serve(t).withModel()
	return server, push(t, server.client(), writeFiles(t, digits), assay.PushOptions{}).Version.Files
}

// another is a model that has no versions, in the same namespace.
func (s *served) another() string {
	s.t.Helper()
	request := &assayv1.CreateModelRequest{Parent: "namespaces/vision", ModelId: "letters"}
	if _, err := s.CreateModel(context.Background(), request); err != nil {
		s.t.Fatal(err)
	}
	return "vision/letters"
}

func requireCalls(t *testing.T, server *served, method string, count int) {
	t.Helper()
	if calls := server.Calls(method); len(calls) != count {
		t.Errorf("%s was called %d times, not %d", method, len(calls), count)
	}
}

// versionsOf counts the versions of a model.
func versionsOf(t *testing.T, client *assay.Client, model string) (count int) {
	t.Helper()
	parent, err := assay.ModelName(model)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range client.ListVersions(context.Background(), &assayv1.ListVersionsRequest{Parent: parent, PageSize: 10}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	return count
}

func TestAVersionIsMadeInOneCallOfTheFilesOfAnother(t *testing.T) {
	server, files := withPushed(t)
	model := server.another()

	made, err := server.client().CreateVersion(context.Background(), model, &assayv1.ModelVersion{
		Files: files, Facts: &assayv1.Facts{Format: &assayv1.Format{Name: "safetensors"}},
		Description: "the same weights", Card: "# Letters", Tags: map[string]string{"team": "vision"},
	}, assay.CreateVersionOptions{})

	if err != nil {
		t.Fatal(err)
	}
	version := made.Version
	if version.Name != "namespaces/vision/models/letters/versions/1" || made.Existed || made.Revision == 0 {
		t.Errorf("got %v", made)
	}
	if version.Facts.Format.Name != "safetensors" || version.Description != "the same weights" || version.Card != "# Letters" ||
		version.Tags["team"] != "vision" || version.ManifestDigest != assay.ManifestDigest(files) {
		t.Errorf("made %v", version)
	}
}

func TestAVersionThatIsThereAlreadyIsGivenAndPublishedWhenAsked(t *testing.T) {
	server, files := withPushed(t)
	ctx, client := context.Background(), server.client()
	if _, err := client.Evaluate(ctx, "vision/digits/1", accuracy(0.95)); err != nil {
		t.Fatal(err)
	}

	for _, options := range []assay.CreateVersionOptions{{}, {Publish: true}} {
		made, err := client.CreateVersion(ctx, "vision/digits", &assayv1.ModelVersion{Files: files}, options)
		if err != nil {
			t.Fatal(err)
		}
		isReady := made.Version.State == assayv1.VersionState_VERSION_STATE_READY
		if !made.Existed || made.Version.Number != 1 || isReady != options.Publish {
			t.Errorf("got %v", made)
		}
	}
}

func TestFilesThatTheServerLacksAreNamedAndNothingIsMade(t *testing.T) {
	server, files := withPushed(t)
	model := server.another()
	files = append(files, &assayv1.File{Path: "new.txt", SizeBytes: 3, Digest: "sha256:new"})

	_, err := server.client().CreateVersion(context.Background(), model, &assayv1.ModelVersion{Files: files}, assay.CreateVersionOptions{})

	failure := requireKind(t, err, assay.ErrNotPossibleNow)
	if failure.Reason != "FILES_MISSING" || failure.Metadata["paths"] != "new.txt" {
		t.Errorf("got %+v", failure)
	}
	if count := versionsOf(t, server.client(), model); count != 0 {
		t.Errorf("%d versions were made", count)
	}
}

func TestAVersionThatAGateRefusesIsNotMade(t *testing.T) {
	server, files := withPushed(t)
	model, client := server.another(), server.client()
	drafts := len(server.Calls("CreateDraft"))

	_, created := client.CreateVersion(context.Background(), model, &assayv1.ModelVersion{Files: files}, assay.CreateVersionOptions{Publish: true})
	_, pushed := client.Push(context.Background(), model, writeFiles(t, digits), assay.PushOptions{Publish: true})

	for _, err := range []error{created, pushed} {
		if failure := requireKind(t, err, assay.ErrGateClosed); len(failure.Violations) != 1 {
			t.Errorf("got %+v", failure)
		}
	}
	if count := versionsOf(t, client, model); count != 0 {
		t.Errorf("%d versions were made", count)
	}
	requireCalls(t, server, "CreateDraft", drafts)
}

func TestACreationThatIsRepeatedIsTheSameChange(t *testing.T) {
	server, files := withPushed(t)
	model := server.another()
	before := len(server.Calls("CreateVersion"))
	server.Fail(once(ofMethod("CreateVersion"), unavailable))

	_, err := server.client().CreateVersion(context.Background(), model, &assayv1.ModelVersion{Files: files}, assay.CreateVersionOptions{})

	if err != nil {
		t.Fatal(err)
	}
	calls := server.Calls("CreateVersion")[before:]
	if len(calls) != 2 || calls[0].RequestID == "" || calls[0].RequestID != calls[1].RequestID {
		t.Errorf("the change was repeated as another: %v", calls)
	}
}

func TestACreationUnderAWrongNameIsToldWithoutACall(t *testing.T) {
	server := serve(t)

	_, err := server.client().CreateVersion(context.Background(), "digits", nil, assay.CreateVersionOptions{})

	requireKind(t, err, assay.ErrInvalidInput)
	requireCalls(t, server, "CreateVersion", 0)
}

func TestAPushOfWhatTheServerHasIsOneCallWithoutADraft(t *testing.T) {
	server, _ := withPushed(t)
	model := server.another()
	created, drafts := len(server.Calls("CreateVersion")), len(server.Calls("CreateDraft"))
	last := map[assay.Step]assay.Progress{}

	pushed, err := server.client().Push(context.Background(), model, writeFiles(t, digits), assay.PushOptions{
		Card: "# Letters", Progress: func(progress assay.Progress) { last[progress.Step] = progress },
	})

	if err != nil {
		t.Fatal(err)
	}
	if pushed.Version.Number != 1 || pushed.Version.Card != "# Letters" || pushed.Existed || pushed.SentBytes != 0 || pushed.Revision == 0 {
		t.Errorf("got %+v", pushed)
	}
	for _, step := range []assay.Step{assay.StepHashing, assay.StepSending} {
		if progress := last[step]; progress.TotalBytes != 9 || progress.TotalSize != 9 {
			t.Errorf("%s ended at %+v", step, progress)
		}
	}
	requireCalls(t, server, "CreateVersion", created+1)
	requireCalls(t, server, "CreateDraft", drafts)
}

func TestAPushOfWhatTheServerLacksFillsADraft(t *testing.T) {
	server, _ := withPushed(t)

	pushed := push(t, server.client(), writeFiles(t, map[string]string{"config.json": "{}", "new.txt": "new"}), assay.PushOptions{})

	if pushed.Version.Number != 2 || pushed.SentBytes != 3 {
		t.Errorf("got %+v", pushed)
	}
	requireCalls(t, server, "CreateVersion", 2)
	requireCalls(t, server, "CreateDraft", 2)
}

func TestAPushToAnOlderServerFillsADraft(t *testing.T) {
	server, _ := withPushed(t)
	model := server.another()

	pushed, err := server.older().client().Push(context.Background(), model, writeFiles(t, digits), assay.PushOptions{})

	if err != nil {
		t.Fatal(err)
	}
	if pushed.Version.Number != 1 || pushed.SentBytes != 0 {
		t.Errorf("got %+v", pushed)
	}
	requireCalls(t, server, "CreateDraft", 2)
}

func TestAPushThatMakesTheModelFillsADraft(t *testing.T) {
	server, _ := withPushed(t)

	pushed, err := server.client().Push(context.Background(), "vision/letters", writeFiles(t, digits), assay.PushOptions{
		NewModel: &assayv1.Model{},
	})

	if err != nil {
		t.Fatal(err)
	}
	if pushed.Version.Name != "namespaces/vision/models/letters/versions/1" || pushed.SentBytes != 0 {
		t.Errorf("got %+v", pushed)
	}
}

func TestAPushThatGoesOnWithADraftAsksForNothingElse(t *testing.T) {
	server, _ := withPushed(t)
	client := server.client()
	created, err := client.Registry().CreateDraft(context.Background(), &assayv1.CreateDraftRequest{
		Parent: "namespaces/vision/models/digits", Draft: &assayv1.Draft{}})
	if err != nil {
		t.Fatal(err)
	}

	push(t, client, writeFiles(t, digits), assay.PushOptions{Draft: created.Draft.Name})

	requireCalls(t, server, "CreateVersion", 1)
}

func TestAPushOfManyFilesOrBytesFillsADraftAtOnce(t *testing.T) {
	many := t.TempDir()
	for number := range 1001 {
		if err := os.WriteFile(filepath.Join(many, fmt.Sprintf("%d.txt", number)), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	large := writeLarge(t, 0)
	if err := os.Truncate(large, 64<<20+1); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{many, large} {
		server := serve(t).withModel()
		server.Fail(func(call memoryregistry.Call) error {
			if call.Method == "CreateDraft" {
				return memoryregistry.Refuse(codes.FailedPrecondition, assayv1.ErrorReason_ERROR_REASON_MODEL_DELETED, "Enough was seen.", nil)
			}
			return nil
		})

		_, err := server.client().Push(context.Background(), "vision/digits", source, assay.PushOptions{})

		requireKind(t, err, assay.ErrNotPossibleNow)
		requireCalls(t, server, "CreateVersion", 0)
		requireCalls(t, server, "CreateDraft", 1)
	}
}
