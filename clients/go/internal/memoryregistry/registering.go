package memoryregistry

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// CreateModel makes a model.
func (r *Registry) CreateModel(_ context.Context, request *assayv1.CreateModelRequest) (*assayv1.CreateModelResponse, error) {
	if err := r.note(Call{Method: "CreateModel", RequestID: request.RequestId}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	name := request.Parent + "/models/" + request.ModelId
	if r.models[name] != nil {
		return nil, Refuse(codes.AlreadyExists, assayv1.ErrorReason_ERROR_REASON_RESOURCE_EXISTS, name+" exists.", nil)
	}
	r.models[name] = &assayv1.Model{Name: name, Task: request.Model.GetTask()}
	return &assayv1.CreateModelResponse{Model: r.models[name], Revision: r.happened("CreateModel", name)}, nil
}

// CreateDraft makes a draft, or gives that of an earlier call with the same request id.
func (r *Registry) CreateDraft(_ context.Context, request *assayv1.CreateDraftRequest) (*assayv1.CreateDraftResponse, error) {
	if err := r.note(Call{Method: "CreateDraft", RequestID: request.RequestId}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.models[request.Parent] == nil {
		return nil, notFound(request.Parent)
	}
	name, known := r.requests[request.RequestId]
	if !known {
		name = fmt.Sprintf("%s/drafts/d%d", request.Parent, len(r.drafts)+1)
		r.requests[request.RequestId] = name
		draft := proto.CloneOf(request.Draft)
		draft.Name, draft.State = name, assayv1.DraftState_DRAFT_STATE_OPEN
		r.drafts[name] = draft
	}
	return &assayv1.CreateDraftResponse{Draft: &assayv1.Draft{Name: name, State: assayv1.DraftState_DRAFT_STATE_OPEN}, Revision: r.revision}, nil
}

// GetDraft reads a draft.
func (r *Registry) GetDraft(_ context.Context, request *assayv1.GetDraftRequest) (*assayv1.GetDraftResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.drafts[request.Name] == nil {
		return nil, notFound(request.Name)
	}
	return &assayv1.GetDraftResponse{Draft: proto.CloneOf(r.drafts[request.Name])}, nil
}

// SealDraft makes a version.
func (r *Registry) SealDraft(_ context.Context, request *assayv1.SealDraftRequest) (*assayv1.SealDraftResponse, error) {
	if err := r.note(Call{Method: "SealDraft", RequestID: request.RequestId}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	draft := r.drafts[request.Name]
	model, _, _ := strings.Cut(request.Name, "/drafts/")
	digest := r.ManifestDigest(draft.Files)
	if digest != request.ManifestDigest {
		return nil, Refuse(codes.DataLoss, assayv1.ErrorReason_ERROR_REASON_DIGEST_MISMATCH, "The files have "+digest, nil)
	}
	if version := r.sealed(model, digest); version != nil {
		return &assayv1.SealDraftResponse{Version: version, Existed: true}, nil
	}
	version := r.newVersion(model, &assayv1.ModelVersion{
		ManifestDigest: digest, Files: draft.Files, Facts: draft.Facts, Card: draft.Card, Tags: draft.Tags,
	})
	if request.Publish {
		publish(version)
	}
	r.versions[model] = append(r.versions[model], version)
	draft.State, draft.Version = assayv1.DraftState_DRAFT_STATE_SEALED, version.Name
	return &assayv1.SealDraftResponse{Version: version, Revision: r.happened("SealDraft", version.Name)}, nil
}

// GetVersion reads a version.
func (r *Registry) GetVersion(_ context.Context, request *assayv1.GetVersionRequest) (*assayv1.GetVersionResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	version := r.version(request.Name)
	if version == nil {
		return nil, notFound(request.Name)
	}
	return &assayv1.GetVersionResponse{Version: version, Revision: r.revision}, nil
}

// ListVersions lists versions, newest first; the page token is the number to go on from.
func (r *Registry) ListVersions(_ context.Context, request *assayv1.ListVersionsRequest) (*assayv1.ListVersionsResponse, error) {
	if err := r.note(Call{Method: "ListVersions"}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	versions := slices.Clone(r.versions[request.Parent])
	slices.Reverse(versions)
	start, _ := strconv.Atoi(request.PageToken)
	end := min(start+int(request.PageSize), len(versions))
	answer := &assayv1.ListVersionsResponse{Versions: versions[start:end]}
	if end < len(versions) {
		answer.NextPageToken = strconv.Itoa(end)
	}
	return answer, nil
}

// ResolveVersion finds numbers, aliases, digests and latest.
func (r *Registry) ResolveVersion(_ context.Context, request *assayv1.ResolveVersionRequest) (*assayv1.ResolveVersionResponse, error) {
	if err := r.note(Call{Method: "ResolveVersion"}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	model, wanted, _ := strings.Cut(request.Reference, "@")
	if parts := strings.Split(model, "/"); !strings.HasPrefix(model, "namespaces/") && len(parts) >= 2 {
		model = fmt.Sprintf("namespaces/%s/models/%s", parts[0], parts[1])
		if len(parts) == 3 {
			wanted = parts[2]
		}
	}
	for _, version := range slices.Backward(r.versions[model]) {
		alias := r.aliases[model+"/aliases/"+wanted]
		isReady := version.State == assayv1.VersionState_VERSION_STATE_READY
		if wanted == strconv.FormatInt(version.Number, 10) || wanted == version.ManifestDigest ||
			(wanted == "latest" && isReady) || (alias != nil && alias.VersionNumber == version.Number) {
			return &assayv1.ResolveVersionResponse{Version: version, Revision: r.revision}, nil
		}
	}
	if r.models[model] == nil {
		return nil, notFound(model)
	}
	return nil, Refuse(codes.NotFound, assayv1.ErrorReason_ERROR_REASON_NOTHING_RESOLVES,
		fmt.Sprintf("No version fits %s.", request.Reference), map[string]string{"reference": request.Reference})
}

// PublishVersion makes a version READY if an evaluation with an accuracy of 0.9 or more is there.
func (r *Registry) PublishVersion(_ context.Context, request *assayv1.PublishVersionRequest) (*assayv1.PublishVersionResponse, error) {
	if err := r.note(Call{Method: "PublishVersion", RequestID: request.RequestId}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	version := r.version(request.Name)
	if version == nil {
		return nil, notFound(request.Name)
	}
	verdict := r.verdict(request.Name, "publish")
	if !verdict.Open {
		return nil, gateClosed(verdict)
	}
	publish(version)
	return &assayv1.PublishVersionResponse{Version: version, Verdict: verdict, Revision: r.happened("PublishVersion", version.Name)}, nil
}

func publish(version *assayv1.ModelVersion) {
	version.State, version.Semver = assayv1.VersionState_VERSION_STATE_READY, fmt.Sprintf("1.0.%d", version.Number-1)
}

func gateClosed(verdict *assayv1.Verdict) error {
	failure := &errdetails.PreconditionFailure{}
	for _, finding := range verdict.Findings {
		failure.Violations = append(failure.Violations, &errdetails.PreconditionFailure_Violation{
			Type: "GATE_RULE", Subject: finding.Gate + "#" + finding.RuleId, Description: finding.Why,
		})
	}
	return Refuse(codes.FailedPrecondition, assayv1.ErrorReason_ERROR_REASON_GATE_CLOSED,
		"The gate publish is closed: "+verdict.Findings[0].Why,
		map[string]string{"version": verdict.Version, "gate_id": "publish"}, failure)
}

// SetAlias moves an alias by compare-and-set.
func (r *Registry) SetAlias(_ context.Context, request *assayv1.SetAliasRequest) (*assayv1.SetAliasResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	current := r.aliases[request.Name].GetVersionNumber()
	if request.ExpectedVersionNumber == nil && current != 0 || request.GetExpectedVersionNumber() != current {
		return nil, Refuse(codes.Aborted, assayv1.ErrorReason_ERROR_REASON_ALIAS_MOVED,
			fmt.Sprintf("%s points to %d.", request.Name, current),
			map[string]string{"resource": request.Name, "current_version_number": strconv.FormatInt(current, 10)})
	}
	r.aliases[request.Name] = &assayv1.Alias{Name: request.Name, VersionNumber: request.VersionNumber}
	return &assayv1.SetAliasResponse{Alias: r.aliases[request.Name], Revision: r.happened("SetAlias", request.Name)}, nil
}

// ImportEvaluation records an evaluation.
func (r *Registry) ImportEvaluation(_ context.Context, request *assayv1.ImportEvaluationRequest) (*assayv1.ImportEvaluationResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.version(request.Parent) == nil {
		return nil, notFound(request.Parent)
	}
	evaluation := proto.CloneOf(request.Evaluation)
	evaluation.Name = fmt.Sprintf("%s/evaluations/e%d", request.Parent, len(r.evaluations[request.Parent])+1)
	evaluation.Trust = assayv1.Trust_TRUST_TRUSTED
	r.evaluations[request.Parent] = append(r.evaluations[request.Parent], evaluation)
	return &assayv1.ImportEvaluationResponse{Evaluation: evaluation, Revision: r.happened("ImportEvaluation", evaluation.Name)}, nil
}

// SetGate takes note of nothing: the publish gate here is an accuracy of 0.9.
func (r *Registry) SetGate(_ context.Context, request *assayv1.SetGateRequest) (*assayv1.SetGateResponse, error) {
	if err := r.note(Call{Method: "SetGate", RequestID: request.RequestId}); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return &assayv1.SetGateResponse{Gate: request.Gate, Revision: r.happened("SetGate", request.Gate.GetName())}, nil
}

// CheckGate says what PublishVersion would say.
func (r *Registry) CheckGate(_ context.Context, request *assayv1.CheckGateRequest) (*assayv1.CheckGateResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return &assayv1.CheckGateResponse{Verdict: r.verdict(request.Version, request.GateId), Revision: r.revision}, nil
}

func (r *Registry) verdict(version, gate string) *assayv1.Verdict {
	finding := &assayv1.Finding{
		Gate: "namespaces/vision/gates/publish", RuleId: "accuracy", Metric: "accuracy", Required: "at least 0.9",
		Why: "accuracy was not measured, needs at least 0.9",
	}
	for _, evaluation := range r.evaluations[version] {
		for _, metric := range evaluation.Metrics {
			if metric.Metric == "accuracy" {
				finding.Met = metric.Value >= 0.9
				finding.Why = fmt.Sprintf("accuracy is %g, needs at least 0.9", metric.Value)
			}
		}
	}
	return &assayv1.Verdict{GateId: gate, Version: version, Open: finding.Met, Findings: []*assayv1.Finding{finding}}
}

func (r *Registry) version(name string) *assayv1.ModelVersion {
	model, number, _ := strings.Cut(name, "/versions/")
	index, err := strconv.Atoi(number)
	if err != nil || index < 1 || index > len(r.versions[model]) {
		return nil
	}
	return r.versions[model][index-1]
}

// Spoil changes a version that is there.
func (r *Registry) Spoil(name string, change func(*assayv1.ModelVersion)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	change(r.version(name))
}

// GetAlias reads an alias.
func (r *Registry) GetAlias(_ context.Context, request *assayv1.GetAliasRequest) (*assayv1.GetAliasResponse, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.aliases[request.Name] == nil {
		return nil, notFound(request.Name)
	}
	return &assayv1.GetAliasResponse{Alias: r.aliases[request.Name], Revision: r.revision}, nil
}
