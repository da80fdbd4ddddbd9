//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package assay_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

// namesIn lists what is in a directory.
func namesIn(t *testing.T, directory string) []string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestWhatPullsOfOtherVersionsLeftIsRemovedUnlessTheyGoOn(t *testing.T) {
	server := serve(t)
	server.withVersion(writeFiles(t, digits))
	parent := t.TempDir()
	abandoned := ".model." + strings.Repeat("a", 16) + ".part"
	halfRemoved := ".model." + strings.Repeat("d", 16) + ".part.gone-0123abcd"
	busy := ".model." + strings.Repeat("b", 16) + ".part"
	ofAnother := ".models." + strings.Repeat("c", 16) + ".part"
	for _, name := range []string{abandoned, halfRemoved, busy, ofAnother} {
		if err := os.MkdirAll(filepath.Join(parent, name, "files"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(parent, name, "files/weights.bin"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := os.Create(filepath.Join(parent, busy, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}

	pull(t, server.client(), filepath.Join(parent, "model"), assay.PullOptions{})

	if left := namesIn(t, parent); !slices.Equal(left, []string{busy, ofAnother, "model"}) {
		t.Errorf("left: %v", left)
	}
}

func TestAPullThatBroughtNothingLeavesNothing(t *testing.T) {
	server := serve(t)
	server.withVersion(writeFiles(t, map[string]string{"config.json": "{}"}))
	parent := t.TempDir()
	server.Fail(func(call memoryregistry.Call) error {
		if call.Method != "ReadArtifact" {
			return nil
		}
		return memoryregistry.Refuse(codes.DataLoss, assayv1.ErrorReason_ERROR_REASON_BLOB_CORRUPT, "It is damaged.", nil)
	})

	_, err := server.client().Pull(context.Background(), "vision/digits/1", filepath.Join(parent, "model"), assay.PullOptions{})

	requireKind(t, err, assay.ErrCorrupt)
	if left := namesIn(t, parent); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
