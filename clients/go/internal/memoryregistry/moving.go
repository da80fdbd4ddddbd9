package memoryregistry

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

const blockBytes = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// BeginUpload announces a file; known content is complete at once.
func (r *Registry) BeginUpload(_ context.Context, request *assayv1.BeginUploadRequest) (*assayv1.BeginUploadResponse, error) {
	if err := r.note(Call{Method: "BeginUpload"}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	upload := r.uploads[request.Upload.Name]
	if upload == nil {
		upload = &stored{Upload: proto.CloneOf(request.Upload)}
		upload.State = assayv1.UploadState_UPLOAD_STATE_OPEN
		r.uploads[request.Upload.Name] = upload
	}
	if upload.State == assayv1.UploadState_UPLOAD_STATE_ABORTED {
		return nil, Refuse(codes.FailedPrecondition, assayv1.ErrorReason_ERROR_REASON_UPLOAD_NOT_OPEN, "It was given up.", nil)
	}
	upload.Epoch++
	if content, known := r.blobs[upload.Digest]; known {
		r.attach(upload, int64(len(content)))
	}
	return &assayv1.BeginUploadResponse{Upload: proto.CloneOf(upload.Upload)}, nil
}

// WriteUpload takes bytes; those received before a failure are durable.
func (r *Registry) WriteUpload(stream grpc.ClientStreamingServer[assayv1.WriteUploadRequest, assayv1.WriteUploadResponse]) error {
	var upload *stored
	var epoch int64
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			r.mutex.Lock()
			defer r.mutex.Unlock()
			return stream.SendAndClose(&assayv1.WriteUploadResponse{Upload: proto.CloneOf(upload.Upload)})
		}
		if err != nil {
			return err
		}
		if upload == nil {
			r.mutex.Lock()
			upload, epoch = r.uploads[message.Upload], message.Epoch
			r.mutex.Unlock()
			if upload == nil {
				return notFound(message.Upload)
			}
		}
		if err := r.note(Call{Method: "WriteUpload", Bytes: len(upload.content)}); err != nil {
			return err
		}
		if err := r.append(upload, epoch, message); err != nil {
			return err
		}
	}
}

func (r *Registry) append(upload *stored, epoch int64, message *assayv1.WriteUploadRequest) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if epoch != upload.Epoch {
		return Refuse(codes.Aborted, assayv1.ErrorReason_ERROR_REASON_UPLOAD_FENCED, "A later BeginUpload took this over.", nil)
	}
	if message.Offset != upload.DurableBytes {
		return Refuse(codes.OutOfRange, assayv1.ErrorReason_ERROR_REASON_UPLOAD_OFFSET_WRONG, "Not the next bytes.",
			map[string]string{"expected_offset": strconv.FormatInt(upload.DurableBytes, 10)})
	}
	if message.Crc32C != nil && crc32.Checksum(message.Data, castagnoli) != message.GetCrc32C() {
		return Refuse(codes.DataLoss, assayv1.ErrorReason_ERROR_REASON_CHECKSUM_MISMATCH, "Damaged.", nil)
	}
	upload.content = append(upload.content, message.Data...)
	upload.DurableBytes = int64(len(upload.content))
	return nil
}

// CommitUpload puts the file into its draft.
func (r *Registry) CommitUpload(_ context.Context, request *assayv1.CommitUploadRequest) (*assayv1.CommitUploadResponse, error) {
	if err := r.note(Call{Method: "CommitUpload", RequestID: request.RequestId}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	upload := r.uploads[request.Name]
	if actual := digestOf(upload.content); actual != request.Digest {
		return nil, Refuse(codes.DataLoss, assayv1.ErrorReason_ERROR_REASON_DIGEST_MISMATCH, "The bytes have "+actual,
			map[string]string{"expected": request.Digest, "actual": actual})
	}
	r.blobs[request.Digest] = upload.content
	upload.Digest = request.Digest
	file := r.attach(upload, request.SizeBytes)
	return &assayv1.CommitUploadResponse{File: file, Revision: r.happened("CommitUpload", request.Name)}, nil
}

func (r *Registry) attach(upload *stored, size int64) *assayv1.File {
	file := &assayv1.File{
		Path: upload.Path, SizeBytes: size, Digest: upload.Digest, MediaType: upload.MediaType, Role: upload.Role,
	}
	name, _, _ := strings.Cut(upload.Name, "/uploads/")
	draft := r.drafts[name]
	draft.Files = slices.DeleteFunc(draft.Files, func(other *assayv1.File) bool { return other.Path == file.Path })
	draft.Files = append(draft.Files, file)
	slices.SortFunc(draft.Files, func(a, b *assayv1.File) int { return strings.Compare(a.Path, b.Path) })
	upload.State = assayv1.UploadState_UPLOAD_STATE_COMPLETE
	return file
}

// GetUpload tells how far an upload is, and fences nobody.
func (r *Registry) GetUpload(_ context.Context, request *assayv1.GetUploadRequest) (*assayv1.GetUploadResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	upload := r.uploads[request.Name]
	if upload == nil {
		return nil, notFound(request.Name)
	}
	return &assayv1.GetUploadResponse{Upload: proto.CloneOf(upload.Upload)}, nil
}

// AbortUpload gives an upload up.
func (r *Registry) AbortUpload(_ context.Context, request *assayv1.AbortUploadRequest) (*assayv1.AbortUploadResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if upload := r.uploads[request.Name]; upload != nil {
		upload.State, upload.content, upload.DurableBytes = assayv1.UploadState_UPLOAD_STATE_ABORTED, nil, 0
	}
	return &assayv1.AbortUploadResponse{}, nil
}

// ReadArtifact sends a range of a file of a version.
func (r *Registry) ReadArtifact(request *assayv1.ReadArtifactRequest, stream grpc.ServerStreamingServer[assayv1.ReadArtifactResponse]) error {
	r.mutex.Lock()
	version := r.version(request.Name)
	var file *assayv1.File
	for _, other := range version.GetFiles() {
		if other.Path == request.Path {
			file = other
		}
	}
	content := r.blobs[file.GetDigest()]
	r.mutex.Unlock()
	if file == nil {
		return notFound(request.Name)
	}
	end := int64(len(content))
	if request.Length > 0 {
		end = request.Offset + request.Length
	}
	if request.Offset > int64(len(content)) || end > int64(len(content)) {
		return Refuse(codes.OutOfRange, assayv1.ErrorReason_ERROR_REASON_RANGE_PAST_END,
			fmt.Sprintf("%s has %d bytes.", request.Path, len(content)), map[string]string{"size_bytes": strconv.Itoa(len(content))})
	}
	first := &assayv1.ReadArtifactResponse{File: file, Offset: request.Offset}
	if err := stream.Send(first); err != nil {
		return err
	}
	for offset := request.Offset; offset < end; offset += blockBytes {
		if err := r.note(Call{Method: "ReadArtifact", Bytes: int(offset)}); err != nil {
			return err
		}
		data := content[offset:min(offset+blockBytes, end)]
		if err := stream.Send(&assayv1.ReadArtifactResponse{Offset: offset, Data: data, Crc32C: crc32.Checksum(data, castagnoli)}); err != nil {
			return err
		}
	}
	return nil
}

// sendState sends what was made until now, one thing a message, and gives the revision.
func (r *Registry) sendState(request *assayv1.WatchRequest, stream grpc.ServerStreamingServer[assayv1.WatchResponse]) (int64, error) {
	r.mutex.Lock()
	at, sent := r.revision, int64(0)
	r.mutex.Unlock()
	if token := request.InitialStateToken; token != "" {
		if _, err := fmt.Sscanf(token, "%d/%d", &at, &sent); err != nil {
			return 0, err
		}
	}
	for ; sent < at; sent++ {
		if err := r.note(Call{Method: "Watch", Bytes: int(sent + 1)}); err != nil {
			return 0, err
		}
		r.mutex.Lock()
		made := r.events[sent].Events
		r.mutex.Unlock()
		part := &assayv1.WatchResponse{Events: made, InitialStateToken: fmt.Sprintf("%d/%d", at, sent+1)}
		if err := stream.Send(part); err != nil {
			return 0, err
		}
	}
	return at, stream.Send(&assayv1.WatchResponse{Revision: at, InitialStateComplete: true})
}

// Watch sends what happened and what happens.
func (r *Registry) Watch(request *assayv1.WatchRequest, stream grpc.ServerStreamingServer[assayv1.WatchResponse]) error {
	next := request.StartRevision
	if request.SendInitialState {
		at, err := r.sendState(request, stream)
		if err != nil {
			return err
		}
		next = at + 1
	}
	for {
		r.mutex.Lock()
		if next == 0 {
			next = r.revision + 1
		}
		var pending []*assayv1.WatchResponse
		if next <= r.revision {
			pending = r.events[next-1:]
		}
		changed := r.changed
		r.mutex.Unlock()
		for _, answer := range pending {
			if err := r.note(Call{Method: "Watch", Bytes: int(answer.Revision)}); err != nil {
				return err
			}
			if err := stream.Send(answer); err != nil {
				return err
			}
			next = answer.Revision + 1
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// WhoAmI names the only user.
func (r *Registry) WhoAmI(context.Context, *assayv1.WhoAmIRequest) (*assayv1.WhoAmIResponse, error) {
	if err := r.note(Call{Method: "WhoAmI"}); err != nil {
		return nil, err
	}
	return &assayv1.WhoAmIResponse{Principal: "spiffe://example.org/tester", ServerVersion: "memory"}, nil
}

// ListNamespaces tells the revision.
func (r *Registry) ListNamespaces(context.Context, *assayv1.ListNamespacesRequest) (*assayv1.ListNamespacesResponse, error) {
	r.mutex.Lock()
	revision := r.revision
	r.mutex.Unlock()
	return &assayv1.ListNamespacesResponse{Revision: revision}, r.note(Call{Method: "ListNamespaces"})
}
