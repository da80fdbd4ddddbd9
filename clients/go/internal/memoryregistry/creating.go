package memoryregistry

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// CreateVersion makes a version of files that versions have already. To publish, it asks the gate as
// PublishVersion does: of a version that is new nothing was measured.
func (r *Registry) CreateVersion(_ context.Context, request *assayv1.CreateVersionRequest) (*assayv1.CreateVersionResponse, error) {
	if err := r.note(Call{Method: "CreateVersion", RequestID: request.RequestId}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.models[request.Parent] == nil {
		return nil, notFound(request.Parent)
	}
	wanted := proto.CloneOf(request.Version)
	wanted.ManifestDigest = r.ManifestDigest(wanted.Files)
	if request.ManifestDigest != "" && request.ManifestDigest != wanted.ManifestDigest {
		return nil, Refuse(codes.DataLoss, assayv1.ErrorReason_ERROR_REASON_DIGEST_MISMATCH,
			"The files have "+wanted.ManifestDigest, nil)
	}
	if missing := r.missing(wanted.Files); len(missing) > 0 {
		return nil, Refuse(codes.FailedPrecondition, assayv1.ErrorReason_ERROR_REASON_FILES_MISSING, "Bring them in with a draft.",
			map[string]string{"model": request.Parent, "paths": strings.Join(missing, ", ")})
	}
	version := r.sealed(request.Parent, wanted.ManifestDigest)
	existed := version != nil
	if !existed {
		version = r.newVersion(request.Parent, wanted)
	}
	isToPublish := request.Publish && version.State == assayv1.VersionState_VERSION_STATE_CANDIDATE
	if existed && !isToPublish {
		return &assayv1.CreateVersionResponse{Version: version, Existed: true, Revision: r.revision}, nil
	}
	if isToPublish {
		if verdict := r.verdict(version.Name, "publish"); !verdict.Open {
			return nil, gateClosed(verdict)
		}
		publish(version)
	}
	if !existed {
		r.versions[request.Parent] = append(r.versions[request.Parent], version)
	}
	return &assayv1.CreateVersionResponse{
		Version: version, Existed: existed, Revision: r.happened("CreateVersion", version.Name),
	}, nil
}

// missing names the files that no version has; what lies in drafts does not count.
func (r *Registry) missing(files []*assayv1.File) []string {
	held := map[string]int64{}
	for _, versions := range r.versions {
		for _, version := range versions {
			for _, file := range version.Files {
				held[file.Digest] = file.SizeBytes
			}
		}
	}
	var paths []string
	for _, file := range files {
		if size, isHeld := held[file.Digest]; !isHeld || size != file.SizeBytes {
			paths = append(paths, file.Path)
		}
	}
	return paths
}

// sealed finds the version of a model that has these files.
func (r *Registry) sealed(model, manifestDigest string) *assayv1.ModelVersion {
	for _, version := range r.versions[model] {
		if version.ManifestDigest == manifestDigest {
			return version
		}
	}
	return nil
}

// newVersion numbers what is to be the next version of a model; it is not among the others yet.
func (r *Registry) newVersion(model string, of *assayv1.ModelVersion) *assayv1.ModelVersion {
	version := proto.CloneOf(of)
	version.Number = int64(len(r.versions[model]) + 1)
	version.Name = fmt.Sprintf("%s/versions/%d", model, version.Number)
	version.State, version.CreatedBy = assayv1.VersionState_VERSION_STATE_CANDIDATE, "tester"
	version.FileCount = int32(len(version.Files))
	for _, file := range version.Files {
		version.SizeBytes += file.SizeBytes
	}
	return version
}
