package assay_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/assay-registry/assay/clients/go/assay"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

func TestWhatCannotBePushedIsRefusedBeforeAnythingMoves(t *testing.T) {
	server := serve(t).withModel()
	for name, spoil := range map[string]func(directory string) error{
		"link":      func(d string) error { return os.Symlink("config.json", filepath.Join(d, "link")) },
		"pipe":      func(d string) error { return syscall.Mkfifo(filepath.Join(d, "pipe"), 0o600) },
		".hidden":   func(d string) error { return os.WriteFile(filepath.Join(d, ".hidden"), nil, 0o600) },
		"two words": func(d string) error { return os.WriteFile(filepath.Join(d, "two words"), nil, 0o600) },
		"nul.txt":   func(d string) error { return os.WriteFile(filepath.Join(d, "nul.txt"), nil, 0o600) },
		"CONFIG.json": func(d string) error {
			return os.WriteFile(filepath.Join(d, "CONFIG.json"), nil, 0o600)
		},
	} {
		directory := writeFiles(t, digits)
		if err := spoil(directory); err != nil {
			t.Fatal(err)
		}

		_, err := server.client().Push(context.Background(), "vision/digits", directory, assay.PushOptions{})

		requireSays(t, requireKind(t, err, assay.ErrUnsafeFile).Message, name)
	}
	_, err := server.client().Push(context.Background(), "vision/digits", t.TempDir(), assay.PushOptions{})
	requireSays(t, requireKind(t, err, assay.ErrUnsafeFile).Message, "holds no files")
	for _, method := range []string{"CreateVersion", "CreateDraft"} {
		if calls := server.Calls(method); len(calls) != 0 {
			t.Errorf("the server was asked: %v", calls)
		}
	}
}

func TestExcludedFilesAreLeftOut(t *testing.T) {
	server := serve(t).withModel()
	source := writeFiles(t, map[string]string{"model.bin": "w", ".git/HEAD": "x", "logs/run.txt": "x", "a.tmp": "x"})

	pushed := push(t, server.client(), source, assay.PushOptions{Exclude: []string{".git", "logs/*", "*.tmp"}})

	if len(pushed.Version.Files) != 1 {
		t.Errorf("got %v", pushed.Version.Files)
	}
}

func TestAFileThatChangesWhileItIsPushedIsNoticed(t *testing.T) {
	server := serve(t).withModel()
	source := writeLarge(t, 3<<20)
	original, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	server.Fail(func(call memoryregistry.Call) error {
		if call.Method == "BeginUpload" && len(server.Calls("BeginUpload")) == 1 {
			overwrite(t, source, []byte("changed"))
		}
		return nil
	})

	_, err = server.client().Push(context.Background(), "vision/digits", source, assay.PushOptions{})
	failure := requireKind(t, err, assay.ErrContentMismatch)
	requireSays(t, failure.Message, source, "changed while it was being pushed")

	// The draft is not spoilt: neither for the content that was hashed, nor for the new one.
	overwrite(t, source, original[:7])
	if pushed := push(t, server.client(), source, assay.PushOptions{}); pushed.Version.Number != 1 {
		t.Errorf("got %+v", pushed)
	}
	overwrite(t, source, []byte("changed"))
	if pushed := push(t, server.client(), source, assay.PushOptions{}); pushed.Version.Number != 2 {
		t.Errorf("got %+v", pushed)
	}
}

// overwrite changes the first bytes of a file.
func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
}

func TestAPatternThatIsNoneIsRefusedBeforeAnythingMoves(t *testing.T) {
	server := serve(t).withModel()
	source := writeFiles(t, map[string]string{"[secret.key": "secret", "model.bin": "weights"})

	_, err := server.client().Push(context.Background(), "vision/digits", source, assay.PushOptions{Exclude: []string{"[secret.key"}})

	failure := requireKind(t, err, assay.ErrInvalidInput)
	begun := append(server.Calls("CreateDraft"), server.Calls("CreateVersion")...)
	if !strings.Contains(failure.Message, `"[secret.key"`) || len(begun) != 0 {
		t.Errorf("got %q after %v", failure.Message, begun)
	}
}
