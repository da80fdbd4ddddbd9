package assay

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

const (
	// streamBytesMax ends a stream; a new one goes on, so that servers can shed old connections.
	streamBytesMax = 1 << 30
	// commitBytesPerSecond allows a server to read a file again to hash it.
	commitBytesPerSecond = 200 << 20
	// silenceMax is how long a stream may stand still before it is opened anew.
	silenceMax = 60 * time.Second
	// standsStill is how long an upload that somebody else fills must not have moved before it is taken over. A server
	// tells every second how much is durable, if bytes arrive.
	standsStill = 2 * time.Second
	lookPause   = 200 * time.Millisecond
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errSilent = errors.New("the stream stood still")

// upload is one file on its way into a draft.
type upload struct {
	push      *push
	artifacts assayv1.ArtifactServiceClient
	draft     string
	name      string
	isRenamed bool
	file      *localFile
	handle    *os.File
	durable   int64
	fence     error // How somebody else was heard of who fills the upload.
}

// upload sends one file: begin, write, commit; after a break it begins again and goes on from what is
// durable. Nothing is ever sent again blindly.
func (p *push) upload(ctx context.Context, number int, draft string, file *localFile) error {
	handle, err := file.open()
	if err != nil {
		return err
	}
	defer handle.Close()
	// Always the same for the same content at the same place: so another process can resume it, also
	// one in another language.
	id := derivedID(draft + "/" + file.Path + "/" + file.Digest)
	u := &upload{
		push: p, artifacts: p.client.carrier(number), draft: draft, name: draft + "/uploads/" + id, file: file, handle: handle,
	}
	patience := newPatience(p.client.patience)
	for {
		before := u.durable
		begun, err := u.begun(ctx, patience)
		if err == nil {
			err = u.attempt(ctx, begun)
		}
		if err == nil {
			p.meter.set(file.Path, file.SizeBytes, file.SizeBytes)
			return nil
		}
		if HasReason(err, assayv1.ErrorReason_ERROR_REASON_UPLOAD_FENCED) {
			u.fence = err
		}
		if ctx.Err() != nil || (u.fence == nil && !isWorthContinuing(err)) {
			return u.explain(err)
		}
		if u.durable > before {
			patience.renew()
		}
		if !patience.pause(ctx, retryAfter(err)) {
			return u.interrupted(ctx, err)
		}
	}
}

// begun is the upload as it is to be gone on with: begun anew, which fences whoever fills it, or as others left it.
func (u *upload) begun(ctx context.Context, patience *patience) (*assayv1.Upload, error) {
	if u.fence != nil {
		return u.leftByOthers(ctx, patience)
	}
	return u.begin(ctx)
}

func (u *upload) begin(ctx context.Context) (*assayv1.Upload, error) {
	begun, err := u.artifacts.BeginUpload(ctx, &assayv1.BeginUploadRequest{Upload: &assayv1.Upload{
		Name: u.name, Path: u.file.Path, SizeBytes: u.file.SizeBytes, Digest: u.file.Digest,
		MediaType: u.file.MediaType, Role: u.file.Role,
	}})
	if HasReason(err, assayv1.ErrorReason_ERROR_REASON_UPLOAD_NOT_OPEN) && !u.isRenamed {
		// It was given up before, or another content took its path meanwhile: nothing is there to resume.
		u.name, u.isRenamed = u.draft+"/uploads/"+newID(), true
		return u.begin(ctx)
	}
	return begun.GetUpload(), err
}

// leftByOthers looks on while somebody else, who pushes the same, fills the upload. Once it is complete, or all of it is
// durable, whoever is there may go on with the next step; it is taken over only if it has stood still for a while.
func (u *upload) leftByOthers(ctx context.Context, patience *patience) (*assayv1.Upload, error) {
	still := standsStill + rand.N(standsStill) // Of two who look on, one shall be first.
	seen, err := u.look(ctx)
	moved := time.Now()
	for err == nil && seen.GetState() == assayv1.UploadState_UPLOAD_STATE_OPEN && seen.GetDurableBytes() < u.file.SizeBytes {
		if time.Since(moved) > still {
			return u.begin(ctx)
		}
		if !patience.wait(ctx, lookPause+rand.N(lookPause)) {
			return nil, u.interrupted(ctx, u.fence)
		}
		now, problem := u.look(ctx)
		if now.GetDurableBytes() > seen.GetDurableBytes() {
			patience.renew()
		}
		if now.GetDurableBytes() != seen.GetDurableBytes() || now.GetEpoch() != seen.GetEpoch() {
			moved = time.Now()
		}
		seen, err = now, problem
	}
	if err == nil && seen.GetState() == assayv1.UploadState_UPLOAD_STATE_ABORTED {
		return u.begin(ctx)
	}
	return seen, err
}

func (u *upload) look(ctx context.Context) (*assayv1.Upload, error) {
	answer, err := u.artifacts.GetUpload(ctx, &assayv1.GetUploadRequest{Name: u.name})
	if err == nil {
		u.push.meter.set(u.file.Path, answer.GetUpload().GetDurableBytes(), u.file.SizeBytes)
	}
	return answer.GetUpload(), err
}

// attempt does what is left of the upload.
func (u *upload) attempt(ctx context.Context, begun *assayv1.Upload) error {
	u.fence = nil
	if begun.GetState() == assayv1.UploadState_UPLOAD_STATE_COMPLETE {
		return nil
	}
	u.durable = max(u.durable, begun.GetDurableBytes())
	offset := begun.GetDurableBytes()
	for offset < u.file.SizeBytes {
		end := min(offset+streamBytesMax, u.file.SizeBytes)
		var err error
		if offset, err = u.write(ctx, begun, offset, end); err != nil {
			return err
		}
		u.durable = max(u.durable, offset)
	}
	return u.commit(ctx)
}

// write sends one stream, and says how far the file is durable then.
func (u *upload) write(ctx context.Context, begun *assayv1.Upload, offset, end int64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silenceMax, func() { cancel(errSilent) })
	defer watchdog.Stop()
	stream, err := u.artifacts.WriteUpload(ctx)
	if err != nil {
		return 0, err
	}
	buffer := make([]byte, blockBytes)
	message := &assayv1.WriteUploadRequest{Upload: begun.GetName(), Epoch: begun.GetEpoch()}
	for offset < end {
		data := buffer[:min(blockBytes, end-offset)]
		if _, err := u.handle.ReadAt(data, offset); err != nil {
			return 0, u.changed(err)
		}
		message.Offset, message.Data = offset, data
		message.Crc32C = proto.Uint32(crc32.Checksum(data, castagnoli))
		if err := stream.Send(message); err != nil {
			break // CloseAndRecv knows why.
		}
		watchdog.Reset(silenceMax)
		message.Upload, message.Epoch = "", 0
		offset += int64(len(data))
		u.push.sent.Add(int64(len(data)))
		u.push.meter.set(u.file.Path, offset, u.file.SizeBytes)
	}
	// What the server has to make durable takes its time.
	watchdog.Reset(silenceMax + time.Duration(end/commitBytesPerSecond)*time.Second)
	answer, err := stream.CloseAndRecv()
	if errors.Is(err, io.EOF) {
		err = &Error{Code: codes.Unavailable, kinds: []error{ErrUnavailable, ErrUnreachable}, cause: err,
			Message: "The server ended the stream without an answer."}
	}
	if context.Cause(ctx) == errSilent {
		err = silent("took nothing of "+u.file.Path, silenceMax)
	}
	return answer.GetUpload().GetDurableBytes(), err
}

func (u *upload) commit(ctx context.Context) error {
	limit := u.push.client.writeDeadline + time.Duration(u.file.SizeBytes/commitBytesPerSecond)*time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := u.artifacts.CommitUpload(ctx, &assayv1.CommitUploadRequest{
		Name: u.name, Digest: u.file.Digest, SizeBytes: u.file.SizeBytes,
	})
	return err
}

// changed explains a file that is shorter than it was when it was hashed.
func (u *upload) changed(err error) error {
	if errors.Is(err, io.EOF) {
		return mismatch("%s became shorter while it was being pushed. Push it again when nothing writes to it.", u.file.source)
	}
	return localFailure("read", u.file.source, err)
}

// explain finds files that changed between hashing and sending: the server received other bytes than
// were promised.
func (u *upload) explain(err error) error {
	if !HasReason(err, assayv1.ErrorReason_ERROR_REASON_DIGEST_MISMATCH) {
		return err
	}
	failure := mismatch("%s has changed while it was being pushed: what arrived is not what was hashed. Push it again "+
		"when nothing writes to it.", u.file.source)
	failure.cause = err
	// What arrived is of no use; without this the next push of the same content would stumble over it.
	ctx, cancel := context.WithTimeout(context.Background(), u.push.client.writeDeadline)
	defer cancel()
	if _, err := u.artifacts.AbortUpload(ctx, &assayv1.AbortUploadRequest{Name: u.name}); err != nil {
		failure.Message += fmt.Sprintf(" (Its upload could not be given up: %v)", err)
	}
	return failure
}

func (u *upload) interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{
		Message: fmt.Sprintf("%s stands at %d of %d bytes and nothing moved for %s: %v Nothing is lost: push again to "+
			"go on from there.", u.file.Path, u.durable, u.file.SizeBytes, u.push.client.patience, err),
		Metadata: map[string]string{"draft": u.draft}, kinds: []error{ErrTransferInterrupted}, cause: err,
	}
}

func silent(what string, limit time.Duration) *Error {
	return &Error{Code: codes.Unavailable, kinds: []error{ErrUnavailable, ErrUnreachable},
		Message: fmt.Sprintf("The server %s for %s.", what, limit)}
}

// isWorthContinuing tells whether a transfer that failed so may go on from where it was.
func isWorthContinuing(err error) bool {
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrDeadlinePassed) {
		return true
	}
	for _, reason := range []assayv1.ErrorReason{
		assayv1.ErrorReason_ERROR_REASON_CHECKSUM_MISMATCH,
		assayv1.ErrorReason_ERROR_REASON_UPLOAD_OFFSET_WRONG,
		assayv1.ErrorReason_ERROR_REASON_TOO_MANY_UPLOADS,
		assayv1.ErrorReason_ERROR_REASON_TOO_MANY_CALLS,
		assayv1.ErrorReason_ERROR_REASON_CONFLICT,
	} {
		if HasReason(err, reason) {
			return true
		}
	}
	return false
}

func retryAfter(err error) time.Duration {
	var failure *Error
	if errors.As(err, &failure) {
		return failure.RetryAfter
	}
	return 0
}
