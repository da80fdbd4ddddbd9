"""Metrics as a person writes them, and the messages that they stand for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assay.errors import InvalidMetric
from assay.v1.evaluation_pb2 import Direction, Metric, Slice


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its unit, and which way it improves."""

    value: float
    direction: "Direction.ValueType"
    unit: str = ""


Metrics = Mapping[str, float | Measured] | Iterable[Metric]
"""By name. A bare number will do for well-known names such as ``accuracy``."""

Slices = Mapping[str, Mapping[str, tuple[int, Metrics]]] | Iterable[Slice]
"""By dimension and value: how many samples, and their metrics."""

_HIGHER = {
    "accuracy", "auc", "average_precision", "balanced_accuracy", "bleu", "exact_match", "f1",
    "map", "mcc", "ndcg", "precision", "r2", "recall", "roc_auc", "rouge", "sensitivity",
    "specificity", "throughput",
}  # fmt: skip
_LOWER = {
    "brier", "cross_entropy", "error", "latency", "log_loss", "loss", "mae", "mape", "memory",
    "mse", "perplexity", "rmse", "wer",
}  # fmt: skip


def higher(value: float, unit: str = "") -> Measured:
    """Measured so, and better the higher: ``higher(0.97, "ratio")``."""
    return Measured(float(value), Direction.DIRECTION_HIGHER_IS_BETTER, unit)


def lower(value: float, unit: str = "") -> Measured:
    """Measured so, and better the lower: ``lower(3.2, "ms")``."""
    return Measured(float(value), Direction.DIRECTION_LOWER_IS_BETTER, unit)


def metrics_of(metrics: Metrics) -> list[Metric]:
    """The messages for ``metrics``.

    Raises:
        InvalidMetric: A bare number has a name that does not tell which way it improves.
    """
    if not isinstance(metrics, Mapping):
        return list(metrics)
    messages = []
    for name, given in metrics.items():
        measured = given if isinstance(given, Measured) else _known(name, given)
        messages.append(
            Metric(
                metric=name,
                value=measured.value,
                direction=measured.direction,
                unit=measured.unit,
            )
        )
    return messages


def slices_of(slices: Slices) -> list[Slice]:
    """The messages for ``slices``."""
    if not isinstance(slices, Mapping):
        return list(slices)
    return [
        Slice(
            dimension=dimension,
            value=str(value),
            sample_count=int(sample_count),
            metrics=metrics_of(metrics),
        )
        for dimension, values in slices.items()
        for value, (sample_count, metrics) in values.items()
    ]


def _known(name: str, value: float) -> Measured:
    """``accuracy``, ``accuracy_top5`` and ``latency_p99`` begin with what tells the direction."""
    words = name.split("_")
    beginnings = {"_".join(words[:count]) for count in range(1, len(words) + 1)}
    if beginnings & _HIGHER:
        return higher(value)
    if beginnings & _LOWER:
        return lower(value)
    raise InvalidMetric(
        f"Nobody can tell whether more {name} is better: write assay.higher({value!r}) or "
        f"assay.lower({value!r})."
    )
