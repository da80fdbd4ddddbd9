"""What gates say of a version beside the one in place."""

import math

import pytest

from assay_server.domain.evaluations import Evaluation
from assay_server.domain.gates import (
    ChampionChange,
    TrustedEvaluator,
)
from assay_server.domain.gating import Candidate
from tests.unit.gate_making import (
    OTHER_DATASET,
    OTHER_FILES,
    accuracy,
    asked,
    candidate,
    make_gate,
    only,
)
from tests.unit.making import make_evaluation, make_metric


def champion(*evaluations: Evaluation) -> dict[str, Candidate]:
    return {"champion": candidate(*evaluations, number=3, author="spiffe://lab/bob")}


CHANGES: list[tuple[float, float, float, bool, bool, bool]] = [
    # ours, theirs, worsening_max, relative, lower is better, passes
    (0.90, 0.90, 0.0, False, False, True),
    (0.89, 0.90, 0.01, False, False, True),
    (0.889, 0.90, 0.01, False, False, False),
    (0.95, 0.90, 0.0, False, False, True),
    (0.95, 0.90, -0.05, False, False, True),
    (0.94, 0.90, -0.05, False, False, False),
    (11.0, 10.0, 1.0, False, True, True),
    (11.5, 10.0, 1.0, False, True, False),
    (9.0, 10.0, -1.0, False, True, True),
    (9.5, 10.0, -1.0, False, True, False),
    (0.81, 0.90, 0.1, True, False, True),
    (0.80, 0.90, 0.1, True, False, False),
    (110.0, 100.0, 0.1, True, True, True),
    (111.0, 100.0, 0.1, True, True, False),
    (-1.1, -1.0, 0.1, True, False, True),
    (-1.2, -1.0, 0.1, True, False, False),
    (0.0, 0.0, 0.1, True, False, True),
    (-0.001, 0.0, 0.1, True, False, False),
]


@pytest.mark.parametrize(("ours", "theirs", "worst", "relative", "lower", "passes"), CHANGES)
def test_a_change_is_read_from_the_direction_of_the_metric(
    ours: float, theirs: float, worst: float, relative: bool, lower: bool, passes: bool
) -> None:
    gate = make_gate(ChampionChange("m", worst, is_relative=relative))
    mine = make_evaluation(make_metric("m", ours, lower_is_better=lower))
    other = make_evaluation(make_metric("m", theirs, lower_is_better=lower))

    assert asked(gate, mine, champions=champion(other)).is_open is passes


def test_without_a_champion_a_change_is_met_even_when_nothing_was_measured() -> None:
    finding = only(asked(make_gate(ChampionChange("accuracy", 0.0))))

    assert finding.is_met
    assert finding.why == "accuracy has nothing to be compared with: no version is champion"


def test_a_worse_version_is_told_by_how_much() -> None:
    finding = only(
        asked(
            make_gate(ChampionChange("accuracy", 0.01)),
            accuracy(0.88),
            champions=champion(accuracy(0.91)),
        )
    )

    assert finding.why == (
        "accuracy is 0.88, and 0.91 for version 3, which is champion: 0.03 worse; "
        "needs at most 0.01 worse than champion (evaluation e0)"
    )


INCOMPARABLE: list[tuple[str, tuple[Evaluation, ...], Evaluation, str]] = [
    ("candidate not measured", (), accuracy(0.5), "accuracy was not measured"),
    (
        "champion on another dataset",
        (accuracy(0.99),),
        accuracy(0.5, dataset_digest=OTHER_DATASET),
        "accuracy of version 3, which is champion, was not measured on the same dataset",
    ),
    (
        "champion of other files",
        (accuracy(0.99),),
        accuracy(0.5, manifest_digest=OTHER_FILES),
        "accuracy of version 3, which is champion, was not measured on the same dataset",
    ),
    (
        "champion is NaN",
        (accuracy(0.99),),
        accuracy(math.nan),
        "accuracy of version 3, which is champion, is nan",
    ),
    ("candidate is NaN", (accuracy(math.nan),), accuracy(0.5), "accuracy is nan"),
    (
        "another unit",
        (make_evaluation(make_metric("accuracy", 99.0, unit="percent")),),
        accuracy(0.5),
        "accuracy has another direction or unit",
    ),
    (
        "another direction",
        (make_evaluation(make_metric("accuracy", 0.99, lower_is_better=True)),),
        accuracy(0.5),
        "accuracy has another direction or unit",
    ),
]


@pytest.mark.parametrize(("case", "ours", "theirs", "problem"), INCOMPARABLE)
def test_what_cannot_be_compared_with_the_champion_does_not_pass(
    case: str, ours: tuple[Evaluation, ...], theirs: Evaluation, problem: str
) -> None:
    gate = make_gate(ChampionChange("accuracy", 1000.0))

    finding = only(asked(gate, *ours, champions=champion(theirs)))

    assert not finding.is_met
    assert finding.why.startswith(problem)


def test_the_champion_is_judged_by_trusted_evaluations_too() -> None:
    gate = make_gate(TrustedEvaluator(), ChampionChange("accuracy", 0.0))
    modest = accuracy(0.1, minute=9, created_by="spiffe://lab/bob")

    verdict = asked(gate, accuracy(0.9), champions=champion(modest, accuracy(0.95, minute=1)))

    assert not verdict.is_open
    assert "0.95 for version 3" in verdict.unmet[0].why
