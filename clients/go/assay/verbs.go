package assay

import (
	"context"

	"google.golang.org/protobuf/proto"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// WhoAmI tells which principal the server sees, and what roles it has where.
func (c *Client) WhoAmI(ctx context.Context) (*assayv1.WhoAmIResponse, error) {
	return c.Access().WhoAmI(ctx, &assayv1.WhoAmIRequest{})
}

// CreateVersionOptions say whether a version is published as it is made. The zero value makes a candidate.
type CreateVersionOptions struct {
	// Publish makes the version READY in the same step. Where a gate is closed, nothing is made.
	Publish bool
	// Bump is, with Publish, the part of the semantic version that grows.
	Bump assayv1.Bump
	// Semver is, with Publish, the semantic version itself; it excludes Bump.
	Semver string
}

// CreateVersion makes a version, in one call and without a transfer, of files that versions in the
// namespace have already. Of version it takes files (path, size and digest of each, such as those of
// another version), facts, description, card and tags; the server sets all else.
//
// While you may not download the content of some file from anywhere there, it fails with
// [ErrNotPossibleNow] and the reason FILES_MISSING, and Error.Violations names every such file: push them.
// While a gate is closed it fails with [ErrGateClosed]. It is safe to repeat.
func (c *Client) CreateVersion(
	ctx context.Context, model string, version *assayv1.ModelVersion, options CreateVersionOptions,
) (*Pushed, error) {
	parent, err := ModelName(model)
	if err != nil {
		return nil, err
	}
	answer, err := c.Registry().CreateVersion(ctx, &assayv1.CreateVersionRequest{
		Parent: parent, Publish: options.Publish, Bump: options.Bump, Semver: options.Semver,
		Version: &assayv1.ModelVersion{
			Files: version.GetFiles(), Facts: version.GetFacts(), Tags: version.GetTags(),
			Description: version.GetDescription(), Card: version.GetCard(),
		},
	})
	if err != nil {
		return nil, err
	}
	return &Pushed{Version: answer.GetVersion(), Existed: answer.GetExisted(), Revision: answer.GetRevision()}, nil
}

// PublishOptions say which semantic version a published version gets. The zero value lets the server
// infer it from what changed.
type PublishOptions struct {
	// Bump is the part that grows.
	Bump assayv1.Bump
	// Semver is the semantic version itself; it excludes Bump.
	Semver string
	// Etag, if set, must still be that of the version.
	Etag string
}

// Publish asks the gates and makes a version READY. While a gate is closed it fails with
// [ErrGateClosed], and Error.Violations names every unmet rule.
func (c *Client) Publish(ctx context.Context, reference string, options PublishOptions) (*assayv1.PublishVersionResponse, error) {
	name, err := c.VersionName(ctx, reference)
	if err != nil {
		return nil, err
	}
	return c.Registry().PublishVersion(ctx, &assayv1.PublishVersionRequest{
		Name: name, Bump: options.Bump, Semver: options.Semver, Etag: options.Etag,
	})
}

// Move says where an alias goes.
type Move struct {
	// To is the number of the version to point to; it must be published.
	To int64
	// From is the number that the alias points to now, 0 while it must not exist.
	From int64
	// Reason is for the people who read the history.
	Reason string
}

// SetAlias moves an alias such as "vision/digits@champion" by compare-and-set: where it does not point
// to move.From any more, it fails with [ErrAliasMoved], and Error.Int("current_version_number") tells
// where it points.
func (c *Client) SetAlias(ctx context.Context, alias string, move Move) (*assayv1.SetAliasResponse, error) {
	name, err := AliasName(alias)
	if err != nil {
		return nil, err
	}
	return c.Registry().SetAlias(ctx, &assayv1.SetAliasRequest{
		Name: name, VersionNumber: move.To, ExpectedVersionNumber: proto.Int64(move.From), Reason: move.Reason,
	})
}

// Evaluate records what was measured of a version (ImportEvaluation). The evaluation needs a dataset
// with a digest, a sample count, and metrics: see [HigherIsBetter] and [LowerIsBetter].
func (c *Client) Evaluate(ctx context.Context, reference string, evaluation *assayv1.Evaluation) (*assayv1.Evaluation, error) {
	name, err := c.VersionName(ctx, reference)
	if err != nil {
		return nil, err
	}
	answer, err := c.Evaluations().ImportEvaluation(ctx, &assayv1.ImportEvaluationRequest{Parent: name, Evaluation: evaluation})
	return answer.GetEvaluation(), err
}

// HigherIsBetter makes a metric such as accuracy. The unit may be empty.
func HigherIsBetter(metric string, value float64, unit string) *assayv1.Metric {
	return &assayv1.Metric{Metric: metric, Value: value, Unit: unit, Direction: assayv1.Direction_DIRECTION_HIGHER_IS_BETTER}
}

// LowerIsBetter makes a metric such as latency. The unit may be empty.
func LowerIsBetter(metric string, value float64, unit string) *assayv1.Metric {
	return &assayv1.Metric{Metric: metric, Value: value, Unit: unit, Direction: assayv1.Direction_DIRECTION_LOWER_IS_BETTER}
}

// CheckGate says what the gates would answer to a move of a version now, rule by rule, without moving
// anything. The gate is "publish", or "alias-" and an alias.
func (c *Client) CheckGate(ctx context.Context, reference, gate string) (*assayv1.Verdict, error) {
	name, err := c.VersionName(ctx, reference)
	if err != nil {
		return nil, err
	}
	answer, err := c.Evaluations().CheckGate(ctx, &assayv1.CheckGateRequest{Version: name, GateId: gate})
	return answer.GetVerdict(), err
}
