"""Rules on a metric of the whole dataset: a bound, and the change against a champion."""

from collections.abc import Iterator
from decimal import Decimal

from assay_server.domain.evaluations import Direction, Evaluation, Metric
from assay_server.domain.gate_findings import (
    Candidate,
    Judged,
    Measured,
    bound_told,
    exact,
    has_metric,
    keeps,
    sole_metric,
    told,
)
from assay_server.domain.gates import ChampionChange, Threshold


def judge_threshold(condition: Threshold, measured: Measured) -> Iterator[Judged]:
    """Hold the metric of the whole dataset against a bound."""
    name, required = condition.metric, bound_told(condition.comparison, condition.bound)
    evaluation = measured.latest(lambda evaluation: has_metric(evaluation, name))
    if evaluation is None:
        why = f"{measured.absence(name)}; needs {required}"
        yield Judged(False, "not measured", required, why, name)
        return
    metric = sole_metric(evaluation.metrics, name)
    if isinstance(metric, str):
        yield _unusable(name, metric, required, evaluation)
        return
    is_met = keeps(metric.value, condition.comparison, condition.bound)
    observed = told(metric.value, condition.bound)
    why = f"{name} is {observed}, needs {required} (evaluation {evaluation.evaluation_id})"
    yield Judged(is_met, observed, required, why, name, evaluation_id=evaluation.evaluation_id)


def judge_change(condition: ChampionChange, measured: Measured) -> Iterator[Judged]:
    """Hold the metric against that of the version to which an alias points."""
    name, required = condition.metric, _change_told(condition)
    champion = measured.champion(condition.alias_id)
    if champion is None:
        why = f"{name} has nothing to be compared with: no version is {condition.alias_id}"
        yield Judged(True, f"no {condition.alias_id}", required, why, name)
        return
    evaluation = measured.latest(lambda evaluation: has_metric(evaluation, name))
    if evaluation is None:
        yield Judged(False, "not measured", required, measured.absence(name), name)
        return
    metric = sole_metric(evaluation.metrics, name)
    if isinstance(metric, str):
        yield _unusable(name, metric, required, evaluation)
        return
    yield _compared(condition, measured, evaluation, metric, champion=champion)


def _compared(
    condition: ChampionChange,
    measured: Measured,
    evaluation: Evaluation,
    metric: Metric,
    *,
    champion: Candidate,
) -> Judged:
    required = _change_told(condition)
    rival = f"version {champion.number}, which is {condition.alias_id}"
    theirs = measured.latest_of_champion(champion, metric.name, evaluation.dataset.digest)
    if theirs is None:
        why = (
            f"{metric.name} of {rival}, was not measured on the same dataset "
            f"({evaluation.dataset.digest}) in a way that counts; evaluate it there too"
        )
        return _unmet(condition, "champion not measured", why, evaluation)
    other = sole_metric(theirs.metrics, metric.name)
    if isinstance(other, str):
        return _unmet(condition, "not comparable", f"{metric.name} of {rival}, {other}", evaluation)
    if (other.direction, other.unit) != (metric.direction, metric.unit):
        why = f"{metric.name} has another direction or unit than that of {rival}"
        return _unmet(condition, "not comparable", why, evaluation)
    worsening = _worsening(metric, other)
    allowed = exact(condition.worsening_max)
    if condition.is_relative:
        allowed *= abs(exact(other.value))
    observed = f"{told(metric.value, other.value)} against {told(other.value, metric.value)}"
    why = (
        f"{metric.name} is {told(metric.value, other.value)}, and "
        f"{told(other.value, metric.value)} for {rival}: {_worse_told(worsening)}; "
        f"needs {required} (evaluation {evaluation.evaluation_id})"
    )
    return Judged(
        worsening <= allowed,
        observed,
        required,
        why,
        metric.name,
        evaluation_id=evaluation.evaluation_id,
    )


def _worsening(metric: Metric, other: Metric) -> Decimal:
    """By how much ``metric`` is worse than ``other``; negative when it is better."""
    difference = exact(other.value) - exact(metric.value)
    return difference if metric.direction is Direction.HIGHER_IS_BETTER else -difference


def _worse_told(worsening: Decimal) -> str:
    if not worsening:
        return "equally good"
    return f"{told(abs(worsening))} {'worse' if worsening > 0 else 'better'}"


def _change_told(condition: ChampionChange) -> str:
    share = " of its magnitude" if condition.is_relative else ""
    amount = told(abs(condition.worsening_max))
    if condition.worsening_max < 0:
        return f"at least {amount}{share} better than {condition.alias_id}"
    if not condition.worsening_max:
        return f"not worse than {condition.alias_id}"
    return f"at most {amount}{share} worse than {condition.alias_id}"


def _unmet(condition: ChampionChange, observed: str, why: str, evaluation: Evaluation) -> Judged:
    return Judged(
        False,
        observed,
        _change_told(condition),
        why,
        condition.metric,
        evaluation_id=evaluation.evaluation_id,
    )


def _unusable(name: str, problem: str, required: str, evaluation: Evaluation) -> Judged:
    why = f"{name} {problem} (evaluation {evaluation.evaluation_id}); needs {required}"
    return Judged(False, "not usable", required, why, name, evaluation_id=evaluation.evaluation_id)
