package assay_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/assay-registry/assay/clients/go/assay"
)

const insideSmallDisk = "ASSAY_TEST_INSIDE_SMALL_DISK"

// A real disk that is really full: this test runs itself again where it may mount a file system of 2 MiB.
func TestAFullDiskInMidPullLeavesNothingAndSaysSo(t *testing.T) {
	if disk := os.Getenv(insideSmallDisk); disk != "" {
		pullToSmallDisk(t, disk)
		return
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), insideSmallDisk+"="+t.TempDir())
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	output, err := again.CombinedOutput()
	if err != nil && len(output) == 0 {
		if os.Getenv("ASSAY_REQUIRE_ALL") == "1" {
			t.Fatalf("ASSAY_REQUIRE_ALL=1, but this system lets nobody mount a small file system: %v.", err)
		}
		t.Skipf("This system lets nobody mount a small file system: %v.", err)
	}
	if err != nil || !strings.Contains(string(output), "--- PASS") {
		t.Fatalf("%v\n%s", err, output)
	}
}

func pullToSmallDisk(t *testing.T, disk string) {
	if err := syscall.Mount("small", disk, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	server := serve(t)
	source := writeFiles(t, map[string]string{
		"a.bin": strings.Repeat("a", 1<<20), "b.bin": strings.Repeat("b", 3<<20),
	})
	server.withVersion(source)
	target := filepath.Join(disk, "model")

	_, err := server.client().Pull(context.Background(), "vision/digits/1", target, assay.PullOptions{})

	requireSays(t, requireKind(t, err, assay.ErrLocalDiskFull).Message, "No space is left", "Make room")
	entries, err := os.ReadDir(disk)
	if err != nil || len(entries) != 0 {
		t.Errorf("left on the disk: %v, %v", entries, err)
	}
}
