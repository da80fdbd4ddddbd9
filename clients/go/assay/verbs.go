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
