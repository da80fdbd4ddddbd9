"""What gates say of slices: the worst one and the gap between them."""

import math

import pytest

from assay_server.domain.evaluations import Evaluation
from assay_server.domain.gates import (
    Condition,
    SliceGap,
    WorstSlice,
)
from tests.unit.gate_making import AT_LEAST, AT_MOST, GOOD, asked, by_class, make_gate, only, sliced
from tests.unit.making import make_metric, make_slice


def test_every_failing_slice_is_named_and_no_other() -> None:
    gate = make_gate(WorstSlice("accuracy", AT_LEAST, 0.85, dimension="class"))

    verdict = asked(gate, by_class(c1=0.9, c8=0.71, c9=0.84))

    assert [(finding.slice_label, finding.why) for finding in verdict.findings] == [
        ("class=8", "accuracy of slice class=8 is 0.71, needs at least 0.85 (evaluation e0)"),
        ("class=9", "accuracy of slice class=9 is 0.84, needs at least 0.85 (evaluation e0)"),
    ]


def test_when_all_slices_keep_the_bound_the_worst_is_shown() -> None:
    least = only(
        asked(make_gate(WorstSlice("accuracy", AT_LEAST, 0.85)), by_class(c1=0.9, c8=0.86))
    )
    most = only(asked(make_gate(WorstSlice("accuracy", AT_MOST, 0.95)), by_class(c1=0.9, c8=0.86)))

    assert (least.is_met, least.slice_label, least.observed) == (True, "class=8", "0.86")
    assert (most.is_met, most.slice_label) == (True, "class=1")


def test_very_many_failing_slices_are_counted() -> None:
    gate = make_gate(WorstSlice("accuracy", AT_LEAST, 0.85))

    verdict = asked(gate, by_class(**{f"c{i}": 0.1 for i in range(30)}))

    assert len(verdict.findings) == 21
    assert verdict.findings[-1].why.startswith("accuracy of 10 more slices")


UNUSABLE_SLICES: list[tuple[str, Evaluation, str]] = [
    ("no slices", sliced(), "accuracy by class was not measured"),
    ("another dimension", sliced(make_slice("age=8", GOOD)), "accuracy by class was not measured"),
    (
        "absent in one",
        sliced(make_slice("class=1", GOOD), make_slice("class=8", make_metric("f1", 1.0))),
        "accuracy of slice class=8 was not measured",
    ),
    (
        "twice in one",
        sliced(make_slice("class=1", GOOD), make_slice("class=8", GOOD, GOOD)),
        "accuracy of slice class=8 was given more than once",
    ),
    (
        "NaN in one",
        sliced(
            make_slice("class=1", GOOD), make_slice("class=8", make_metric("accuracy", math.nan))
        ),
        "accuracy of slice class=8 is nan",
    ),
]


@pytest.mark.parametrize(("case", "evaluation", "problem"), UNUSABLE_SLICES)
@pytest.mark.parametrize(
    "condition",
    [WorstSlice("accuracy", AT_LEAST, 0.5, "class"), SliceGap("accuracy", 0.5, "class")],
)
def test_a_slice_without_a_usable_metric_keeps_the_gate_closed(
    condition: Condition, case: str, evaluation: Evaluation, problem: str
) -> None:
    finding = only(asked(make_gate(condition), evaluation))

    assert not finding.is_met
    assert finding.why.startswith(problem)


def test_a_dimension_that_never_has_the_metric_is_no_shortfall_unless_it_is_asked_for() -> None:
    evaluation = sliced(
        make_slice("class=1", GOOD), make_slice("sensor=a", make_metric("latency", 1.0))
    )

    assert asked(make_gate(WorstSlice("accuracy", AT_LEAST, 0.5)), evaluation).is_open
    assert not asked(make_gate(WorstSlice("accuracy", AT_LEAST, 0.5, "sensor")), evaluation).is_open


GAPS: list[tuple[float, float, float, bool]] = [
    (0.90, 0.85, 0.05, True),
    (0.90, 0.8499, 0.05, False),
    (0.3, 0.1, 0.2, True),
    (0.9, 0.9, 0.0, True),
    (0.90000001, 0.9, 0.0, False),
    (-0.1, 0.1, 0.2, True),
]


@pytest.mark.parametrize(("one", "other", "gap_max", "passes"), GAPS)
def test_a_gap_is_the_difference_of_the_figures_as_they_are_written(
    one: float, other: float, gap_max: float, passes: bool
) -> None:
    verdict = asked(make_gate(SliceGap("accuracy", gap_max, "class")), by_class(c1=one, c2=other))

    assert verdict.is_open is passes


def test_a_gap_names_both_slices() -> None:
    finding = only(asked(make_gate(SliceGap("accuracy", 0.1)), by_class(c1=0.95, c5=0.9, c8=0.7)))

    assert finding.why == (
        "accuracy differs by 0.25 between slice class=8 (0.7) and slice class=1 (0.95), needs "
        "a gap of at most 0.1 (evaluation e0)"
    )
    assert finding.slice_label == "class=8"


def test_gaps_are_measured_within_each_dimension_and_need_two_slices() -> None:
    evaluation = sliced(
        make_slice("class=1", make_metric("accuracy", 0.9)),
        make_slice("class=2", make_metric("accuracy", 0.9)),
        make_slice("age=1", make_metric("accuracy", 0.2)),
    )

    verdict = asked(make_gate(SliceGap("accuracy", 0.1)), evaluation)

    assert [finding.is_met for finding in verdict.findings] == [True, False]
    assert "age has only one slice" in verdict.findings[1].why
