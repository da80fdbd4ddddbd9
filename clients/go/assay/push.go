package assay

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// filesAtOnce is how many files move at the same time unless the caller says otherwise.
const filesAtOnce = 4

// PushOptions say what is sealed besides the files.
type PushOptions struct {
	// Facts are what callers and gates need to know: signature, runtime, format, lineage.
	Facts *assayv1.Facts
	// Description says what is special about this version.
	Description string
	// Card is a model card in Markdown.
	Card string
	// Tags are key-value pairs to find it by.
	Tags map[string]string

	// Publish makes the version READY in the same step. Where a gate is closed, nothing is sealed:
	// push without it, then evaluate, then publish.
	Publish bool
	// Bump is, with Publish, the part of the semantic version that grows.
	Bump assayv1.Bump
	// Semver is, with Publish, the semantic version itself.
	Semver string

	// NewModel, if set, creates the model with this content where there is none.
	NewModel *assayv1.Model
	// Exclude leaves out files and directories by patterns of path.Match, on name or relative path.
	Exclude []string
	// Describe, if set, gives media type and role of a file; empty strings keep what its name tells.
	Describe func(path string) (mediaType, role string)

	// Draft, if set, is the draft to go on with. Without it, a push of the same files with the same
	// options goes on with the draft of the last one, for 7 days.
	Draft string
	// FilesAtOnce is how many files are sent at the same time; 4 when 0.
	FilesAtOnce int
	// Progress, if set, is told how far the push is, often, by one goroutine at a time.
	Progress func(Progress)
}

// Pushed is the version that Push or CreateVersion made.
type Pushed struct {
	// Version is the sealed version.
	Version *assayv1.ModelVersion
	// Existed is true where the model had a version with the same files and facts already.
	Existed bool
	// SentBytes is how much was sent: less than the files have where the server knew some already.
	SentBytes int64
	// Revision is that of the change; 0 where an earlier push had sealed the version, and the newest
	// where there was nothing to change.
	Revision int64
}

// Push makes a version of a file or of a directory: it creates a draft, uploads what the server does not
// have, and seals. Up to 64 MiB it asks first whether the server has everything, and is done then, without a
// draft. The model is named like "vision/digits".
//
// Files are read once to hash them and once to send them, in bounded memory. After a break Push goes on
// from what the server holds for certain, until nothing moved for as long as [WithPatience] says; calling
// it again, even after a restart, goes on as well. Links, devices and names that could not exist on every
// machine are refused with [ErrUnsafeFile] before anything moves.
func (c *Client) Push(ctx context.Context, model, source string, options PushOptions) (*Pushed, error) {
	parent, err := ModelName(model)
	if err != nil {
		return nil, err
	}
	files, err := findFiles(source, options.Exclude)
	if err != nil {
		return nil, err
	}
	if options.Describe != nil {
		for _, file := range files {
			mediaType, role := options.Describe(file.Path)
			if mediaType != "" {
				file.MediaType = mediaType
			}
			if role != "" {
				file.Role = role
			}
		}
	}
	push := &push{client: c, options: options, parent: parent, files: files}
	pushed, err := push.run(ctx)
	if err != nil {
		return nil, c.failureOf(ctx, err)
	}
	return pushed, nil
}

// push is one push under way.
type push struct {
	client  *Client
	options PushOptions
	parent  string
	files   []*localFile
	meter   *meter
	sent    atomic.Int64
}

func (p *push) run(ctx context.Context) (*Pushed, error) {
	atOnce := p.options.FilesAtOnce
	if atOnce <= 0 {
		atOnce = filesAtOnce
	}
	if err := p.hash(ctx, atOnce); err != nil {
		return nil, err
	}
	if made, err := p.ofKnown(ctx); made != nil || err != nil {
		return made, err
	}
	draft, err := p.draft(ctx)
	if err != nil {
		return nil, err
	}
	if draft.GetState() == assayv1.DraftState_DRAFT_STATE_SEALED {
		return p.sealedBefore(ctx, draft)
	}
	present := map[string]string{}
	for _, file := range draft.GetFiles() {
		present[file.GetPath()] = file.GetDigest()
	}
	err = inParallel(ctx, atOnce, p.files, func(ctx context.Context, number int, file *localFile) error {
		if present[file.Path] == file.Digest {
			p.meter.set(file.Path, file.SizeBytes, file.SizeBytes)
			return nil
		}
		return p.upload(ctx, number, draft.GetName(), file)
	})
	if err != nil {
		return p.sealedMeanwhile(ctx, draft.GetName(), err)
	}
	return p.seal(ctx, draft.GetName())
}

// hash reads every file once, and knows then how much there is to send.
func (p *push) hash(ctx context.Context, atOnce int) error {
	var listed, total int64
	for _, file := range p.files {
		listed += file.seen.Size()
	}
	progress := newMeter(StepHashing, p.options.Progress, listed)
	err := inParallel(ctx, atOnce, p.files, func(ctx context.Context, _ int, file *localFile) error {
		return file.hash(ctx, progress)
	})
	for _, file := range p.files {
		total += file.SizeBytes
	}
	p.meter = newMeter(StepSending, p.options.Progress, total)
	return err
}

// draft finds the draft to fill: the one that was named, or the one of an earlier push of the same
// content, or a new one.
func (p *push) draft(ctx context.Context) (*assayv1.Draft, error) {
	if p.options.Draft != "" {
		answer, err := p.client.Registry().GetDraft(ctx, &assayv1.GetDraftRequest{Name: p.options.Draft})
		return answer.GetDraft(), err
	}
	request := &assayv1.CreateDraftRequest{Parent: p.parent, Draft: &assayv1.Draft{
		Facts: p.options.Facts, Description: p.options.Description, Card: p.options.Card, Tags: p.options.Tags,
	}}
	request.RequestId = p.requestID(request)
	created, err := p.client.Registry().CreateDraft(ctx, request)
	if p.options.NewModel != nil && errors.Is(err, ErrNotFound) {
		if err = p.createModel(ctx); err == nil {
			created, err = p.client.Registry().CreateDraft(ctx, request)
		}
	}
	if err != nil {
		return nil, err
	}
	// The answer may be that to an earlier push: what the draft is now is another question.
	now, err := p.client.Registry().GetDraft(ctx, &assayv1.GetDraftRequest{Name: created.GetDraft().GetName()})
	if errors.Is(err, ErrNotFound) || now.GetDraft().GetState() == assayv1.DraftState_DRAFT_STATE_ABANDONED {
		request.RequestId = ""
		created, err = p.client.Registry().CreateDraft(ctx, request)
		return created.GetDraft(), err
	}
	return now.GetDraft(), err
}

// requestID is the same for the same push, so that the server answers a repetition with the same draft.
func (p *push) requestID(request *assayv1.CreateDraftRequest) string {
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return "" // The call will say what is wrong with the text.
	}
	return derivedID(fmt.Sprintf("%s/pushes/%s/%x", p.parent, ManifestDigest(p.manifest()), content))
}

func (p *push) manifest() []*assayv1.File {
	files := make([]*assayv1.File, len(p.files))
	for number, file := range p.files {
		files[number] = file.File
	}
	return files
}

func (p *push) createModel(ctx context.Context) error {
	namespace, id, err := splitModel(p.parent)
	if err != nil {
		return err
	}
	_, err = p.client.Registry().CreateModel(ctx, &assayv1.CreateModelRequest{
		Parent: namespace, ModelId: id, Model: p.options.NewModel,
	})
	if errors.Is(err, ErrAlreadyExists) {
		return nil // Someone else was faster.
	}
	return err
}

func (p *push) seal(ctx context.Context, draft string) (*Pushed, error) {
	answer, err := p.client.Registry().SealDraft(ctx, &assayv1.SealDraftRequest{
		Name: draft, ManifestDigest: ManifestDigest(p.manifest()),
		Publish: p.options.Publish, Bump: p.options.Bump, Semver: p.options.Semver,
	})
	if err != nil {
		return p.sealedMeanwhile(ctx, draft, err)
	}
	return &Pushed{answer.GetVersion(), answer.GetExisted(), p.sent.Load(), answer.GetRevision()}, nil
}

// sealedMeanwhile finds out whether err is that a push of the same content at the same time was faster.
func (p *push) sealedMeanwhile(ctx context.Context, draft string, err error) (*Pushed, error) {
	if HasReason(err, assayv1.ErrorReason_ERROR_REASON_DRAFT_NOT_OPEN) {
		sealed, problem := p.client.Registry().GetDraft(ctx, &assayv1.GetDraftRequest{Name: draft})
		if problem == nil && sealed.GetDraft().GetVersion() != "" {
			return p.sealedBefore(ctx, sealed.GetDraft())
		}
	}
	return nil, err
}

// sealedBefore goes on where an earlier push ended between sealing and telling.
func (p *push) sealedBefore(ctx context.Context, draft *assayv1.Draft) (*Pushed, error) {
	answer, err := p.client.Registry().GetVersion(ctx, &assayv1.GetVersionRequest{Name: draft.GetVersion()})
	if err != nil {
		return nil, err
	}
	pushed := &Pushed{Version: answer.GetVersion(), Existed: true, SentBytes: p.sent.Load()}
	switch state := pushed.Version.GetState(); {
	case state == assayv1.VersionState_VERSION_STATE_READY, state == assayv1.VersionState_VERSION_STATE_DEPRECATED:
		return pushed, nil
	case !p.options.Publish && state == assayv1.VersionState_VERSION_STATE_DELETED:
		return nil, deletedBefore(draft.GetVersion())
	case !p.options.Publish:
		return pushed, nil
	}
	// What was yanked or deleted the server refuses, and says why.
	published, err := p.client.Publish(ctx, draft.GetVersion(), PublishOptions{Bump: p.options.Bump, Semver: p.options.Semver})
	if err != nil {
		return nil, err
	}
	pushed.Version, pushed.Revision = published.GetVersion(), published.GetRevision()
	return pushed, nil
}

// deletedBefore is what the server says of other drafts with the same content.
func deletedBefore(version string) *Error {
	return &Error{Code: codes.FailedPrecondition, kinds: []error{ErrNotPossibleNow}, Reason: "TRANSITION_ILLEGAL",
		Message: fmt.Sprintf("%s has this content, and was deleted. Undelete it instead of pushing it again.", ShortName(version))}
}
