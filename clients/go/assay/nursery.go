package assay

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// nursery is the directory that a pull fills, beside its target and closed to others. It is named after
// the content, so that what an interrupted pull left is found, and never mixed up; only one pull at a time
// has it. The Python client has the same names and the same lock: each goes on with what the other left.
type nursery struct {
	target string
	path   string
	lock   *os.File
}

// errNotOurs means that somebody else could have put something into a directory.
var errNotOurs = errors.New("belongs to somebody else, or is open to others")

// openNursery makes the directory, or finds it, and takes its lock.
func openNursery(target, manifestDigest string) (*nursery, error) {
	digits := strings.TrimPrefix(manifestDigest, digestPrefix)[:16]
	n := &nursery{target: target, path: filepath.Join(filepath.Dir(target), fmt.Sprintf(".%s.%s.part", filepath.Base(target), digits))}
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return nil, localFailure("make", filepath.Dir(target), err)
	}
	if err := n.take(); err != nil {
		return nil, err
	}
	for _, name := range []string{"files", "pieces"} {
		// The content itself gets the permissions that the user's umask gives.
		if err := os.Mkdir(filepath.Join(n.path, name), 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			n.close()
			return nil, localFailure("make", n.path, err)
		}
	}
	return n, nil
}

// take takes the lock of the directory, which is made if need be.
func (n *nursery) take() error {
	for {
		if err := os.Mkdir(n.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return localFailure("make", n.path, err)
		}
		lock, err := lockOurs(n.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // The pull that had it has just ended, and took it along.
		case errors.Is(err, errNotOurs):
			return &Error{kinds: []error{ErrTargetExists}, Message: fmt.Sprintf("%s is in the way and %v. Remove it, or "+
				"choose another directory.", n.path, err)}
		case errors.Is(err, errLocked):
			return &Error{kinds: []error{ErrTargetBusy}, Message: fmt.Sprintf("Another pull of the same version to %s is under "+
				"way. Wait for it, or choose another directory.", n.target)}
		case err != nil:
			return localFailure("lock", n.path, err)
		}
		n.lock = lock
		return nil
	}
}

// lockOurs locks a directory that is ours: in one that everybody may write to, another's could hold links
// to our own files. It fails with fs.ErrNotExist when the directory went away meanwhile.
func lockOurs(directory string) (*os.File, error) {
	status, err := os.Lstat(directory)
	if err != nil {
		return nil, err
	}
	if !status.IsDir() || !isOurs(status) {
		return nil, errNotOurs
	}
	path := filepath.Join(directory, "lock")
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	held, err := lock.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Lstat(path); err == nil && !os.SameFile(held, there) {
			err = fs.ErrNotExist
		}
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// files is where the files are gathered; it becomes the target.
func (n *nursery) files() string { return filepath.Join(n.path, "files") }

// removeOthers removes what pulls of other versions to the same target left, unless they go on.
func (n *nursery) removeOthers() {
	names := regexp.MustCompile(`^\.` + regexp.QuoteMeta(filepath.Base(n.target)) + `\.[0-9a-f]{16}\.part(\.gone-\w+)*$`)
	entries, err := os.ReadDir(filepath.Dir(n.target))
	if err != nil {
		return // Nothing rests on it, and what is needed tells of its own troubles.
	}
	for _, entry := range entries {
		path := filepath.Join(filepath.Dir(n.target), entry.Name())
		if path == n.path || !names.MatchString(entry.Name()) {
			continue
		}
		if lock, err := lockOurs(path); err == nil {
			removeWhole(path)
			lock.Close()
		}
	}
}

// isWorthKeeping tells whether any piece is there to go on from.
func (n *nursery) isWorthKeeping() bool {
	journals, _ := os.ReadDir(filepath.Join(n.path, "pieces")) // Nobody goes on from what cannot be read.
	for _, journal := range journals {
		if status, err := journal.Info(); err == nil && status.Size() > 0 {
			return true
		}
	}
	return false
}

// remove leaves nothing behind.
func (n *nursery) remove() { removeWhole(n.path) }

// close lets the next pull have it.
func (n *nursery) close() { n.lock.Close() }

// removeWhole takes a directory out of the way at once, and then apart: nobody finds half of it.
func removeWhole(directory string) {
	gone := fmt.Sprintf("%s.gone-%s", directory, strings.ReplaceAll(newID(), "-", "")[:8])
	if os.Rename(directory, gone) != nil {
		gone = directory // Some systems rename nothing that has open files.
	}
	os.RemoveAll(gone)
}
