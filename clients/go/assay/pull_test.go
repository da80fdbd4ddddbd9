package assay_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

// withVersion pushes a version, so that there is something to pull.
func (s *served) withVersion(source string) *assayv1.ModelVersion {
	s.t.Helper()
	return push(s.t, s.withModel().client(), source, assay.PushOptions{Publish: true}).Version
}

func pull(t *testing.T, client *assay.Client, dir string, options assay.PullOptions) *assay.Pulled {
	t.Helper()
	pulled, err := client.Pull(context.Background(), "vision/digits/1", dir, options)
	if err != nil {
		t.Fatal(err)
	}
	return pulled
}

// content lists every file below a directory with its digest.
func content(t *testing.T, top string) string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		bytes, err := os.ReadFile(path)
		inside, _ := filepath.Rel(top, path)
		lines = append(lines, fmt.Sprintf("%s %x", inside, sha256.Sum256(bytes)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func requireAlone(t *testing.T, target string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != filepath.Base(target) {
			t.Errorf("%s was left beside the target", entry.Name())
		}
	}
}

func requireNothing(t *testing.T, target string) {
	t.Helper()
	if _, err := os.Lstat(target); err == nil {
		t.Errorf("there is something at %s", target)
	}
}

func TestAVersionArrivesWholeAndAlone(t *testing.T) {
	server := serve(t)
	source := writeFiles(t, digits)
	version := server.withVersion(source)
	target := filepath.Join(t.TempDir(), "deep", "model")

	pulled := pull(t, server.client(), target, assay.PullOptions{})

	if content(t, target) != content(t, source) {
		t.Errorf("got\n%s\nwant\n%s", content(t, target), content(t, source))
	}
	if pulled.Existed || pulled.Dir != target || !proto.Equal(pulled.Version, version) {
		t.Errorf("got %+v", pulled)
	}
	requireAlone(t, target)
}

func TestEveryReferenceCanBePulled(t *testing.T) {
	server := serve(t)
	version := server.withVersion(writeFiles(t, digits))
	_, err := server.client().SetAlias(context.Background(), "vision/digits@champion", assay.Move{To: 1})
	if err != nil {
		t.Fatal(err)
	}

	for number, reference := range []string{
		"vision/digits/1", "vision/digits@champion", "vision/digits@latest", "vision/digits@" + version.ManifestDigest,
	} {
		target := filepath.Join(t.TempDir(), fmt.Sprint(number))
		if _, err := server.client().Pull(context.Background(), reference, target, assay.PullOptions{}); err != nil {
			t.Errorf("%s: %v", reference, err)
		}
	}
	_, err = server.client().Pull(context.Background(), "vision/digits@nobody", t.TempDir(), assay.PullOptions{})
	requireKind(t, err, assay.ErrNotFound)
}

func TestALargeFileArrivesInParallelRanges(t *testing.T) {
	server := serve(t)
	source := writeLarge(t, 66<<20)
	server.withVersion(source)
	target := filepath.Join(t.TempDir(), "model")
	var last assay.Progress

	pull(t, server.client(), target, assay.PullOptions{Progress: func(progress assay.Progress) { last = progress }})

	if content(t, target) != content(t, filepath.Dir(source)) {
		t.Error("the content is another")
	}
	starts := map[int]bool{}
	for _, call := range server.Calls("ReadArtifact") {
		starts[call.Bytes] = true
	}
	if !starts[64<<20] {
		t.Error("no range began at 64 MiB")
	}
	if last.TotalBytes != 66<<20 || last.TotalSize != 66<<20 {
		t.Errorf("progress ended at %+v", last)
	}
}

func TestAStreamThatBreaksGoesOnFromWhatIsWritten(t *testing.T) {
	server := serve(t)
	source := writeLarge(t, 9<<20+17)
	server.withVersion(source)
	server.Fail(once(func(call memoryregistry.Call) bool { return call.Method == "ReadArtifact" && call.Bytes == 5<<20 }, unavailable))
	target := filepath.Join(t.TempDir(), "model")

	pull(t, server.client(), target, assay.PullOptions{})

	if content(t, target) != content(t, filepath.Dir(source)) {
		t.Error("the content is another")
	}
	sent := len(server.Calls("ReadArtifact"))
	if sent > 11 {
		t.Errorf("%d messages for 10 MiB: it started anew", sent)
	}
}

func TestAnInterruptedPullGoesOnWhenItIsCalledAgain(t *testing.T) {
	server := serve(t)
	source := writeLarge(t, 66<<20)
	server.withVersion(source)
	target := filepath.Join(t.TempDir(), "model")
	ctx, cancel := context.WithCancel(context.Background())
	server.Fail(once(func(call memoryregistry.Call) bool {
		if call.Method == "ReadArtifact" && call.Bytes == 65<<20 {
			cancel()
			return true
		}
		return false
	}, unavailable))

	_, err := server.client().Pull(ctx, "vision/digits/1", target, assay.PullOptions{RangesAtOnce: 1})
	requireKind(t, err, context.Canceled)
	requireNothing(t, target)
	before := len(server.Calls("ReadArtifact"))
	pull(t, server.client(), target, assay.PullOptions{})

	if content(t, target) != content(t, filepath.Dir(source)) {
		t.Error("the content is another")
	}
	if sent := len(server.Calls("ReadArtifact")) - before; sent != 2 {
		t.Errorf("%d messages came for the 2 MiB that were left", sent)
	}
	requireAlone(t, target)
}

func TestWhatAnInterruptedPullLeftIsNotTrusted(t *testing.T) {
	server := serve(t)
	source := writeLarge(t, 3<<20)
	version := server.withVersion(source)
	target := filepath.Join(t.TempDir(), "model")
	nursery := filepath.Join(filepath.Dir(target), ".model."+strings.TrimPrefix(version.ManifestDigest, "sha256:")[:16]+".part")
	for _, directory := range []string{nursery, filepath.Join(nursery, "files"), filepath.Join(nursery, "pieces")} {
		if err := os.Mkdir(directory, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(nursery, "files/model.safetensors"), make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(nursery, "pieces/0"), []byte{1}, 0o600); err != nil {
		t.Fatal(err)
	}

	pull(t, server.client(), target, assay.PullOptions{})

	if content(t, target) != content(t, filepath.Dir(source)) {
		t.Error("the content is another")
	}
}

func TestBytesThatAreNotWhatTheManifestSaysAreNotKept(t *testing.T) {
	server := serve(t)
	version := server.withVersion(writeFiles(t, digits))
	server.Damage(version.Files[2].Digest, func(content []byte) { content[0] ^= 1 })
	target := filepath.Join(t.TempDir(), "model")

	_, err := server.client().Pull(context.Background(), "vision/digits/1", target, assay.PullOptions{})

	failure := requireKind(t, err, assay.ErrContentMismatch)
	requireSays(t, failure.Message, "weights/model.safetensors", version.Files[2].Digest)
	requireNothing(t, target)
	requireAlone(t, target)
}

func TestAListOfFilesThatIsNotWhatTheDigestSaysIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*assayv1.ModelVersion){
		"size":      func(v *assayv1.ModelVersion) { v.Files[0].SizeBytes++ },
		"traversal": func(v *assayv1.ModelVersion) { v.Files[0].Path = "../../etc/passwd" },
		"absolute":  func(v *assayv1.ModelVersion) { v.Files[0].Path = "/etc/passwd" },
		"collision": func(v *assayv1.ModelVersion) { v.Files[0].Path = strings.ToUpper(v.Files[1].Path) },
		"folder":    func(v *assayv1.ModelVersion) { v.Files[0].Path = "weights" },
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t)
			version := server.withVersion(writeFiles(t, digits))
			server.Spoil(version.Name, func(version *assayv1.ModelVersion) {
				spoil(version)
				if name != "size" {
					version.ManifestDigest = assay.ManifestDigest(version.Files)
				}
			})
			target := filepath.Join(t.TempDir(), "model")

			_, err := server.client().Pull(context.Background(), "vision/digits/1", target, assay.PullOptions{})

			requireKind(t, err, assay.ErrContentMismatch)
			requireAlone(t, target)
			requireNothing(t, target)
		})
	}
}

func TestPatienceOfAPullEndsWithASentenceAndNothingUnderTheName(t *testing.T) {
	server := serve(t)
	server.withVersion(writeLarge(t, 3<<20))
	server.Fail(func(call memoryregistry.Call) error {
		if call.Method == "ReadArtifact" && call.Bytes > 0 {
			return unavailable
		}
		return nil
	})
	target := filepath.Join(t.TempDir(), "model")

	_, err := server.client(assay.WithPatience(200*time.Millisecond)).Pull(
		context.Background(), "vision/digits/1", target, assay.PullOptions{})

	requireSays(t, requireKind(t, err, assay.ErrTransferInterrupted).Message, "Pull again")
	requireNothing(t, target)
}

func TestARangeIsReadAndAWrongOneIsRefused(t *testing.T) {
	server := serve(t)
	server.withVersion(writeFiles(t, digits))
	client := server.client()

	got, err := client.ReadRange(context.Background(), "vision/digits/1", "weights/model.safetensors", 2, 3)
	if err != nil || string(got) != "igh" {
		t.Errorf("got %q, %v", got, err)
	}
	rest, err := client.ReadRange(context.Background(), "vision/digits/1", "weights/model.safetensors", 2, 0)
	if err != nil || string(rest) != "ights" {
		t.Errorf("got %q, %v", rest, err)
	}
	_, err = client.ReadRange(context.Background(), "vision/digits/1", "weights/model.safetensors", 5, 10)
	failure := requireKind(t, err, assay.ErrOutOfRange)
	if failure.Int("size_bytes") != 7 || failure.Code != codes.OutOfRange {
		t.Errorf("got %+v", failure)
	}
}

func TestARangeGoesOnAfterABreak(t *testing.T) {
	for _, length := range []int64{0, 5 << 20} {
		server := serve(t)
		source := writeLarge(t, 6<<20)
		server.withVersion(source)
		whole, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		server.Fail(once(func(call memoryregistry.Call) bool { return call.Method == "ReadArtifact" && call.Bytes == 3<<20 }, unavailable))

		got, err := server.client().ReadRange(context.Background(), "vision/digits/1", "model.safetensors", 0, length)

		want := whole
		if length > 0 {
			want = whole[:length]
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes of %d, %v", len(got), len(want), err)
		}
	}
}

func TestARangeOfNobodyIsToldAtOnce(t *testing.T) {
	client := dial(t, "127.0.0.1:1", assay.PlaintextLoopback{})

	_, err := client.ReadRange(context.Background(), "vision/digits/1", "model.safetensors", 0, 1)

	requireKind(t, err, assay.ErrUnreachable)
}
