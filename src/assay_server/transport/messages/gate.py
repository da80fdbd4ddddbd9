"""Gates, their rules, and verdicts on the wire."""

from collections.abc import Callable, Mapping
from typing import Protocol

from assay.v1 import gate_pb2
from assay_server.domain.errors import InvalidField
from assay_server.domain.gate_rules import validate_gate
from assay_server.domain.gates import (
    ChampionChange,
    Comparison,
    Condition,
    Finding,
    Gate,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    Verdict,
    WorstSlice,
)
from assay_server.domain.names import evaluation_name, gate_name, version_name
from assay_server.transport.translating.enums import from_enum, to_enum
from assay_server.transport.translating.timestamps import to_timestamp

CHAMPION = "champion"
"""The alias that a new version is compared with unless a rule names another."""


class Numbered(Protocol):
    """What names a version: its name taken apart, or the version itself."""

    @property
    def namespace_id(self) -> str: ...
    @property
    def model_id(self) -> str: ...
    @property
    def number(self) -> int: ...


def to_message(gate: Gate) -> gate_pb2.Gate:
    """Translate for an answer."""
    return gate_pb2.Gate(
        name=gate_name(gate.namespace_id, gate.model_id, gate.gate_id),
        rules=map(_rule_message, gate.rules),
        dataset_digest=gate.dataset_digest,
        description=gate.description,
        updated_by=gate.updated_by,
        update_time=to_timestamp(gate.update_time),
        etag=gate.etag,
    )


def rules_of(message: gate_pb2.Gate) -> tuple[Rule, ...]:
    """Translate and check the rules of a request.

    Raises:
        InvalidField: A rule has no condition, or breaks its limits.
        InvalidName: A rule id or an alias breaks its grammar.
    """
    rules = (_rule(rule, f"gate.rules[{index}]") for index, rule in enumerate(message.rules))
    return validate_gate(tuple(rules))


def verdict_message(verdict: Verdict | None, judged: Numbered) -> gate_pb2.Verdict | None:
    """Translate what the gates said of the version ``judged``; None stays absent."""
    if verdict is None:
        return None
    name = version_name(judged.namespace_id, judged.model_id, judged.number)
    return gate_pb2.Verdict(
        gate_id=verdict.gate_id,
        version=name,
        open=verdict.is_open,
        findings=(_finding_message(finding, judged) for finding in verdict.findings),
        evaluations=(_evaluation(judged, each) for each in verdict.evaluation_ids),
    )


def _finding_message(finding: Finding, judged: Numbered) -> gate_pb2.Finding:
    return gate_pb2.Finding(
        gate=finding.gate,
        rule_id=finding.rule_id,
        met=finding.is_met,
        observed=finding.observed,
        required=finding.required,
        why=finding.why,
        metric=finding.metric,
        slice=finding.slice_label,
        evaluation=_evaluation(judged, finding.evaluation_id) if finding.evaluation_id else "",
    )


def _evaluation(judged: Numbered, evaluation_id: str) -> str:
    return evaluation_name(judged.namespace_id, judged.model_id, judged.number, evaluation_id)


def _rule(message: gate_pb2.Rule, field: str) -> Rule:
    kind = message.WhichOneof("condition")
    if kind is None:
        raise InvalidField(field, "has no condition; set one, such as threshold")
    return Rule(message.rule_id, _CONDITIONS[kind](message, f"{field}.{kind}"))


def _threshold(rule: gate_pb2.Rule, field: str) -> Condition:
    message = rule.threshold
    return Threshold(message.metric, _comparison(message.comparison, field), message.bound)


def _champion_change(rule: gate_pb2.Rule, _field: str) -> Condition:
    message = rule.champion_change
    return ChampionChange(
        message.metric,
        message.worsening_max,
        is_relative=message.relative,
        alias_id=message.alias or CHAMPION,
    )


def _worst_slice(rule: gate_pb2.Rule, field: str) -> Condition:
    message = rule.worst_slice
    comparison = _comparison(message.comparison, field)
    return WorstSlice(message.metric, comparison, message.bound, dimension=message.dimension)


def _slice_gap(rule: gate_pb2.Rule, _field: str) -> Condition:
    message = rule.slice_gap
    return SliceGap(message.metric, message.gap_max, dimension=message.dimension)


def _minimum_samples(rule: gate_pb2.Rule, _field: str) -> Condition:
    message = rule.minimum_samples
    return MinimumSamples(message.sample_count_min, per_slice=message.per_slice)


def _trusted_evaluator(rule: gate_pb2.Rule, _field: str) -> Condition:
    return TrustedEvaluator(tuple(rule.trusted_evaluator.principals))


_CONDITIONS: Mapping[str, Callable[[gate_pb2.Rule, str], Condition]] = {
    "threshold": _threshold,
    "champion_change": _champion_change,
    "worst_slice": _worst_slice,
    "slice_gap": _slice_gap,
    "minimum_samples": _minimum_samples,
    "trusted_evaluator": _trusted_evaluator,
}


def _comparison(number: int, field: str) -> Comparison:
    return from_enum(number, gate_pb2.Comparison, Comparison, field=f"{field}.comparison")


def _rule_message(rule: Rule) -> gate_pb2.Rule:
    match rule.condition:
        case Threshold(metric, comparison, bound):
            threshold = gate_pb2.Threshold(
                metric=metric, comparison=to_enum(comparison, gate_pb2.Comparison), bound=bound
            )
            return gate_pb2.Rule(rule_id=rule.rule_id, threshold=threshold)
        case ChampionChange(metric, worsening_max, is_relative, alias_id):
            change = gate_pb2.ChampionChange(
                metric=metric, worsening_max=worsening_max, relative=is_relative, alias=alias_id
            )
            return gate_pb2.Rule(rule_id=rule.rule_id, champion_change=change)
        case WorstSlice(metric, comparison, bound, dimension):
            worst = gate_pb2.WorstSlice(
                metric=metric,
                comparison=to_enum(comparison, gate_pb2.Comparison),
                bound=bound,
                dimension=dimension,
            )
            return gate_pb2.Rule(rule_id=rule.rule_id, worst_slice=worst)
        case SliceGap(metric, gap_max, dimension):
            gap = gate_pb2.SliceGap(metric=metric, gap_max=gap_max, dimension=dimension)
            return gate_pb2.Rule(rule_id=rule.rule_id, slice_gap=gap)
        case MinimumSamples(sample_count_min, per_slice):
            samples = gate_pb2.MinimumSamples(
                sample_count_min=sample_count_min, per_slice=per_slice
            )
            return gate_pb2.Rule(rule_id=rule.rule_id, minimum_samples=samples)
        case TrustedEvaluator(principals):
            trusted = gate_pb2.TrustedEvaluator(principals=principals)
            return gate_pb2.Rule(rule_id=rule.rule_id, trusted_evaluator=trusted)
