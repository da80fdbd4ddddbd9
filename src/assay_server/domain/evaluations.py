"""Evaluations: what was measured of one version on one dataset, whole and by slice.

Rules:
- Only finite metrics count; an absent, duplicate or non-finite one never passes a gate.
- An evaluation is trusted when its maker holds the evaluator role and is not the author of
  the version; anything else is self-reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from assay_server.domain.facts import DatasetReference, Runtime


class Direction(StrEnum):
    """Which way a metric improves."""

    HIGHER_IS_BETTER = "HIGHER_IS_BETTER"
    LOWER_IS_BETTER = "LOWER_IS_BETTER"


class Trust(StrEnum):
    """Who vouches for an evaluation."""

    TRUSTED = "TRUSTED"
    SELF_REPORTED = "SELF_REPORTED"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured value. ``unit`` is free text such as "ratio", "ms", "bytes"."""

    name: str
    value: float
    direction: Direction
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """Metrics of the part of the dataset where ``dimension`` equals ``value``."""

    dimension: str
    value: str
    sample_count: int
    metrics: tuple[Metric, ...]

    @property
    def label(self) -> str:
        """How a person names the slice, e.g. ``class=8``."""
        return f"{self.dimension}={self.value}"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of one version on one dataset, recorded once and never changed."""

    namespace_id: str
    model_id: str
    number: int
    evaluation_id: str
    dataset: DatasetReference
    metrics: tuple[Metric, ...]
    slices: tuple[Slice, ...]
    sample_count: int
    manifest_digest: str
    evaluator_code_digest: str
    runtime: Runtime
    trust: Trust
    created_by: str
    create_time: datetime
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
