package assay_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// live gives a client of the real server that these variables name; without them the test is skipped.
// The server is one of `assay-server dev`, whose certificates lie in {directory}/pki.
func live(t *testing.T, role string) (*assay.Client, assay.TLSFiles, string) {
	t.Helper()
	target, directory := os.Getenv("ASSAY_TEST_TARGET"), os.Getenv("ASSAY_TEST_DIRECTORY")
	if target == "" || directory == "" {
		t.Skip("ASSAY_TEST_TARGET and ASSAY_TEST_DIRECTORY name no running `assay-server dev`.")
	}
	pki := filepath.Join(directory, "pki")
	files := assay.TLSFiles{
		CA: filepath.Join(pki, "ca.pem"), Cert: filepath.Join(pki, role+".pem"), Key: filepath.Join(pki, role+".key"),
	}
	return dial(t, target, files), files, target
}

// newModel names a model that no other test uses.
func newModel() string { return fmt.Sprintf("main/m%d", time.Now().UnixNano()) }

func create() assay.PushOptions { return assay.PushOptions{NewModel: &assayv1.Model{}} }

func TestLiveTheReadmeRuns(t *testing.T) {
	_, files, target := live(t, "admin")

	runReadme(t, target, files)
}

func TestLiveTheExampleRuns(t *testing.T) {
	_, files, target := live(t, "admin")
	source := writeFiles(t, digits)

	run := exec.Command("go", "run", "../examples/lifecycle", "-target", target, "-certificates", filepath.Dir(files.CA),
		"-into", filepath.Join(t.TempDir(), "served"), source, newModel())
	output, err := run.CombinedOutput()

	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	requireSays(t, string(output), "pushed main/", "published main/", "pulled 3 files, 9 bytes")
}

// pushed makes a version of a new model, and names the model.
func pushed(t *testing.T, client *assay.Client, source string) string {
	t.Helper()
	model := newModel()
	if _, err := client.Push(context.Background(), model, source, create()); err != nil {
		t.Fatal(err)
	}
	return model
}

func TestLivePushingTheSameAgainGivesTheVersionThatExists(t *testing.T) {
	client, _, _ := live(t, "admin")
	source := writeFiles(t, digits)
	model := pushed(t, client, source)
	other := create()
	other.Description = "another draft of the same record"

	for _, options := range []assay.PushOptions{create(), other} {
		again, err := client.Push(context.Background(), model, source, options)
		if err != nil {
			t.Fatal(err)
		}
		if !again.Existed || again.SentBytes != 0 || again.Version.Number != 1 {
			t.Errorf("it gave %+v", again)
		}
	}
}

func TestLiveAVersionIsMadeOfWhatIsThereInOneCall(t *testing.T) {
	client, _, _ := live(t, "admin")
	ctx := context.Background()
	model := pushed(t, client, writeFiles(t, digits))
	first, err := client.Resolve(ctx, model+"/1")
	if err != nil {
		t.Fatal(err)
	}
	other := &assayv1.ModelVersion{
		Files: first.GetVersion().GetFiles(), Card: "# Retrained",
		Facts: &assayv1.Facts{Hyperparameters: map[string]string{"seed": "2"}},
	}

	made, err := client.CreateVersion(ctx, model, other, assay.CreateVersionOptions{Publish: true, Semver: "2.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.CreateVersion(ctx, model, other, assay.CreateVersionOptions{})
	if err != nil {
		t.Fatal(err)
	}

	if made.Existed || made.Revision == 0 || made.Version.GetNumber() != 2 || made.Version.GetSemver() != "2.0.0" {
		t.Errorf("it made %+v", made)
	}
	if made.Version.GetManifestDigest() != first.GetVersion().GetManifestDigest() {
		t.Errorf("its files have %s", made.Version.GetManifestDigest())
	}
	if !again.Existed || again.Version.GetName() != made.Version.GetName() {
		t.Errorf("the same again gave %+v", again)
	}
	other.Files = append(other.Files, &assayv1.File{Path: "new.bin", SizeBytes: 1, Digest: "sha256:" + strings.Repeat("0", 64)})
	_, err = client.CreateVersion(ctx, model, other, assay.CreateVersionOptions{})
	failure := requireKind(t, err, assay.ErrNotPossibleNow)
	if !assay.HasReason(err, assayv1.ErrorReason_ERROR_REASON_FILES_MISSING) || len(failure.Violations) != 1 {
		t.Errorf("a file that is not there: %v %+v", err, failure.Violations)
	}
}

func TestLiveAGateOpensWhenItsRuleIsMet(t *testing.T) {
	client, _, _ := live(t, "admin")
	ctx := context.Background()
	model := pushed(t, client, writeFiles(t, digits))
	gate := &assayv1.Gate{Rules: []*assayv1.Rule{{
		RuleId: "accurate", Condition: &assayv1.Rule_Threshold{Threshold: &assayv1.Threshold{
			Metric: "accuracy", Comparison: assayv1.Comparison_COMPARISON_AT_LEAST, Bound: 0.9}},
	}}}
	name, err := assay.ModelName(model)
	if err != nil {
		t.Fatal(err)
	}
	gate.Name = name + "/gates/publish"
	if _, err := client.Evaluations().SetGate(ctx, &assayv1.SetGateRequest{Gate: gate}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Evaluate(ctx, model+"/1", accuracy(0.5)); err != nil {
		t.Fatal(err)
	}

	_, err = client.Publish(ctx, model+"/1", assay.PublishOptions{Bump: assayv1.Bump_BUMP_MAJOR})
	failure := requireKind(t, err, assay.ErrGateClosed)
	if len(failure.Violations) != 1 || failure.Violations[0].Subject != gate.Name+"#accurate" {
		t.Errorf("the gate said %+v", failure.Violations)
	}
	if verdict, err := client.CheckGate(ctx, model+"/1", "publish"); err != nil || verdict.Open {
		t.Errorf("the gate says %v, %v", verdict, err)
	}
	if _, err := client.Evaluate(ctx, model+"/1", accuracy(0.97)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Publish(ctx, model+"/1", assay.PublishOptions{Bump: assayv1.Bump_BUMP_MAJOR}); err != nil {
		t.Fatal(err)
	}
}

func TestLiveAnAliasIsMovedComparedAndPulled(t *testing.T) {
	client, _, _ := live(t, "admin")
	ctx := context.Background()
	source := writeFiles(t, digits)
	model := pushed(t, client, source)
	if _, err := client.Publish(ctx, model+"/1", assay.PublishOptions{Bump: assayv1.Bump_BUMP_MAJOR}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.SetAlias(ctx, model+"@champion", assay.Move{To: 1}); err != nil {
		t.Fatal(err)
	}

	_, err := client.SetAlias(ctx, model+"@champion", assay.Move{To: 1, From: 7})
	if moved := requireKind(t, err, assay.ErrAliasMoved); moved.Int("current_version_number") != 1 {
		t.Errorf("got %v", moved.Metadata)
	}
	target := filepath.Join(t.TempDir(), "served")
	if _, err := client.Pull(ctx, model+"@champion", target, assay.PullOptions{}); err != nil {
		t.Fatal(err)
	}
	if content(t, target) != content(t, source) {
		t.Error("what was pulled is not what was pushed")
	}
	if part, err := client.ReadRange(ctx, model+"/1", "weights/model.safetensors", 2, 3); err != nil || string(part) != "igh" {
		t.Errorf("got %q, %v", part, err)
	}
}

func TestLiveALargePushGoesOnAfterItWasCancelledAndComesBackWhole(t *testing.T) {
	client, _, _ := live(t, "admin")
	model := newModel()
	const size = 100 << 20
	source := writeLarge(t, size)
	ctx, cancel := context.WithCancel(context.Background())
	options := create()
	options.Progress = func(p assay.Progress) {
		if p.Step == assay.StepSending && p.TotalBytes > size/2 {
			cancel()
		}
	}

	_, err := client.Push(ctx, model, source, options)
	requireKind(t, err, context.Canceled)
	options.Progress = nil
	pushed, err := client.Push(context.Background(), model, source, options)
	if err != nil {
		t.Fatal(err)
	}
	if pushed.SentBytes == 0 || pushed.SentBytes >= size {
		t.Errorf("the second push sent %d of %d bytes", pushed.SentBytes, size)
	}
	target := filepath.Join(t.TempDir(), "served")
	if _, err := client.Pull(context.Background(), model+"/1", target, assay.PullOptions{}); err != nil {
		t.Fatal(err)
	}
	if content(t, target) != content(t, filepath.Dir(source)) {
		t.Error("what was pulled is not what was pushed")
	}
}

func TestLiveRefusalsAreKinds(t *testing.T) {
	admin, _, _ := live(t, "admin")
	auditor, _, _ := live(t, "auditor")
	ctx := context.Background()
	model := pushed(t, admin, writeFiles(t, digits))

	_, err := auditor.Push(ctx, model, writeFiles(t, digits), assay.PushOptions{})
	denied := requireKind(t, err, assay.ErrPermissionDenied)
	if denied.Reason != "PERMISSION_MISSING" || denied.Metadata["permission"] == "" {
		t.Errorf("got %+v", denied)
	}
	_, err = admin.Resolve(ctx, model+"@nobody")
	requireKind(t, err, assay.ErrNotFound)
	_, err = admin.Resolve(ctx, "not a reference")
	requireKind(t, err, assay.ErrInvalidInput)
	_, err = admin.ReadRange(ctx, model+"/1", "config.json", 1, 100)
	requireKind(t, err, assay.ErrOutOfRange)
}

func TestLiveAWatchAndPagesOfOne(t *testing.T) {
	client, _, _ := live(t, "admin")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	model := newModel()
	name, err := assay.ModelName(model)
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.Registry().CreateModel(ctx, &assayv1.CreateModelRequest{
		Parent: "namespaces/main", ModelId: strings.TrimPrefix(model, "main/")})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a", "b", "c"} {
		if _, err := client.Push(ctx, model, writeFiles(t, map[string]string{"model.bin": text}), assay.PushOptions{}); err != nil {
			t.Fatal(err)
		}
	}

	count := 0
	for version, err := range client.ListVersions(ctx, &assayv1.ListVersionsRequest{Parent: name, PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if version.Number != int64(3-count) {
			t.Errorf("version %d came as number %d", version.Number, count)
		}
		count++
	}
	sealed := 0
	for answer, err := range client.Watch(ctx, assay.WatchOptions{NamePrefix: name, StartRevision: made.Revision}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range answer.Events {
			// What an earlier run left in this namespace becomes a version without a draft.
			if (event.Action == "SealDraft" || event.Action == "CreateVersion") && event.GetVersion() != nil {
				sealed++
			}
		}
		if sealed == 3 {
			break
		}
	}
	if count != 3 {
		t.Errorf("%d versions were listed", count)
	}
}

func TestLiveAWatchBeginsWithWhatIsCurrentAndGoesOnWithWhatHappens(t *testing.T) {
	client, _, _ := live(t, "admin")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	model := pushed(t, client, writeFiles(t, digits))
	name, err := assay.ModelName(model)
	if err != nil {
		t.Fatal(err)
	}
	current := map[string]bool{}
	var complete, published int64

	for answer, err := range client.Watch(ctx, assay.WatchOptions{NamePrefix: name, InitialState: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if published != 0 && len(answer.Events) > 0 {
			if answer.Revision != published || answer.Events[0].Action != "PublishVersion" {
				t.Errorf("after revision %d came %v", complete, answer)
			}
			break
		}
		for _, event := range answer.Events {
			if event.Type != assayv1.EventType_EVENT_TYPE_INITIAL {
				t.Errorf("%v is not of what was current", event)
			}
			current[event.Name] = true
		}
		if answer.InitialStateComplete {
			done, err := client.Publish(ctx, model+"/1", assay.PublishOptions{})
			if err != nil {
				t.Fatal(err)
			}
			complete, published = answer.Revision, done.Revision
		}
	}

	if complete == 0 || !current[name] || !current[name+"/versions/1"] {
		t.Errorf("at revision %d there were %v", complete, current)
	}
}

func TestLiveAStrangerIsTurnedAwayWithASentence(t *testing.T) {
	_, files, target := live(t, "admin")
	stranger := newAuthority(t).clientFiles(inAnHour())
	wrongAuthority := files
	wrongAuthority.CA = stranger.CA
	unknownClient := stranger
	unknownClient.CA = files.CA

	requireSays(t, failedCall(t, target, wrongAuthority), "not from the authority in "+stranger.CA)
	requireSays(t, failedCall(t, target, unknownClient), stranger.Cert)
	requireSays(t, failedCall(t, target, assay.PlaintextLoopback{}), "TLS port")
}
