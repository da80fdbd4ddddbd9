"""Values with sensible contents, of which a test names only what it is about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from assay_server.domain.evaluations import Direction, Evaluation, Metric, Slice, Trust
from assay_server.domain.facts import DatasetReference, Facts, Runtime
from assay_server.domain.manifest import File, Manifest
from assay_server.domain.versions import Draft, DraftState, Version, VersionState

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HEX = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
"""SHA-256 of "hello" and a line feed."""

MANIFEST = Manifest((File("model.joblib", 6, HEX),), "sha256:" + "a" * 64)
DATASET = "sha256:" + "d" * 64

_VERSION = Version(
    namespace_id="vision",
    model_id="digits",
    number=7,
    version_uid="u7",
    manifest=MANIFEST,
    record_digest="sha256:" + "b" * 64,
    facts=Facts(),
    state=VersionState.CANDIDATE,
    description="",
    card="",
    tags={},
    created_by="spiffe://lab/ann",
    create_time=NOON,
    update_time=NOON,
    etag="e1",
)

_DRAFT = Draft(
    namespace_id="vision",
    model_id="digits",
    draft_id="d1",
    facts=Facts(),
    description="",
    card="",
    tags={},
    state=DraftState.OPEN,
    created_by="spiffe://lab/ann",
    create_time=NOON,
    update_time=NOON,
    expire_time=NOON + timedelta(days=1),
    etag="e1",
    files=MANIFEST.files,
)


def make_version(**changes: Any) -> Version:
    """Version 7 of vision/digits: a candidate made by Ann."""
    return replace(_VERSION, **changes)


def make_draft(**changes: Any) -> Draft:
    """An open draft of Ann's, with one file."""
    return replace(_DRAFT, **changes)


def make_metric(
    name: str, value: float, *, lower_is_better: bool = False, unit: str = "ratio"
) -> Metric:
    """A metric that is better when higher unless said otherwise."""
    direction = Direction.LOWER_IS_BETTER if lower_is_better else Direction.HIGHER_IS_BETTER
    return Metric(name, value, direction, unit)


def make_slice(label: str, *metrics: Metric, sample_count: int = 50) -> Slice:
    """A slice from its label, such as ``class=8``."""
    dimension, _, value = label.partition("=")
    return Slice(dimension, value, sample_count, metrics)


def make_evaluation(
    *metrics: Metric,
    slices: tuple[Slice, ...] = (),
    minute: int = 0,
    dataset_digest: str = DATASET,
    tags: Mapping[str, str] | None = None,
    **changes: Any,
) -> Evaluation:
    """A trusted evaluation of version 7 by Eve, ``minute`` minutes after noon."""
    evaluation = Evaluation(
        namespace_id="vision",
        model_id="digits",
        number=7,
        evaluation_id=f"e{minute}",
        dataset=DatasetReference(uri="dvc://digits/test", digest=dataset_digest),
        metrics=metrics,
        slices=slices,
        sample_count=500,
        manifest_digest=MANIFEST.digest,
        evaluator_code_digest="",
        runtime=Runtime(),
        trust=Trust.TRUSTED,
        created_by="spiffe://lab/eve",
        create_time=NOON + timedelta(minutes=minute),
        tags=tags or {},
    )
    return replace(evaluation, **changes)
