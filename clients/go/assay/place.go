package assay

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// pull is one pull under way: the target is judged before, filled beside, and renamed into place.
type pull struct {
	client   *Client
	version  *assayv1.ModelVersion
	files    []*assayv1.File
	target   string
	nursery  *nursery
	atOnce   int
	meter    *meter
	streams  chan struct{}
	carriers atomic.Int64
}

func newPull(client *Client, version *assayv1.ModelVersion, target string, options PullOptions) *pull {
	atOnce := options.RangesAtOnce
	if atOnce <= 0 {
		atOnce = rangesAtOnce
	}
	files := slices.SortedFunc(slices.Values(version.GetFiles()), func(a, b *assayv1.File) int {
		return strings.Compare(a.GetPath(), b.GetPath())
	})
	return &pull{
		client: client, version: version, files: files, target: target, atOnce: atOnce,
		meter:   newMeter(StepReceiving, options.Progress, version.GetSizeBytes()),
		streams: make(chan struct{}, atOnce),
	}
}

func (p *pull) nextCarrier() int { return int(p.carriers.Add(1) - 1) }

// run brings the files; true if they were all there already.
func (p *pull) run(ctx context.Context) (existed bool, err error) {
	if existed, err := p.holdsEverything(ctx); existed || err != nil {
		return existed, err
	}
	p.nursery, err = openNursery(p.target, p.version.GetManifestDigest())
	if err != nil {
		return false, err
	}
	defer p.nursery.close()
	p.nursery.removeOthers()
	err = inParallel(ctx, p.atOnce, p.files, p.receive)
	if err == nil {
		existed, err = p.put(ctx)
	}
	isHopeless := errors.Is(err, ErrContentMismatch) || errors.Is(err, ErrLocalDiskFull)
	if err == nil || isHopeless || !p.nursery.isWorthKeeping() {
		// What is left has no worth, or stands in the way of making room.
		p.nursery.remove()
	}
	return existed, err
}

// receive brings one file. What an earlier pull left is used once; if its digest is wrong, all of the
// file is fetched anew.
func (p *pull) receive(ctx context.Context, number int, file *assayv1.File) error {
	part, err := openPart(p.nursery.path, number, file)
	if err != nil {
		return err
	}
	defer part.close()
	had := part.hadBytes()
	p.meter.set(file.GetPath(), had, file.GetSizeBytes())
	same, err := p.fill(ctx, part)
	if err == nil && !same && had > 0 {
		p.meter.set(file.GetPath(), 0, file.GetSizeBytes())
		if err = part.forget(); err == nil {
			same, err = p.fill(ctx, part)
		}
	}
	if err != nil {
		return err
	}
	if !same {
		return mismatch("%s of %s arrived with another digest than %s. Nothing was kept.",
			file.GetPath(), p.version.GetName(), file.GetDigest())
	}
	return part.finish()
}

// fill fetches the pieces that are not there, and says whether the whole has its digest.
func (p *pull) fill(ctx context.Context, part *part) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make([]chan struct{}, len(part.done))
	for piece := range ready {
		ready[piece] = make(chan struct{})
	}
	var same bool
	var problem error
	verified := make(chan struct{})
	go func() {
		defer close(verified)
		same, problem = part.verify(ctx, ready)
	}()
	err := inParallel(ctx, p.atOnce, ready, func(ctx context.Context, piece int, done chan struct{}) error {
		if !part.isDone(piece) {
			if err := p.stream(ctx, part, piece); err != nil {
				return err
			}
		}
		close(done)
		return nil
	})
	if err != nil {
		cancel()
		<-verified
		return false, err
	}
	<-verified
	return same, problem
}

// stream fetches one piece when its turn has come: all files share the number of streams.
func (p *pull) stream(ctx context.Context, part *part, piece int) error {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
		return p.fetch(ctx, part, piece)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// put gives the files their name; true if somebody else put the same there first.
func (p *pull) put(ctx context.Context) (bool, error) {
	content := p.nursery.files()
	if err := syncTree(content); err != nil {
		return false, localFailure("write", content, err)
	}
	// An empty directory may stand in the way: removing it fails when it is not empty any more.
	err := syscall.Rmdir(p.target)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(content, p.target)
	}
	if err != nil {
		existed, judged := p.holdsEverything(ctx)
		if existed || judged != nil {
			return existed, judged
		}
		return false, p.occupied(fmt.Sprintf("it cannot be replaced (%v); if something is mounted there, name a directory "+
			"inside it", err))
	}
	return false, localFailure("write", filepath.Dir(p.target), syncDirectory(filepath.Dir(p.target)))
}

// holdsEverything tells whether the target holds exactly the version; false for nothing, or for an empty
// directory.
func (p *pull) holdsEverything(ctx context.Context) (bool, error) {
	status, err := os.Lstat(p.target)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, localFailure("read", p.target, err)
	}
	if !status.IsDir() {
		return false, p.occupied("it is not a directory")
	}
	entries, err := os.ReadDir(p.target)
	if err != nil {
		return false, localFailure("read", p.target, err)
	}
	if len(entries) == 0 {
		return false, nil
	}
	found, err := findFiles(p.target, nil)
	if err != nil {
		return false, p.occupied(err.Error())
	}
	if !slices.EqualFunc(found, p.files, func(a *localFile, b *assayv1.File) bool { return a.Path == b.GetPath() }) {
		return false, p.occupied("it holds other files")
	}
	silence := newMeter(StepReceiving, nil, 0)
	err = inParallel(ctx, p.atOnce, found, func(ctx context.Context, number int, file *localFile) error {
		if err := file.hash(ctx, silence); err != nil {
			return err
		}
		if file.Digest != p.files[number].GetDigest() {
			return p.occupied(file.Path + " has another content")
		}
		return nil
	})
	return err == nil, err
}

func (p *pull) occupied(why string) *Error {
	return &Error{kinds: []error{ErrTargetExists}, Message: fmt.Sprintf("%s exists and does not hold exactly %s: %s. "+
		"Choose another directory, or remove it first.", p.target, describeVersion(p.version), why)}
}

func (p *pull) interrupted(ctx context.Context, part *part, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{kinds: []error{ErrTransferInterrupted}, cause: err, Message: fmt.Sprintf("%s of %s stopped arriving and "+
		"nothing moved for %s: %v Pull again to go on from there.", part.file.GetPath(), p.version.GetName(),
		p.client.patience, err)}
}
