package assay_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-registry/assay/clients/go/assay"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

func TestATargetThatHoldsTheVersionIsComparedAndLeftAlone(t *testing.T) {
	server := serve(t)
	server.withVersion(writeFiles(t, digits))
	target := filepath.Join(t.TempDir(), "model")
	pull(t, server.client(), target, assay.PullOptions{})
	before := len(server.Calls("ReadArtifact"))

	again := pull(t, server.client(), target, assay.PullOptions{})

	if !again.Existed {
		t.Error("it does not say that the version was there")
	}
	if len(server.Calls("ReadArtifact")) != before {
		t.Error("bytes were fetched")
	}
}

func TestATargetThatHoldsAnythingElseIsRefusedAndLeftAlone(t *testing.T) {
	server := serve(t)
	source := writeFiles(t, digits)
	server.withVersion(source)
	changed := writeFiles(t, digits)
	if err := os.WriteFile(filepath.Join(changed, "config.json"), []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	more := writeFiles(t, digits)
	if err := os.WriteFile(filepath.Join(more, "more.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(source, link); err != nil {
		t.Fatal(err)
	}

	for what, target := range map[string]string{
		"config.json has another content": changed, "other files": more, "not a directory": filepath.Join(source, "config.json"), "a directory": link,
	} {
		before := ""
		if target != link && what != "not a directory" {
			before = content(t, target)
		}
		_, err := server.client().Pull(context.Background(), "vision/digits/1", target, assay.PullOptions{})
		requireSays(t, requireKind(t, err, assay.ErrTargetExists).Message, what, target, "vision/digits/1")
		if before != "" && content(t, target) != before {
			t.Errorf("%s was changed", target)
		}
	}
}

func TestAnEmptyDirectoryMayBeTheTarget(t *testing.T) {
	server := serve(t)
	source := writeFiles(t, digits)
	server.withVersion(source)
	target := t.TempDir()

	pull(t, server.client(), target, assay.PullOptions{})

	if content(t, target) != content(t, source) {
		t.Error("the content is another")
	}
}

func TestTwoPullsToOnePlaceDoNotMix(t *testing.T) {
	server := serve(t)
	source := writeFiles(t, digits)
	server.withVersion(source)
	target := filepath.Join(t.TempDir(), "model")
	arrived, release := make(chan struct{}), make(chan struct{})
	server.Fail(once(func(call memoryregistry.Call) bool {
		if call.Method != "ReadArtifact" {
			return false
		}
		select {
		case <-arrived:
		default:
			close(arrived)
			<-release
		}
		return false
	}, nil))
	first := make(chan error)
	go func() {
		_, err := server.client().Pull(context.Background(), "vision/digits/1", target, assay.PullOptions{RangesAtOnce: 1})
		first <- err
	}()
	<-arrived

	_, err := server.client().Pull(context.Background(), "vision/digits/1", target, assay.PullOptions{})
	close(release)

	requireKind(t, err, assay.ErrTargetBusy)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if content(t, target) != content(t, source) {
		t.Error("the content is another")
	}
}

func TestANurseryThatOthersCanWriteToIsNotUsed(t *testing.T) {
	server := serve(t)
	version := server.withVersion(writeFiles(t, digits))
	target := filepath.Join(t.TempDir(), "model")
	nursery := filepath.Join(filepath.Dir(target), ".model."+strings.TrimPrefix(version.ManifestDigest, "sha256:")[:16]+".part")
	if err := os.Mkdir(nursery, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(nursery, 0o777); err != nil {
		t.Fatal(err)
	}

	_, err := server.client().Pull(context.Background(), "vision/digits/1", target, assay.PullOptions{})

	requireSays(t, requireKind(t, err, assay.ErrTargetExists).Message, nursery)
}

func TestADirectoryThatCannotBeMadeIsNamed(t *testing.T) {
	server := serve(t)
	server.withVersion(writeFiles(t, digits))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	_, err := server.client().Pull(context.Background(), "vision/digits/1", filepath.Join(file, "model"), assay.PullOptions{})

	requireSays(t, requireKind(t, err, assay.ErrLocalFileFailure).Message, file, "Put that right")
}

func TestASourceThatIsNotThereIsNamed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")

	_, err := serve(t).client().Push(context.Background(), "vision/digits", missing, assay.PushOptions{})

	requireSays(t, requireKind(t, err, assay.ErrLocalFileFailure).Message, missing, "no such file", "Check the path")
}
