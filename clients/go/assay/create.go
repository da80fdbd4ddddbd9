package assay

import (
	"context"
	"errors"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

const (
	// atOnceBytesMax is up to where a push asks first whether the server has everything; what is larger
	// is new weights more often than not. It is the same in every client.
	atOnceBytesMax = 64 << 20
	// atOnceFilesMax is some 200 KiB of a message that has room for 4 MiB.
	atOnceFilesMax = 1000
)

// ofKnown makes the version, if the server has all that it is made of; nil says that a draft is to be filled.
func (p *push) ofKnown(ctx context.Context) (*Pushed, error) {
	if p.options.Draft != "" || !p.isSmall() {
		return nil, nil
	}
	request := &assayv1.CreateVersionRequest{
		Parent: p.parent, Publish: p.options.Publish, Bump: p.options.Bump, Semver: p.options.Semver,
		Version: &assayv1.ModelVersion{
			Files: p.manifest(), Facts: p.options.Facts, Tags: p.options.Tags,
			Description: p.options.Description, Card: p.options.Card,
		},
	}
	request.ManifestDigest = ManifestDigest(p.manifest())
	made, err := p.client.Registry().CreateVersion(ctx, request)
	if HasReason(err, assayv1.ErrorReason_ERROR_REASON_FILES_MISSING) || errors.Is(err, ErrMethodUnknown) ||
		errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, file := range p.files {
		p.meter.set(file.Path, file.SizeBytes, file.SizeBytes)
	}
	return &Pushed{Version: made.GetVersion(), Existed: made.GetExisted(), Revision: made.GetRevision()}, nil
}

// isSmall tells whether asking first is worth a call.
func (p *push) isSmall() bool {
	var size int64
	for _, file := range p.files {
		size += file.SizeBytes
	}
	return len(p.files) <= atOnceFilesMax && size <= atOnceBytesMax
}
