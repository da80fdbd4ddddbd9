"""Which rules a gate may have."""

import math

import pytest

from assay_server.domain.errors import InvalidField, InvalidInput
from assay_server.domain.gate_rules import validate_gate
from assay_server.domain.gates import (
    ChampionChange,
    Comparison,
    Condition,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    WorstSlice,
)

LEAST = Comparison.AT_LEAST

LEGAL: list[Condition] = [
    Threshold("accuracy", LEAST, 0.9),
    ChampionChange("accuracy", -0.01, is_relative=True),
    WorstSlice("accuracy", LEAST, 0.8),
    SliceGap("accuracy", 0.0, "class"),
    MinimumSamples(1),
    TrustedEvaluator(("spiffe://lab/eve",)),
]

REFUSED: list[tuple[Condition, str]] = [
    (Threshold("", LEAST, 0.9), "rules[0].metric"),
    (Threshold("accuracy", LEAST, math.nan), "rules[0].bound"),
    (Threshold("accuracy", LEAST, -math.inf), "rules[0].bound"),
    (WorstSlice("accuracy", LEAST, math.inf), "rules[0].bound"),
    (WorstSlice("accuracy", LEAST, 0.5, "a\nb"), "rules[0].dimension"),
    (SliceGap("accuracy", math.nan), "rules[0].gap_max"),
    (SliceGap("accuracy", -0.1), "rules[0].gap_max"),
    (ChampionChange("accuracy", math.nan), "rules[0].worsening_max"),
    (ChampionChange("accuracy", 0.0, alias_id="latest"), "rules[0].alias"),
    (ChampionChange("accuracy", 0.0, alias_id=""), "rules[0].alias"),
    (MinimumSamples(0), "rules[0].sample_count_min"),
    (MinimumSamples(-1), "rules[0].sample_count_min"),
    (TrustedEvaluator(("",)), "rules[0].principals"),
    (TrustedEvaluator(("spiffe://lab/*",)), "rules[0].principals"),
    (TrustedEvaluator(tuple(f"p{i}" for i in range(65))), "rules[0].principals"),
]


def test_a_gate_may_have_rules_of_every_kind() -> None:
    rules = tuple(Rule(f"r{place}", condition) for place, condition in enumerate(LEGAL))

    assert validate_gate(rules) is rules


@pytest.mark.parametrize(("condition", "field"), REFUSED)
def test_a_condition_that_could_not_be_judged_is_refused_by_place(
    condition: Condition, field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        validate_gate((Rule("r", condition),))

    assert refusal.value.field == field


@pytest.mark.parametrize(
    "rule_ids", [(), ("a", "a"), ("A",), ("",), tuple(f"r{i}" for i in range(65))]
)
def test_rules_are_one_to_64_with_ids_of_their_own(rule_ids: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        validate_gate(tuple(Rule(rule_id, MinimumSamples(1)) for rule_id in rule_ids))


def test_the_second_use_of_an_id_is_named() -> None:
    with pytest.raises(InvalidField, match="'a' is used twice") as refusal:
        validate_gate((Rule("a", MinimumSamples(1)), Rule("a", MinimumSamples(2))))

    assert refusal.value.field == "rules[1].rule_id"
