"""What may be recorded as an evaluation, and who vouches for it.

Rules:
- Metrics are finite and named once; slices are told apart by dimension and value.
- The whole has samples, each slice has samples and not more than the whole.
- An evaluation is trusted when its maker holds the evaluator role and is not the author of the
  version; whatever else its maker may be, it is self-reported otherwise.
"""

import math
import re
from collections.abc import Sequence

from assay_server.domain.canonical import INTEGER_MAX
from assay_server.domain.errors import InvalidField, InvalidMetric
from assay_server.domain.errors.families import quoted
from assay_server.domain.evaluations import Evaluation, Metric, Slice, Trust
from assay_server.domain.limits import require_description, require_line, require_tags
from assay_server.domain.stating import require_any_digest, require_dataset, require_runtime

METRICS_MAX = 256
SLICES_MAX = 1024
UNIT_BYTES_MAX = 64
SLICE_BYTES_MAX = 256

_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_.@/-]{0,127}")
"""Wide enough for names that tools give, such as ``precision@5`` or ``val/loss``."""


def require_evaluation(evaluation: Evaluation) -> Evaluation:
    """``evaluation``, if it may be recorded.

    Raises:
        InvalidMetric: A metric is not finite, is named twice, or is badly named.
        InvalidField: Anything else breaks its limit.
    """
    require_dataset(evaluation.dataset, field="dataset")
    if evaluation.evaluator_code_digest:
        require_any_digest(evaluation.evaluator_code_digest, field="evaluator_code_digest")
    require_runtime(evaluation.runtime, field="runtime")
    require_description(evaluation.description)
    require_tags(evaluation.tags)
    if not 1 <= evaluation.sample_count <= INTEGER_MAX:
        raise InvalidField("sample_count", "must be at least 1")
    if not evaluation.metrics and not evaluation.slices:
        raise InvalidField("metrics", "is empty and there are no slices; nothing was measured")
    _require_metrics(evaluation.metrics, "metrics")
    _require_slices(evaluation.slices, evaluation.sample_count)
    return evaluation


def require_same_files(manifest_digest: str, sealed_digest: str, *, name: str) -> str:
    """The digest of the files that were measured: those of the version, or a refusal.

    Args:
        manifest_digest: What the evaluator says it measured; empty stands for the version's own.
        sealed_digest: That of the version.
        name: Resource name of the version.

    Raises:
        InvalidField: Other files were measured.
    """
    if manifest_digest and manifest_digest != sealed_digest:
        raise InvalidField(
            "manifest_digest",
            f"is {quoted(manifest_digest)}, but {name} has {sealed_digest}; record it on the "
            "version that was measured",
        )
    return sealed_digest


def trust_of(*, holds_evaluator_role: bool, evaluator: str, author: str) -> Trust:
    """Who vouches for what ``evaluator`` measured of a version that ``author`` made."""
    if holds_evaluator_role and evaluator != author:
        return Trust.TRUSTED
    return Trust.SELF_REPORTED


def _require_metrics(metrics: Sequence[Metric], field: str) -> None:
    if len(metrics) > METRICS_MAX:
        raise InvalidField(field, f"has {len(metrics)} entries, but may have {METRICS_MAX}")
    names: set[str] = set()
    for metric in metrics:
        problem = _problem(metric)
        if metric.name in names:
            problem = "it is given twice"
        if problem:
            raise InvalidMetric(metric.name, problem, field=field)
        require_line(metric.unit, field=f"{field}.unit", bytes_max=UNIT_BYTES_MAX)
        names.add(metric.name)


def _problem(metric: Metric) -> str:
    if not _METRIC.fullmatch(metric.name):
        return "a name has 1 to 128 letters, digits and _.@/-, beginning with a letter"
    if not math.isfinite(metric.value):
        return f"its value is {metric.value}; only finite numbers can be compared"
    return ""


def _require_slices(slices: Sequence[Slice], sample_count: int) -> None:
    if len(slices) > SLICES_MAX:
        raise InvalidField("slices", f"has {len(slices)} entries, but may have {SLICES_MAX}")
    seen: set[tuple[str, str]] = set()
    for part in slices:
        field = f"slices[{quoted(part.label)}]"
        if not part.dimension or not part.value:
            raise InvalidField("slices", "needs a dimension and a value in each entry")
        for text in (part.dimension, part.value):
            require_line(text, field=field, bytes_max=SLICE_BYTES_MAX)
        if "=" in part.dimension:
            raise InvalidField(field, "must have no = in its dimension")
        if (part.dimension, part.value) in seen:
            raise InvalidField("slices", f"names {quoted(part.label)} twice")
        seen.add((part.dimension, part.value))
        if not 1 <= part.sample_count <= sample_count:
            raise InvalidField(
                field, f"has {part.sample_count} samples, but the whole has {sample_count}"
            )
        if not part.metrics:
            raise InvalidField(field, "has no metrics")
        _require_metrics(part.metrics, field)
