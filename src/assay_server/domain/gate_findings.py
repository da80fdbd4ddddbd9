"""What a gate sees of a version: the evaluations that count, and how an answer is worded."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from assay_server.domain.evaluations import Evaluation, Metric, Trust
from assay_server.domain.gates import Comparison, Finding, Gate, TrustedEvaluator
from assay_server.domain.names import gate_name

DIGITS_TOLD = 6
"""Significant digits in sentences, unless they hide the difference that decided."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version as gates see it. ``author`` is who made it."""

    number: int
    manifest_digest: str
    author: str
    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule said, before it is filed under its gate."""

    is_met: bool
    observed: str
    required: str
    why: str
    metric: str = ""
    slice_label: str = ""
    evaluation_id: str = ""

    def as_finding(self, gate: str, rule_id: str) -> Finding:
        """The finding of the rule ``rule_id`` of ``gate``."""
        return Finding(
            gate,
            rule_id,
            self.is_met,
            observed=self.observed,
            required=self.required,
            why=self.why,
            metric=self.metric,
            slice_label=self.slice_label,
            evaluation_id=self.evaluation_id,
        )


class Measured:
    """The evaluations that count for one gate; remembers which gave rules their metrics."""

    def __init__(
        self, gate: Gate, candidate: Candidate, champions: Mapping[str, Candidate]
    ) -> None:
        self.gate_name = gate_name(gate.namespace_id, gate.model_id, gate.gate_id)
        self.number = candidate.number
        self._gate = gate
        self._champions = champions
        self._counting = _newest_first(_counting(gate, candidate))
        self._relied_on: dict[str, Evaluation] = {}

    @property
    def newest(self) -> Evaluation | None:
        """The latest evaluation that counts, whatever it measured."""
        return self._counting[0] if self._counting else None

    @property
    def relied_on(self) -> tuple[Evaluation, ...]:
        """What gave rules their metrics; where none did, the latest that counts."""
        return tuple(self._relied_on.values()) or self._counting[:1]

    def champion(self, alias_id: str) -> Candidate | None:
        """The version to compare with, if the alias points anywhere."""
        return self._champions.get(alias_id)

    def latest(self, has: Callable[[Evaluation], bool]) -> Evaluation | None:
        """The latest counting evaluation that ``has`` what a rule needs."""
        for evaluation in self._counting:
            if has(evaluation):
                self._relied_on[evaluation.evaluation_id] = evaluation
                return evaluation
        return None

    def latest_of_champion(
        self, champion: Candidate, metric: str, dataset_digest: str
    ) -> Evaluation | None:
        """The champion's latest counting evaluation of ``metric`` on the same dataset."""
        for evaluation in _newest_first(_counting(self._gate, champion)):
            if evaluation.dataset.digest == dataset_digest and has_metric(evaluation, metric):
                return evaluation
        return None

    def absence(self, thing: str) -> str:
        """A sentence that says that ``thing`` was not measured in a way that counts."""
        limits = []
        if self._gate.dataset_digest:
            limits.append(f"on the dataset {self._gate.dataset_digest}")
        if any(isinstance(rule.condition, TrustedEvaluator) for rule in self._gate.rules):
            limits.append("by a trusted evaluator")
        return " ".join([f"{thing} was not measured", *limits])


def has_metric(evaluation: Evaluation, name: str) -> bool:
    """Whether the whole of ``evaluation`` has a metric of that name, however often."""
    return any(metric.name == name for metric in evaluation.metrics)


def sole_metric(metrics: Iterable[Metric], name: str) -> Metric | str:
    """The metric called ``name``, or what is wrong with it."""
    found = [metric for metric in metrics if metric.name == name]
    if not found:
        return "was not measured"
    if len(found) > 1:
        return "was given more than once"
    if not math.isfinite(found[0].value):
        return f"is {found[0].value}, which is not a finite number"
    return found[0]


def keeps(value: float, comparison: Comparison, bound: float) -> bool:
    """Whether ``value`` lies on the right side of ``bound``; NaN lies on neither."""
    return value >= bound if comparison is Comparison.AT_LEAST else value <= bound


def exact(value: float) -> Decimal:
    """``value`` as the shortest decimal that people write for it."""
    return Decimal(repr(value))


def told(value: float | Decimal, beside: float | Decimal | None = None) -> str:
    """``value`` for a sentence: rounded, unless that makes it look like ``beside``."""
    short = f"{float(value):.{DIGITS_TOLD}g}"
    if beside is not None and value != beside and short == f"{float(beside):.{DIGITS_TOLD}g}":
        return repr(float(value))
    return short


def bound_told(comparison: Comparison, bound: float) -> str:
    """The demand in words: ``at least 0.85``."""
    words = "at least" if comparison is Comparison.AT_LEAST else "at most"
    return f"{words} {told(bound)}"


def _counting(gate: Gate, candidate: Candidate) -> Iterable[Evaluation]:
    for evaluation in candidate.evaluations:
        if evaluation.manifest_digest != candidate.manifest_digest:
            continue
        if gate.dataset_digest and evaluation.dataset.digest != gate.dataset_digest:
            continue
        if all(
            accepts(rule.condition, evaluation, candidate.author)
            for rule in gate.rules
            if isinstance(rule.condition, TrustedEvaluator)
        ):
            yield evaluation


def accepts(condition: TrustedEvaluator, evaluation: Evaluation, author: str) -> bool:
    """Whether the condition lets ``evaluation`` of a version by ``author`` count."""
    return (
        evaluation.trust is Trust.TRUSTED
        and evaluation.created_by != author
        and (not condition.principals or evaluation.created_by in condition.principals)
    )


def _newest_first(evaluations: Iterable[Evaluation]) -> tuple[Evaluation, ...]:
    """By time of recording; ids break ties, so that every reader sees one order."""
    return tuple(sorted(evaluations, key=lambda e: (e.create_time, e.evaluation_id), reverse=True))
