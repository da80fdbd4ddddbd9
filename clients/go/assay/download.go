package assay

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"time"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// pieceBytes is a range of its own stream, and what a resumed pull may have to fetch again.
const pieceBytes = 64 << 20

// incoming is one stream of bytes from a file.
type incoming struct {
	artifacts assayv1.ArtifactServiceClient
	request   *assayv1.ReadArtifactRequest
}

// receive hands on what arrives, in order and checked, until the stream ends.
func (i *incoming) receive(ctx context.Context, take func([]byte) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silenceMax, func() { cancel(errSilent) })
	defer watchdog.Stop()
	stream, err := i.artifacts.ReadArtifact(ctx, i.request)
	if err != nil {
		return err
	}
	offset := i.request.GetOffset()
	for {
		message, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case context.Cause(ctx) == errSilent:
			return silent("sent nothing of "+i.request.GetPath(), silenceMax)
		case err != nil:
			return err
		}
		watchdog.Reset(silenceMax)
		data := message.GetData()
		if len(data) == 0 {
			continue
		}
		if message.GetOffset() != offset || message.GetCrc32C() != crc32.Checksum(data, castagnoli) {
			return damaged(i.request.GetPath())
		}
		offset += int64(len(data))
		if err := take(data); err != nil {
			return err
		}
	}
}

// damaged is what the server would say of a message that it received so.
func damaged(path string) *Error {
	return &Error{Message: "A message of " + path + " arrived damaged.", kinds: []error{ErrContentMismatch, errDamaged}}
}

// errDamaged marks what is worth asking for again.
var errDamaged = errors.New("damaged on the way")

// fetch brings one piece of a file to its place in the part file, going on after breaks from what is
// written.
func (p *pull) fetch(ctx context.Context, part *part, piece int) error {
	start, end := part.bounds(piece)
	patience := newPatience(p.client.patience)
	offset := start
	for offset < end {
		before := offset
		stream := &incoming{p.client.carrier(p.nextCarrier()), &assayv1.ReadArtifactRequest{
			Name: p.version.GetName(), Path: part.file.GetPath(), Offset: offset, Length: end - offset,
			IfDigest: part.file.GetDigest(),
		}}
		err := stream.receive(ctx, func(data []byte) error {
			if offset+int64(len(data)) > end {
				return mismatch("The server sent more of %s than was asked.", part.file.GetPath())
			}
			if _, err := part.handle.WriteAt(data, offset); err != nil {
				return localFailure("write", part.path, err)
			}
			offset += int64(len(data))
			p.meter.add(part.file.GetPath(), int64(len(data)), part.file.GetSizeBytes())
			return nil
		})
		if err == nil && offset == before {
			return mismatch("The server holds less of %s than its %d bytes.", part.file.GetPath(), part.file.GetSizeBytes())
		}
		if err != nil && (ctx.Err() != nil || !(isWorthContinuing(err) || errors.Is(err, errDamaged))) {
			return err
		}
		if offset > before {
			patience.renew()
		}
		if err != nil && !patience.pause(ctx, retryAfter(err)) {
			return p.interrupted(ctx, part, err)
		}
	}
	return part.markDone(piece)
}
