"""Rules on slices: the worst one, and the gap between the best and the worst."""

from collections.abc import Iterable, Iterator

from assay_server.domain.evaluations import Evaluation, Slice
from assay_server.domain.gate_findings import (
    Judged,
    Measured,
    bound_told,
    exact,
    keeps,
    sole_metric,
    told,
)
from assay_server.domain.gates import Comparison, SliceGap, WorstSlice

SLICES_NAMED_MAX = 20
"""Failing slices that one rule names one by one; the rest is counted."""


def judge_worst(condition: WorstSlice, measured: Measured) -> Iterator[Judged]:
    """Hold the metric of each slice against a bound; every failing slice is named."""
    name, required = condition.metric, bound_told(condition.comparison, condition.bound)
    evaluation = _latest_sliced(measured, name, condition.dimension)
    if evaluation is None:
        yield _unsliced(measured, name, condition.dimension, required)
        return
    judged = [_bounded(condition, evaluation, part) for part in _within(evaluation, condition)]
    failing = [answer for answer in judged if not answer.is_met]
    if not failing:
        yield _worst_told(condition, evaluation)
        return
    yield from failing[:SLICES_NAMED_MAX]
    if len(failing) > SLICES_NAMED_MAX:
        more = len(failing) - SLICES_NAMED_MAX
        why = f"{name} of {more} more slices does not keep the bound, needs {required}"
        yield Judged(
            False, f"{more} more", required, why, name, evaluation_id=evaluation.evaluation_id
        )


def judge_gap(condition: SliceGap, measured: Measured) -> Iterator[Judged]:
    """Hold the difference between slices against a bound, within each dimension."""
    name, required = condition.metric, f"a gap of at most {told(condition.gap_max)}"
    evaluation = _latest_sliced(measured, name, condition.dimension)
    if evaluation is None:
        yield _unsliced(measured, name, condition.dimension, required)
        return
    parts = tuple(_within(evaluation, condition))
    unusable = [
        _unusable(name, part, problem, required, evaluation=evaluation)
        for part in parts
        if isinstance(problem := sole_metric(part.metrics, name), str)
    ]
    if unusable:
        yield from unusable[:SLICES_NAMED_MAX]
        return
    for dimension in dict.fromkeys(part.dimension for part in parts):
        of_dimension = [part for part in parts if part.dimension == dimension]
        yield _gap(condition, evaluation, dimension, of_dimension)


def _bounded(condition: WorstSlice, evaluation: Evaluation, part: Slice) -> Judged:
    name, required = condition.metric, bound_told(condition.comparison, condition.bound)
    metric = sole_metric(part.metrics, name)
    if isinstance(metric, str):
        return _unusable(name, part, metric, required, evaluation=evaluation)
    observed = told(metric.value, condition.bound)
    return Judged(
        keeps(metric.value, condition.comparison, condition.bound),
        observed,
        required,
        f"{name} of slice {part.label} is {observed}, needs {required} "
        f"(evaluation {evaluation.evaluation_id})",
        name,
        part.label,
        evaluation.evaluation_id,
    )


def _worst_told(condition: WorstSlice, evaluation: Evaluation) -> Judged:
    """The answer for the slice nearest to the bound, when all keep it."""
    values = [(_value(part, condition.metric), part) for part in _within(evaluation, condition)]
    at_least = condition.comparison is Comparison.AT_LEAST
    worst = (min if at_least else max)(values, key=lambda pair: pair[0])[1]
    return _bounded(condition, evaluation, worst)


def _gap(condition: SliceGap, evaluation: Evaluation, dimension: str, parts: list[Slice]) -> Judged:
    name, required = condition.metric, f"a gap of at most {told(condition.gap_max)}"
    if len(parts) < 2:
        why = (
            f"{dimension} has only one slice, {parts[0].label}; a gap needs two. "
            "Name another dimension in the rule, or measure more slices"
        )
        return Judged(
            False, "one slice", required, why, name, parts[0].label, evaluation.evaluation_id
        )
    low = min(parts, key=lambda part: _value(part, name))
    high = max(parts, key=lambda part: _value(part, name))
    gap = exact(_value(high, name)) - exact(_value(low, name))
    bound = exact(condition.gap_max)
    observed = told(gap, bound)
    return Judged(
        gap <= bound,
        observed,
        required,
        f"{name} differs by {observed} between slice {low.label} ({told(_value(low, name))}) and "
        f"slice {high.label} ({told(_value(high, name))}), needs {required} "
        f"(evaluation {evaluation.evaluation_id})",
        name,
        low.label,
        evaluation.evaluation_id,
    )


def _latest_sliced(measured: Measured, name: str, dimension: str) -> Evaluation | None:
    """The latest evaluation in which some slice of the dimension has the metric."""
    return measured.latest(
        lambda evaluation: any(
            metric.name == name
            for part in evaluation.slices
            if dimension in ("", part.dimension)
            for metric in part.metrics
        )
    )


def _within(evaluation: Evaluation, condition: WorstSlice | SliceGap) -> Iterable[Slice]:
    """The slices the condition speaks of.

    Without a dimension those dimensions count of which at least one slice has the metric: a
    metric may make sense by class but not by sensor.
    """
    dimensions = {
        part.dimension
        for part in evaluation.slices
        if any(metric.name == condition.metric for metric in part.metrics)
    }
    wanted = {condition.dimension} if condition.dimension else dimensions
    return (part for part in evaluation.slices if part.dimension in wanted)


def _value(part: Slice, name: str) -> float:
    metric = sole_metric(part.metrics, name)
    assert not isinstance(metric, str), "slices without the metric were refused before"
    return metric.value


def _unusable(
    name: str, part: Slice, problem: str, required: str, *, evaluation: Evaluation
) -> Judged:
    why = (
        f"{name} of slice {part.label} {problem}, needs {required} "
        f"(evaluation {evaluation.evaluation_id})"
    )
    return Judged(False, "not usable", required, why, name, part.label, evaluation.evaluation_id)


def _unsliced(measured: Measured, name: str, dimension: str, required: str) -> Judged:
    by = f"by {dimension}" if dimension else "by any slice"
    why = f"{measured.absence(f'{name} {by}')}; needs {required}"
    return Judged(False, "not measured", required, why, name)
