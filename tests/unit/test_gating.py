"""What gates say of a version: bounds, which evaluations count, samples."""

import math

import pytest

from assay_server.domain.evaluations import Evaluation, Metric, Trust
from assay_server.domain.gates import (
    Comparison,
    Finding,
    MinimumSamples,
    Threshold,
    TrustedEvaluator,
    Verdict,
)
from assay_server.domain.gating import judge
from tests.unit.gate_making import (
    ANN,
    AT_LEAST,
    AT_MOST,
    EVE,
    GOOD,
    OTHER_DATASET,
    OTHER_FILES,
    accuracy,
    asked,
    candidate,
    make_gate,
    only,
    sliced,
)
from tests.unit.making import DATASET, make_evaluation, make_metric, make_slice

BOUNDARY: list[tuple[Comparison, float, float, bool]] = [
    (AT_LEAST, 0.85, 0.85, True),
    (AT_LEAST, 0.85, 0.8500000000000001, True),
    (AT_LEAST, 0.85, 0.8499999999999999, False),
    (AT_MOST, 0.85, 0.85, True),
    (AT_MOST, 0.85, 0.8500000000000001, False),
    (AT_LEAST, 0.0, -0.0, True),
    (AT_MOST, -0.0, 0.0, True),
    (AT_LEAST, 0.0, 5e-324, True),
    (AT_LEAST, 0.0, -5e-324, False),
    (AT_LEAST, 1e308, 1e308, True),
    (AT_LEAST, -1e308, math.inf, False),
    (AT_MOST, 1e308, -math.inf, False),
    (AT_LEAST, -1e308, math.nan, False),
    (AT_MOST, 1e308, math.nan, False),
]


@pytest.mark.parametrize(("comparison", "bound", "value", "passes"), BOUNDARY)
def test_a_bound_includes_itself_and_nothing_that_is_not_finite_passes(
    comparison: Comparison, bound: float, value: float, passes: bool
) -> None:
    verdict = asked(make_gate(Threshold("accuracy", comparison, bound)), accuracy(value))

    assert verdict.is_open is passes


def test_an_unmet_threshold_says_what_was_observed_and_what_is_needed() -> None:
    finding = only(asked(make_gate(Threshold("accuracy", AT_LEAST, 0.9)), accuracy(0.7142857142)))

    assert finding == Finding(
        gate="namespaces/vision/gates/publish",
        rule_id="r0",
        is_met=False,
        observed="0.714286",
        required="at least 0.9",
        why="accuracy is 0.714286, needs at least 0.9 (evaluation e0)",
        metric="accuracy",
        evaluation_id="e0",
    )


def test_rounding_never_hides_the_difference_that_decided() -> None:
    finding = only(asked(make_gate(Threshold("accuracy", AT_LEAST, 0.9)), accuracy(0.89999999)))

    assert finding.observed == "0.89999999"


@pytest.mark.parametrize(
    ("metrics", "problem"),
    [
        ((), "accuracy was not measured"),
        ((make_metric("Accuracy", 1.0),), "accuracy was not measured"),
        ((make_metric("accuracy", 1.0),) * 2, "accuracy was given more than once"),
        ((make_metric("accuracy", math.nan),), "accuracy is nan, which is not a finite number"),
    ],
)
def test_a_metric_that_is_absent_duplicate_or_nan_is_named(
    metrics: tuple[Metric, ...], problem: str
) -> None:
    finding = only(
        asked(make_gate(Threshold("accuracy", AT_LEAST, 0.0)), make_evaluation(*metrics))
    )

    assert not finding.is_met
    assert finding.why.startswith(problem)


def test_without_a_gate_the_move_is_open() -> None:
    assert judge("publish", [], candidate(), {}) == Verdict(
        "publish", 7, is_open=True, findings=(), evaluation_ids=()
    )


def test_the_latest_evaluation_that_has_the_metric_decides_even_if_an_older_one_was_better() -> (
    None
):
    better, worse = accuracy(0.95, minute=1), accuracy(0.5, minute=2)
    unrelated = make_evaluation(make_metric("latency", 9.0), minute=3)

    verdict = asked(make_gate(Threshold("accuracy", AT_LEAST, 0.9)), worse, unrelated, better)

    assert not verdict.is_open
    assert verdict.evaluation_ids == ("e2",)


def test_an_evaluation_of_other_files_does_not_count() -> None:
    verdict = asked(
        make_gate(Threshold("accuracy", AT_LEAST, 0.9)), accuracy(0.95, manifest_digest=OTHER_FILES)
    )

    assert not verdict.is_open


def test_a_gate_that_names_a_dataset_reads_only_evaluations_on_it() -> None:
    gate = make_gate(Threshold("accuracy", AT_LEAST, 0.9), dataset_digest=DATASET)
    elsewhere = accuracy(0.99, minute=5, dataset_digest=OTHER_DATASET)

    assert asked(gate, accuracy(0.95, minute=1), elsewhere).evaluation_ids == ("e1",)
    finding = only(asked(gate, elsewhere))
    assert finding.why == (
        f"accuracy was not measured on the dataset {DATASET}; needs at least 0.9"
    )


UNTRUSTED: list[tuple[str, Evaluation, tuple[str, ...]]] = [
    ("self-reported", accuracy(1.0, minute=9, trust=Trust.SELF_REPORTED), ()),
    ("by the author", accuracy(1.0, minute=9, created_by=ANN), ()),
    ("by the author in the list", accuracy(1.0, minute=9, created_by=ANN), (ANN, EVE)),
    ("not in the list", accuracy(1.0, minute=9, created_by="spiffe://lab/mallory"), (EVE,)),
    ("on other files", accuracy(1.0, minute=9, manifest_digest=OTHER_FILES), ()),
]


@pytest.mark.parametrize(("case", "forged", "principals"), UNTRUSTED)
def test_perfect_figures_of_someone_who_is_not_trusted_change_nothing(
    case: str, forged: Evaluation, principals: tuple[str, ...]
) -> None:
    gate = make_gate(TrustedEvaluator(principals), Threshold("accuracy", AT_LEAST, 0.9))
    honest = accuracy(0.8, minute=1)

    alone, beside = asked(gate, forged), asked(gate, forged, honest)

    assert [finding.is_met for finding in alone.findings] == [False, False]
    assert [finding.is_met for finding in beside.findings] == [True, False]
    assert beside.evaluation_ids == ("e1",)
    assert "trusted evaluator" in alone.findings[1].why


def test_trust_is_asked_for_by_each_gate_on_its_own() -> None:
    strict = make_gate(TrustedEvaluator(), Threshold("accuracy", AT_LEAST, 0.9))
    loose = make_gate(Threshold("accuracy", AT_LEAST, 0.9), model_id="digits")
    own = accuracy(0.95, created_by=ANN, trust=Trust.SELF_REPORTED)

    verdict = judge("publish", [strict, loose], candidate(own), {})

    assert [(f.gate, f.is_met) for f in verdict.findings] == [
        ("namespaces/vision/gates/publish", False),
        ("namespaces/vision/gates/publish", False),
        ("namespaces/vision/models/digits/gates/publish", True),
    ]
    assert not verdict.is_open


def test_every_unmet_rule_of_every_gate_is_named_in_order() -> None:
    space = make_gate(Threshold("accuracy", AT_LEAST, 0.9), Threshold("latency", AT_MOST, 5.0))
    model = make_gate(MinimumSamples(1000), model_id="digits")

    verdict = judge("publish", [space, model], candidate(accuracy(0.5)), {})

    assert [finding.why for finding in verdict.unmet] == [
        "accuracy is 0.5, needs at least 0.9 (evaluation e0)",
        "latency was not measured; needs at most 5",
        "the evaluation has 500 samples, needs at least 1000 samples (evaluation e0)",
    ]


def test_samples_are_counted_of_the_evaluations_that_gave_the_metrics() -> None:
    gate = make_gate(MinimumSamples(100), Threshold("accuracy", AT_LEAST, 0.5))
    small = accuracy(0.9, minute=1, sample_count=50)
    large = make_evaluation(make_metric("latency", 1.0), minute=2, sample_count=5000)

    verdict = asked(gate, small, large)

    assert [(f.rule_id, f.is_met, f.observed) for f in verdict.findings] == [
        ("r0", False, "50"),
        ("r1", True, "0.9"),
    ]


def test_a_trust_rule_does_not_choose_what_is_counted() -> None:
    gate = make_gate(TrustedEvaluator(), MinimumSamples(100), Threshold("accuracy", AT_LEAST, 0.5))
    probe = make_evaluation(make_metric("latency", 1.0), minute=5, sample_count=3)

    assert asked(gate, accuracy(0.9, minute=1), probe).is_open


@pytest.mark.parametrize(("least", "passes"), [(500, True), (501, False)])
def test_samples_of_the_whole_are_counted(least: int, passes: bool) -> None:
    assert asked(make_gate(MinimumSamples(least)), accuracy(0.9)).is_open is passes


def test_the_smallest_slice_decides_where_each_must_have_enough() -> None:
    evaluation = sliced(
        make_slice("class=1", GOOD, sample_count=40), make_slice("class=8", GOOD, sample_count=7)
    )

    finding = only(asked(make_gate(MinimumSamples(10, per_slice=True)), evaluation))

    assert not finding.is_met
    assert finding.slice_label == "class=8"
    assert finding.why == (
        "slice class=8 has 7 samples, needs at least 10 samples in each slice (evaluation e0)"
    )
    assert asked(make_gate(MinimumSamples(10)), evaluation).is_open


def test_samples_of_nothing_are_too_few() -> None:
    finding = only(asked(make_gate(MinimumSamples(1))))

    assert finding.why == "the version was not measured; needs at least 1 samples"
