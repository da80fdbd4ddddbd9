"""Gates: the conditions of a move, and the stored, explained answer, rule by rule.

Rules:
- A gate of the namespace and a gate of the model both apply; a model cannot loosen its namespace.
- Every unmet rule is named, not only the first.
- A metric that is absent, duplicated within an evaluation, NaN or infinite never passes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PUBLISH = "publish"
"""The gate id of publication; the gate of an alias is ``alias-<alias id>``."""


class Comparison(StrEnum):
    """How an observed value is held against a required one; both include equality."""

    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"


@dataclass(frozen=True, slots=True)
class Threshold:
    """``metric`` of the whole dataset must be at least or at most ``bound``."""

    metric: str
    comparison: Comparison
    bound: float


@dataclass(frozen=True, slots=True)
class ChampionChange:
    """``metric`` may be worse than the champion's by at most ``worsening_max``.

    Worse is read from the metric's direction. A negative ``worsening_max`` demands an
    improvement. ``is_relative`` measures in shares of the champion's magnitude. Both
    versions must be measured on the same dataset digest. Without a champion the rule holds.
    """

    metric: str
    worsening_max: float
    is_relative: bool = False
    alias_id: str = "champion"


@dataclass(frozen=True, slots=True)
class WorstSlice:
    """``metric`` of every slice of ``dimension`` (of all, when empty) must keep the bound."""

    metric: str
    comparison: Comparison
    bound: float
    dimension: str = ""


@dataclass(frozen=True, slots=True)
class SliceGap:
    """Between the best and the worst slice of ``dimension``, ``metric`` differs at most so much."""

    metric: str
    gap_max: float
    dimension: str = ""


@dataclass(frozen=True, slots=True)
class MinimumSamples:
    """The evaluation, and with ``per_slice`` each of its slices, has at least so many samples."""

    sample_count_min: int
    per_slice: bool = False


@dataclass(frozen=True, slots=True)
class TrustedEvaluator:
    """Only trusted evaluations count for this gate; with ``principals``, only theirs."""

    principals: tuple[str, ...] = ()


Condition = Threshold | ChampionChange | WorstSlice | SliceGap | MinimumSamples | TrustedEvaluator


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition with the id by which a verdict names it, unique within its gate."""

    rule_id: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules of one move in a namespace, or on one model of it.

    ``model_id`` is empty for a gate of the namespace. ``dataset_digest``, when set, limits
    the evaluations that count to those on that dataset.
    """

    namespace_id: str
    model_id: str
    gate_id: str
    rules: tuple[Rule, ...]
    dataset_digest: str
    description: str
    updated_by: str
    update_time: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule said. ``why`` is a sentence; ``observed`` and ``required`` are for people."""

    gate: str
    rule_id: str
    is_met: bool
    observed: str
    required: str
    why: str
    metric: str = ""
    slice_label: str = ""
    evaluation_id: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of all gates to one move of one version."""

    gate_id: str
    number: int
    is_open: bool
    findings: tuple[Finding, ...]
    evaluation_ids: tuple[str, ...]

    @property
    def unmet(self) -> tuple[Finding, ...]:
        """The findings that keep the gate closed."""
        return tuple(finding for finding in self.findings if not finding.is_met)
