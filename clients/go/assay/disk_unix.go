//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package assay

import (
	"errors"
	"os"
	"syscall"
)

// openAtOnce keeps opening from waiting: for whoever writes to a pipe that took the place of a file.
const openAtOnce = syscall.O_NONBLOCK

// lockFile takes a lock that ends with the process at the latest.
func lockFile(path string) (*os.File, error) {
	handle, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(handle.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		handle.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errLocked
		}
		return nil, err
	}
	return handle, nil
}

// isOurs tells whether nobody else could have put anything into a directory.
func isOurs(status os.FileInfo) bool {
	owner, ok := status.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid() && status.Mode().Perm()&0o022 == 0
}

// syncDirectory makes the names in a directory durable.
func syncDirectory(path string) error {
	handle, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}
