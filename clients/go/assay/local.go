package assay

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// localFailure explains what went wrong with a file of this machine.
func localFailure(doing, path string, err error) error {
	var already *Error
	if err == nil || errors.As(err, &already) {
		return err
	}
	failure := &Error{cause: err}
	var problem *fs.PathError
	what := err.Error()
	if errors.As(err, &problem) {
		what = problem.Err.Error()
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		failure.kinds = []error{ErrLocalDiskFull}
		failure.Message = fmt.Sprintf("No space is left for %s (%s). Make room, or choose another disk, and call again.", path, what)
		return failure
	}
	remedy := "Put that right"
	if errors.Is(err, fs.ErrNotExist) {
		remedy = "Check the path"
	}
	failure.kinds = []error{ErrLocalFileFailure}
	failure.Message = fmt.Sprintf("Cannot %s %s: %s. %s, and call again.", doing, path, what, remedy)
	return failure
}

func unsafe(path, why string) *Error {
	return &Error{kinds: []error{ErrUnsafeFile}, Message: fmt.Sprintf("%s cannot be pushed: %s.", path, why)}
}

func mismatch(format string, values ...any) *Error {
	return &Error{kinds: []error{ErrContentMismatch}, Message: fmt.Sprintf(format, values...)}
}
