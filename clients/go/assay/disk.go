package assay

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// errLocked means that another process holds the lock.
var errLocked = errors.New("locked by another process")

// syncTree makes the names in a directory and below durable; the files are already.
func syncTree(top string) error {
	return filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return syncDirectory(path)
		}
		return err
	})
}
