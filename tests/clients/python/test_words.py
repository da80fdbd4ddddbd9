"""What people write for metrics, rules and datasets, and what is sent for it."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from assay import dataset, digest_of, errors, higher, lower, rules
from assay.measuring import metrics_of, slices_of
from assay.v1.evaluation_pb2 import Direction, Evaluation, Metric
from assay.v1.evaluation_service_pb2 import ImportEvaluationResponse
from assay.v1.facts_pb2 import DatasetPurpose
from assay.v1.gate_pb2 import Comparison

HIGHER = Direction.DIRECTION_HIGHER_IS_BETTER
LOWER = Direction.DIRECTION_LOWER_IS_BETTER


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("accuracy", HIGHER),
        ("recall_macro", HIGHER),
        ("roc_auc", HIGHER),
        ("latency_p99", LOWER),
        ("log_loss", LOWER),
    ],
)
def test_well_known_metrics_need_no_direction(name: str, direction: int) -> None:
    (metric,) = metrics_of({name: 0.5})

    assert (metric.metric, metric.value, metric.direction) == (name, 0.5, direction)


def test_other_metrics_are_given_with_one() -> None:
    assert metrics_of({"joy": higher(3, "smiles"), "regret": lower(1)}) == [
        Metric(metric="joy", value=3.0, direction=HIGHER, unit="smiles"),
        Metric(metric="regret", value=1.0, direction=LOWER),
    ]
    with pytest.raises(errors.InvalidMetric, match=r"assay\.higher\(3\)"):
        metrics_of({"joy": 3})


def test_slices_are_written_by_dimension_and_value() -> None:
    (first, second) = slices_of({"class": {8: (174, {"recall": 0.9}), 9: (180, {"recall": 1.0})}})

    assert (first.dimension, first.value, first.sample_count) == ("class", "8", 174)
    assert second.metrics[0].value == 1.0


async def test_an_evaluation_is_sent_as_it_was_said(connected: Any) -> None:
    asked = []

    async def import_evaluation(request: Any, context: Any) -> Any:
        asked.append(request)
        return ImportEvaluationResponse(evaluation=Evaluation(name="e"))

    client = await connected({"ImportEvaluation": import_evaluation})

    await client.evaluate(
        "vision/digits/7",
        metrics={"accuracy": 0.97},
        dataset=dataset("s3://lake/test", digest="sha256:" + "a" * 64),
        sample_count=360,
    )

    (request,) = asked
    assert request.parent == "namespaces/vision/models/digits/versions/7"
    assert request.evaluation.dataset.purpose == DatasetPurpose.DATASET_PURPOSE_EVALUATION
    assert request.evaluation.sample_count == 360
    assert request.request_id


def test_rules_read_like_sentences() -> None:
    made = [
        rules.threshold("accuracy", at_least=0.95),
        rules.worst_slice("recall", at_least=0.85, dimension="class"),
        rules.slice_gap("recall", at_most=0.1, dimension="class"),
        rules.champion_change("accuracy", worsening_at_most=0.01),
        rules.minimum_samples(300),
        rules.minimum_samples(20, per_slice=True),
        rules.trusted_evaluator(),
        rules.threshold("latency_p99", at_most=5.0),
    ]

    assert [rule.rule_id for rule in made] == [
        "accuracy",
        "worst-class-recall",
        "gap-class-recall",
        "champion-accuracy",
        "samples",
        "samples-per-slice",
        "trusted",
        "latency-p99",
    ]
    assert [rule.WhichOneof("condition") for rule in made] == [
        "threshold",
        "worst_slice",
        "slice_gap",
        "champion_change",
        "minimum_samples",
        "minimum_samples",
        "trusted_evaluator",
        "threshold",
    ]
    assert made[0].threshold.comparison == Comparison.COMPARISON_AT_LEAST
    assert made[-1].threshold.comparison == Comparison.COMPARISON_AT_MOST


def test_a_rule_without_a_bound_or_with_two_is_refused() -> None:
    with pytest.raises(errors.InvalidInput, match="either at_least or at_most"):
        rules.threshold("accuracy")
    with pytest.raises(errors.InvalidInput, match="either at_least or at_most"):
        rules.threshold("accuracy", at_least=0.5, at_most=0.6)


def test_the_digest_of_bytes_and_files_is_the_plain_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1,2")
    plain = "sha256:" + hashlib.sha256(b"1,2").hexdigest()

    assert digest_of(b"1,2") == plain
    assert digest_of(tmp_path / "a.csv") == plain


def test_different_content_has_different_digests(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy", reason="install assay-registry-server[demo]")
    (tmp_path / "a.csv").write_bytes(b"1,2")
    contents = [
        b"",
        tmp_path,
        numpy.zeros((2, 3)),
        numpy.zeros((3, 2)),
        numpy.zeros((2, 3), numpy.float32),
        [numpy.zeros(3), numpy.zeros(3)],
        {"x": numpy.zeros(3), "y": numpy.zeros(3)},
        {"x": numpy.zeros(3), "z": numpy.zeros(3)},
        numpy.array(["a", None], dtype=object),
    ]

    assert len({digest_of(content) for content in contents}) == len(contents)
    assert digest_of(numpy.zeros((2, 3))) == digest_of(numpy.zeros((2, 3)))
    assert digest_of(numpy.arange(6).reshape(2, 3).T) == digest_of(
        numpy.ascontiguousarray(numpy.arange(6).reshape(2, 3).T)
    )


def test_a_dataset_needs_its_content_or_its_digest() -> None:
    assert dataset("x", content=b"1").digest == digest_of(b"1")
    with pytest.raises(errors.InvalidInput, match="either its content or its digest"):
        dataset("x")
    with pytest.raises(errors.CannotInfer, match="is not defined"):
        dataset("x", content=object())
    with pytest.raises(errors.InvalidInput, match="training, validation"):
        dataset("x", content=b"1", purpose="fun")
