"""Callers that ask one after another for a while, and what they saw."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

OPERATIONS = (
    "get version",
    "resolve alias",
    "list versions",
    "create version",
    "create version by draft",
    "set alias",
)
READS = frozenset(OPERATIONS[:3])


@dataclass(slots=True)
class Run:
    """One operation under one load, once."""

    elapsed_s: float
    latencies_s: list[float] = field(default_factory=list)

    @property
    def calls_per_s(self) -> float:
        return len(self.latencies_s) / self.elapsed_s

    def quantile_ms(self, share: float) -> float:
        """The latency that ``share`` of the calls did not exceed."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


class Peer(Protocol):
    """A registry that can be put under load."""

    name: str

    def run(self, operation: str, callers: int, seconds: float) -> Run:
        """Let ``callers`` do ``operation`` for ``seconds``, each one call after another."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Several runs of the same: medians, and the spread of the rates."""

    rate: float
    least: float
    most: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Summary":
        rates = [run.calls_per_s for run in runs]
        return cls(
            statistics.median(rates),
            min(rates),
            max(rates),
            statistics.median(run.quantile_ms(0.5) for run in runs),
            statistics.median(run.quantile_ms(0.99) for run in runs),
        )


def ratios(ours: Sequence[Run], theirs: Sequence[Run]) -> tuple[float, float, float]:
    """Median, least and most of ours over theirs, run by run of the same minute."""
    each = [a.calls_per_s / b.calls_per_s for a, b in zip(ours, theirs, strict=True)]
    return statistics.median(each), min(each), max(each)
