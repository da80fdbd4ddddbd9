package assay

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// part is one file of a pull, while it is not whole. A journal beside it has a byte for each piece that
// was written, so that another process knows what is there. It is not synced: if the machine falls, the
// digest tells that the file is not what the journal says, and the file is fetched anew.
type part struct {
	file    *assayv1.File
	path    string
	handle  *os.File
	journal *os.File
	done    []byte
}

// openPart opens the file and its journal, reserving the space of the whole file: a full disk shows
// before the transfer and not in its middle.
func openPart(nursery string, number int, file *assayv1.File) (*part, error) {
	path := filepath.Join(nursery, "files", filepath.FromSlash(file.GetPath()))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, localFailure("make the directory of", path, err)
	}
	journal, err := os.OpenFile(filepath.Join(nursery, "pieces", fmt.Sprint(number)), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, localFailure("open the journal of", path, err)
	}
	handle, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		journal.Close()
		return nil, localFailure("open", path, err)
	}
	p := &part{file: file, path: path, handle: handle, journal: journal}
	if err := p.prepare(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *part) prepare() error {
	p.done = make([]byte, (p.file.GetSizeBytes()+pieceBytes-1)/pieceBytes)
	status, err := p.handle.Stat()
	if err != nil {
		return localFailure("read", p.path, err)
	}
	if status.Size() != p.file.GetSizeBytes() {
		return p.forget()
	}
	if _, err := p.journal.ReadAt(p.done, 0); err != nil && err != io.EOF {
		return localFailure("read the journal of", p.path, err)
	}
	return nil
}

// forget starts the file anew.
func (p *part) forget() error {
	clear(p.done)
	if err := p.journal.Truncate(0); err != nil {
		return localFailure("write the journal of", p.path, err)
	}
	if err := p.handle.Truncate(0); err != nil {
		return localFailure("write", p.path, err)
	}
	if err := reserve(p.handle, p.file.GetSizeBytes()); err != nil {
		return localFailure("write", p.path, err)
	}
	return nil
}

func (p *part) close() {
	p.handle.Close()
	p.journal.Close()
}

// bounds gives the first byte of a piece, and that behind it.
func (p *part) bounds(piece int) (int64, int64) {
	start := int64(piece) * pieceBytes
	return start, min(start+pieceBytes, p.file.GetSizeBytes())
}

func (p *part) isDone(piece int) bool { return p.done[piece] == 1 }

// hadBytes counts what an earlier pull left.
func (p *part) hadBytes() int64 {
	var bytes int64
	for piece := range p.done {
		if p.isDone(piece) {
			start, end := p.bounds(piece)
			bytes += end - start
		}
	}
	return bytes
}

func (p *part) markDone(piece int) error {
	if _, err := p.journal.WriteAt([]byte{1}, int64(piece)); err != nil {
		return localFailure("write the journal of", p.path, err)
	}
	return nil
}

// verify reads the pieces in order, each as soon as it is ready, and compares the whole with its digest.
// It runs beside the transfer, so that the end need not wait for the whole file to be read again.
func (p *part) verify(ctx context.Context, ready []chan struct{}) (bool, error) {
	reader := &followingReader{ctx: ctx, part: p, ready: ready}
	digest, _, err := digestOf(ctx, reader, func(int64) {})
	return digest == p.file.GetDigest(), err
}

// finish makes the content durable.
func (p *part) finish() error {
	if err := p.handle.Sync(); err != nil {
		return localFailure("write", p.path, err)
	}
	return nil
}

// followingReader reads a file that is still being written, piece by piece.
type followingReader struct {
	ctx    context.Context
	part   *part
	ready  []chan struct{}
	offset int64
}

// Read waits for the piece that it needs.
func (r *followingReader) Read(into []byte) (int, error) {
	if r.offset == r.part.file.GetSizeBytes() {
		return 0, io.EOF
	}
	piece := int(r.offset / pieceBytes)
	select {
	case <-r.ready[piece]:
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
	_, end := r.part.bounds(piece)
	count, err := r.part.handle.ReadAt(into[:min(int64(len(into)), end-r.offset)], r.offset)
	r.offset += int64(count)
	if err == io.EOF && count > 0 {
		err = nil
	}
	return count, err
}
