package assay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// blockBytes is how much is read, hashed or sent at once: messages of 1 MiB are the fastest, and fit
// the 4 MiB that every gRPC server takes.
const blockBytes = 1 << 20

// localFile is a regular file on this machine, and what it will be in the version.
type localFile struct {
	*assayv1.File
	source string
	seen   os.FileInfo
}

// findFiles lists what is at a path: the file itself, or every file below the directory, sorted.
// Whatever cannot be pushed as it is gets refused before anything moves.
func findFiles(root string, exclude []string) ([]*localFile, error) {
	for _, pattern := range exclude {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, &Error{Code: codes.InvalidArgument, kinds: []error{ErrInvalidInput}, cause: err,
				Message: fmt.Sprintf("Exclude has %q, which is no pattern: a bracket is open, or a backslash ends it.", pattern)}
		}
	}
	status, err := os.Lstat(root)
	if err != nil {
		return nil, localFailure("push", root, err)
	}
	if !status.IsDir() {
		file, err := newLocalFile(root, filepath.Base(root), status)
		if err != nil {
			return nil, err
		}
		return []*localFile{file}, nil
	}
	files, err := walk(root, exclude)
	if err != nil {
		return nil, localFailure("read", root, err)
	}
	if len(files) == 0 {
		return nil, unsafe(root, "it holds no files")
	}
	slices.SortFunc(files, func(a, b *localFile) int { return strings.Compare(a.Path, b.Path) })
	paths := make([]string, len(files))
	for number, file := range files {
		paths[number] = file.Path
	}
	if problem := distinctProblem(paths); problem != "" {
		return nil, unsafe(root, problem)
	}
	return files, nil
}

func walk(root string, exclude []string) ([]*localFile, error) {
	var files []*localFile
	err := filepath.WalkDir(root, func(source string, entry fs.DirEntry, err error) error {
		if err != nil || source == root {
			return err
		}
		inside, err := filepath.Rel(root, source)
		if err != nil {
			return err
		}
		inside = filepath.ToSlash(inside)
		if isExcluded(inside, exclude) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		status, err := entry.Info()
		if err != nil {
			return err
		}
		file, err := newLocalFile(source, inside, status)
		files = append(files, file)
		return err
	})
	return files, err
}

func isExcluded(inside string, exclude []string) bool {
	return slices.ContainsFunc(exclude, func(pattern string) bool {
		whole, _ := path.Match(pattern, inside)
		name, _ := path.Match(pattern, path.Base(inside))
		return whole || name
	})
}

func newLocalFile(source, inside string, status os.FileInfo) (*localFile, error) {
	if status.Mode()&fs.ModeSymlink != 0 {
		return nil, unsafe(source, "it is a link; push what it points to")
	}
	if !status.Mode().IsRegular() {
		return nil, unsafe(source, "it is not a regular file")
	}
	if problem := pathProblem(inside); problem != "" {
		return nil, unsafe(source, problem+". Rename it, or leave it out with Exclude")
	}
	described := &assayv1.File{Path: inside, MediaType: mediaTypeOf(inside), Role: roleOf(inside)}
	return &localFile{described, source, status}, nil
}

// open opens the file that was listed, and no other that took its place.
func (f *localFile) open() (*os.File, error) {
	handle, err := os.OpenFile(f.source, os.O_RDONLY|openAtOnce, 0)
	if err != nil {
		return nil, localFailure("read", f.source, err)
	}
	status, err := handle.Stat()
	if err == nil && (!status.Mode().IsRegular() || !os.SameFile(status, f.seen)) {
		err = unsafe(f.source, "it became another file while it was being pushed")
	}
	if err != nil {
		handle.Close()
		return nil, localFailure("read", f.source, err)
	}
	return handle, nil
}

// hash reads the file once for its size and digest.
func (f *localFile) hash(ctx context.Context, progress *meter) error {
	handle, err := f.open()
	if err != nil {
		return err
	}
	defer handle.Close()
	digest, size, err := digestOf(ctx, handle, func(done int64) { progress.set(f.Path, done, f.seen.Size()) })
	if err != nil {
		return localFailure("read", f.source, err)
	}
	f.Digest, f.SizeBytes = digest, size
	return nil
}

// digestOf reads to the end, in bounded memory; onBytes hears how far it is.
func digestOf(ctx context.Context, reader io.Reader, onBytes func(int64)) (string, int64, error) {
	hash := sha256.New()
	buffer := make([]byte, blockBytes)
	var size int64
	for {
		if ctx.Err() != nil {
			return "", 0, ctx.Err()
		}
		count, err := io.ReadFull(reader, buffer)
		hash.Write(buffer[:count])
		size += int64(count)
		onBytes(size)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return digestPrefix + hex.EncodeToString(hash.Sum(nil)), size, nil
		}
		if err != nil {
			return "", 0, err
		}
	}
}

// Media types and roles are guessed as the Python client guesses them: the same files then have the
// same manifest digest, whoever pushes them.
var mediaTypes = map[string]string{
	".csv": "text/csv", ".html": "text/html", ".json": "application/json", ".md": "text/markdown",
	".onnx": "application/onnx", ".png": "image/png", ".svg": "image/svg+xml", ".toml": "application/toml",
	".txt": "text/plain", ".yaml": "application/yaml", ".yml": "application/yaml",
}

var weightSuffixes = strings.Fields(
	".bin .bst .gguf .h5 .joblib .keras .onnx .pkl .pickle .pt .pth .safetensors .skops .ubj")

var tokenizerPrefixes = []string{"tokenizer", "vocab", "merges", "special_tokens"}

func mediaTypeOf(inside string) string {
	if known, ok := mediaTypes[strings.ToLower(path.Ext(inside))]; ok {
		return known
	}
	return mediaTypeDefault
}

func roleOf(inside string) string {
	name := strings.ToLower(path.Base(inside))
	switch {
	case slices.Contains(weightSuffixes, path.Ext(name)):
		return "weights"
	case slices.ContainsFunc(tokenizerPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
		return "tokenizer"
	case name == "config.json" || name == "generation_config.json":
		return "config"
	}
	return ""
}
