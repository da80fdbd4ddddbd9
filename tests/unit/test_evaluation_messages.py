"""Evaluations and gates between the wire and the domain."""

import math

import pytest

from assay.v1 import evaluation_pb2, facts_pb2, gate_pb2
from assay_server.domain.errors import InvalidField, InvalidInput, InvalidMetric
from assay_server.domain.gates import (
    ChampionChange,
    Comparison,
    Gate,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    WorstSlice,
)
from assay_server.domain.names import VersionName
from assay_server.transport.messages import evaluation, gate
from tests.unit.making import NOON, make_evaluation, make_metric, make_slice

VERSION = VersionName("vision", "digits", 7)
HIGHER = evaluation_pb2.DIRECTION_HIGHER_IS_BETTER

RULES = (
    Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.9)),
    Rule("not-worse", ChampionChange("accuracy", 0.01, is_relative=True, alias_id="champion")),
    Rule("worst-class", WorstSlice("accuracy", Comparison.AT_LEAST, 0.8, dimension="class")),
    Rule("gap", SliceGap("accuracy", 0.1)),
    Rule("samples", MinimumSamples(100, per_slice=True)),
    Rule("trusted", TrustedEvaluator(("spiffe://lab/eve",))),
)


def message_of(**changes: object) -> evaluation_pb2.Evaluation:
    metric = evaluation_pb2.Metric(metric="accuracy", value=0.9, direction=HIGHER)
    fields: dict[str, object] = {
        "dataset": facts_pb2.DatasetReference(digest="sha256:" + "d" * 64),
        "metrics": [metric],
        "sample_count": 100,
    }
    return evaluation_pb2.Evaluation(**{**fields, **changes})  # type: ignore[arg-type]


def test_what_was_measured_comes_back_from_the_wire_as_it_went() -> None:
    measured = make_evaluation(
        make_metric("accuracy", 0.97),
        make_metric("latency_p99", 12.5, lower_is_better=True, unit="ms"),
        slices=(make_slice("class=8", make_metric("accuracy", 0.9)),),
        tags={"suite": "nightly"},
    )

    read = evaluation.from_message(evaluation.to_message(measured), VERSION)

    assert (read.metrics, read.slices) == (measured.metrics, measured.slices)
    assert (read.dataset, read.tags) == (measured.dataset, measured.tags)


def test_what_only_the_server_knows_is_never_read() -> None:
    claimed = message_of(trust=evaluation_pb2.TRUST_TRUSTED, created_by="spiffe://lab/eve")

    read = evaluation.from_message(claimed, VERSION)

    assert read.trust.name == "SELF_REPORTED"
    assert read.created_by == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_no_number_is_refused(value: float) -> None:
    metric = evaluation_pb2.Metric(metric="accuracy", value=value, direction=HIGHER)

    with pytest.raises(InvalidMetric) as refusal:
        evaluation.from_message(message_of(metrics=[metric]), VERSION)

    assert refusal.value.metadata["metric"] == "accuracy"


def test_a_metric_without_a_direction_is_refused() -> None:
    metric = evaluation_pb2.Metric(metric="accuracy", value=0.9)

    with pytest.raises(InvalidMetric, match="is higher or lower better"):
        evaluation.from_message(message_of(metrics=[metric]), VERSION)


def test_a_metric_given_twice_is_refused() -> None:
    metric = evaluation_pb2.Metric(metric="accuracy", value=0.9, direction=HIGHER)

    with pytest.raises(InvalidMetric, match="twice"):
        evaluation.from_message(message_of(metrics=[metric, metric]), VERSION)


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": facts_pb2.DatasetReference(uri="dvc://digits")},
        {"sample_count": 0},
        {"manifest_digest": "md5:1"},
        {"evaluator_code_digest": "latest"},
    ],
)
def test_other_fields_keep_their_grammar(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidField):
        evaluation.from_message(message_of(**changes), VERSION)


def test_rules_come_back_from_the_wire_as_they_went() -> None:
    whole = Gate("vision", "digits", "publish", RULES, "", "why", "spiffe://lab/ann", NOON, "e1")

    message = gate.to_message(whole)

    assert gate.rules_of(message) == RULES
    assert message.name == "namespaces/vision/models/digits/gates/publish"


def test_a_rule_compares_with_the_champion_unless_it_names_another() -> None:
    change = gate_pb2.ChampionChange(metric="accuracy")
    message = gate_pb2.Gate(rules=[gate_pb2.Rule(rule_id="r", champion_change=change)])

    assert gate.rules_of(message) == (Rule("r", ChampionChange("accuracy", 0.0)),)


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [gate_pb2.Rule(rule_id="r")],
        [gate_pb2.Rule(rule_id="r", threshold=gate_pb2.Threshold(metric="accuracy"))],
        [gate_pb2.Rule(rule_id="R", minimum_samples=gate_pb2.MinimumSamples(sample_count_min=1))],
        [gate_pb2.Rule(rule_id="r", slice_gap=gate_pb2.SliceGap(metric="a", gap_max=math.nan))],
    ],
)
def test_rules_that_decide_nothing_are_refused(rules: list[gate_pb2.Rule]) -> None:
    with pytest.raises(InvalidInput):
        gate.rules_of(gate_pb2.Gate(rules=rules))
