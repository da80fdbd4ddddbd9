"""The rules of gates, as a person says them: ``rules.threshold("accuracy", at_least=0.95)``."""

from collections.abc import Iterable

from assay.errors import InvalidInput
from assay.v1 import gate_pb2
from assay.v1.gate_pb2 import Comparison, Rule


def threshold(
    metric: str, *, at_least: float | None = None, at_most: float | None = None, rule_id: str = ""
) -> Rule:
    """A metric of the whole dataset keeps a bound."""
    comparison, bound = _bound(metric, at_least, at_most)
    condition = gate_pb2.Threshold(metric=metric, comparison=comparison, bound=bound)
    return Rule(rule_id=rule_id or _id(metric), threshold=condition)


def worst_slice(
    metric: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    dimension: str = "",
    rule_id: str = "",
) -> Rule:
    """A metric keeps a bound in every slice, of one dimension or of all."""
    comparison, bound = _bound(metric, at_least, at_most)
    condition = gate_pb2.WorstSlice(
        metric=metric, comparison=comparison, bound=bound, dimension=dimension
    )
    return Rule(rule_id=rule_id or _id("worst", dimension, metric), worst_slice=condition)


def slice_gap(metric: str, *, at_most: float, dimension: str = "", rule_id: str = "") -> Rule:
    """The best and the worst slice of a dimension differ by no more than ``at_most``."""
    condition = gate_pb2.SliceGap(metric=metric, gap_max=at_most, dimension=dimension)
    return Rule(rule_id=rule_id or _id("gap", dimension, metric), slice_gap=condition)


def champion_change(
    metric: str,
    *,
    worsening_at_most: float = 0.0,
    relative: bool = False,
    alias: str = "",
    rule_id: str = "",
) -> Rule:
    """A metric is no more than so much worse than the champion's; negative: it must be better."""
    condition = gate_pb2.ChampionChange(
        metric=metric, worsening_max=worsening_at_most, relative=relative, alias=alias
    )
    return Rule(rule_id=rule_id or _id("champion", metric), champion_change=condition)


def minimum_samples(count: int, *, per_slice: bool = False, rule_id: str = "") -> Rule:
    """Enough was measured, as a whole or in each slice."""
    condition = gate_pb2.MinimumSamples(sample_count_min=count, per_slice=per_slice)
    return Rule(
        rule_id=rule_id or ("samples-per-slice" if per_slice else "samples"),
        minimum_samples=condition,
    )


def trusted_evaluator(principals: Iterable[str] = (), *, rule_id: str = "trusted") -> Rule:
    """Only evaluations count that a trusted evaluator made, or one of ``principals``."""
    condition = gate_pb2.TrustedEvaluator(principals=principals)
    return Rule(rule_id=rule_id, trusted_evaluator=condition)


def _bound(
    metric: str, at_least: float | None, at_most: float | None
) -> "tuple[Comparison.ValueType, float]":
    if at_least is not None and at_most is None:
        return Comparison.COMPARISON_AT_LEAST, at_least
    if at_most is not None and at_least is None:
        return Comparison.COMPARISON_AT_MOST, at_most
    raise InvalidInput(f"The rule on {metric} needs either at_least or at_most.")


def _id(*words: str) -> str:
    """A rule id from words: ``worst-class-recall``."""
    return "-".join(word.replace("_", "-").lower() for word in words if word)[:63]
