//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package assay_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/assay-registry/assay/clients/go/assay"
	"github.com/assay-registry/assay/clients/go/internal/memoryregistry"
)

func TestAPipeThatTakesThePlaceOfAFileIsRefusedInsteadOfWaitedFor(t *testing.T) {
	server := serve(t).withModel()
	source := writeFiles(t, map[string]string{"model.bin": "weights"})
	server.Fail(func(call memoryregistry.Call) error {
		if call.Method != "CreateVersion" {
			return nil
		}
		path := filepath.Join(source, "model.bin")
		if err := os.Remove(path); err != nil {
			return err
		}
		return syscall.Mkfifo(path, 0o600)
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()

	_, err := server.client().Push(ctx, "vision/digits", source, assay.PushOptions{})

	requireKind(t, err, assay.ErrUnsafeFile)
}
