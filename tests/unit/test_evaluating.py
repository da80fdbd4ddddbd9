"""What may be recorded as an evaluation, and who vouches for it."""

import math
from dataclasses import replace
from typing import Any

import pytest

from assay_server.domain.errors import InvalidField, InvalidMetric
from assay_server.domain.evaluating import require_evaluation, require_same_files, trust_of
from assay_server.domain.evaluations import Evaluation, Trust
from assay_server.domain.facts import DatasetReference, Runtime
from tests.unit.making import DATASET, make_evaluation, make_metric, make_slice

ACCURACY = make_metric("accuracy", 0.9)
EIGHT = make_slice("class=8", ACCURACY)

ACCEPTED = [
    make_evaluation(ACCURACY),
    make_evaluation(make_metric("precision@5", -0.0), make_metric("val/loss", 5e-324)),
    make_evaluation(make_metric("latency_p99", 1e308, lower_is_better=True, unit="ms")),
    make_evaluation(slices=(EIGHT, make_slice("class=9", ACCURACY, sample_count=500))),
    make_evaluation(ACCURACY, slices=(EIGHT, make_slice("age=8", ACCURACY))),
]

BAD_METRICS: list[tuple[Evaluation, str]] = [
    (make_evaluation(make_metric("accuracy", math.nan)), "nan"),
    (make_evaluation(make_metric("accuracy", math.inf)), "inf"),
    (make_evaluation(make_metric("accuracy", -math.inf)), "-inf"),
    (make_evaluation(ACCURACY, make_metric("accuracy", 0.99)), "twice"),
    (make_evaluation(make_metric("", 1.0)), "a name has"),
    (make_evaluation(make_metric("top k", 1.0)), "a name has"),
    (make_evaluation(make_metric("9", 1.0)), "a name has"),
    (make_evaluation(make_metric("x" * 129, 1.0)), "a name has"),
    (make_evaluation(slices=(make_slice("class=8", make_metric("a", math.nan)),)), "nan"),
    (make_evaluation(slices=(make_slice("class=8", ACCURACY, ACCURACY),)), "twice"),
]

BAD_FIELDS: list[tuple[Evaluation, str]] = [
    (make_evaluation(), "metrics"),
    (make_evaluation(*(make_metric(f"m{i}", 1.0) for i in range(257))), "metrics"),
    (make_evaluation(make_metric("a", 1.0, unit="x" * 65)), "metrics.unit"),
    (make_evaluation(ACCURACY, sample_count=0), "sample_count"),
    (make_evaluation(ACCURACY, sample_count=-1), "sample_count"),
    (make_evaluation(ACCURACY, slices=(EIGHT, EIGHT)), "slices"),
    (make_evaluation(slices=(make_slice("=8", ACCURACY),)), "slices"),
    (make_evaluation(slices=(make_slice("class=", ACCURACY),)), "slices"),
    (make_evaluation(slices=(make_slice("class=8"),)), "slices['class=8']"),
    (make_evaluation(slices=(replace(EIGHT, sample_count=0),)), "slices[\'class=8\']"),
    (make_evaluation(slices=(replace(EIGHT, sample_count=-5),)), "slices[\'class=8\']"),
    (make_evaluation(slices=(replace(EIGHT, sample_count=501),)), "slices[\'class=8\']"),
    (make_evaluation(slices=tuple(make_slice(f"i={i}", ACCURACY) for i in range(1025))), "slices"),
    (make_evaluation(ACCURACY, dataset_digest=""), "dataset.digest"),
    (make_evaluation(ACCURACY, dataset=DatasetReference("x" * 2049, DATASET)), "dataset.uri"),
    (make_evaluation(ACCURACY, evaluator_code_digest="v1"), "evaluator_code_digest"),
    (make_evaluation(ACCURACY, runtime=Runtime(language="\0")), "runtime.language"),
    (make_evaluation(ACCURACY, description="x" * 8193), "description"),
    (make_evaluation(ACCURACY, tags={"A": ""}), "tags"),
]  # fmt: skip


@pytest.mark.parametrize("evaluation", ACCEPTED)
def test_a_sound_evaluation_is_accepted(evaluation: Evaluation) -> None:
    assert require_evaluation(evaluation) is evaluation


@pytest.mark.parametrize(("evaluation", "problem"), BAD_METRICS)
def test_a_metric_that_cannot_be_compared_is_refused(evaluation: Evaluation, problem: str) -> None:
    with pytest.raises(InvalidMetric, match=problem):
        require_evaluation(evaluation)


@pytest.mark.parametrize(("evaluation", "field"), BAD_FIELDS)
def test_what_breaks_a_limit_is_refused_by_field(evaluation: Evaluation, field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        require_evaluation(evaluation)

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("holds_role", "evaluator", "trust"),
    [
        (True, "eve", Trust.TRUSTED),
        (True, "ann", Trust.SELF_REPORTED),
        (False, "eve", Trust.SELF_REPORTED),
        (False, "ann", Trust.SELF_REPORTED),
    ],
)
def test_only_an_evaluator_who_is_not_the_author_is_trusted(
    holds_role: Any, evaluator: str, trust: Trust
) -> None:
    assert trust_of(holds_evaluator_role=holds_role, evaluator=evaluator, author="ann") is trust


def test_an_evaluation_is_of_the_very_files_of_its_version() -> None:
    assert require_same_files("", DATASET, name="v7") == DATASET
    assert require_same_files(DATASET, DATASET, name="v7") == DATASET
    with pytest.raises(InvalidField, match="v7"):
        require_same_files("sha256:" + "0" * 64, DATASET, name="v7")
