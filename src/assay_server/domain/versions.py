"""Drafts and model versions.

Rules:
- Numbers count from 1 in order of sealing, without gaps, and are never reused.
- A sealed version never changes but for tags, description, card and state.
- States move only as ``LADDER`` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from assay_server.domain.facts import Facts
from assay_server.domain.gates import Verdict
from assay_server.domain.manifest import File, Manifest


class DraftState(StrEnum):
    """A draft is open until it is sealed or abandoned."""

    OPEN = "OPEN"
    SEALED = "SEALED"
    ABANDONED = "ABANDONED"


class VersionState(StrEnum):
    """Where a version is in its life."""

    CANDIDATE = "CANDIDATE"
    READY = "READY"
    DEPRECATED = "DEPRECATED"
    YANKED = "YANKED"
    DELETED = "DELETED"


class Bump(StrEnum):
    """Which part of a semantic version grows."""

    PATCH = "PATCH"
    MINOR = "MINOR"
    MAJOR = "MAJOR"


LADDER: Mapping[VersionState, frozenset[VersionState]] = {
    VersionState.CANDIDATE: frozenset(
        {VersionState.READY, VersionState.YANKED, VersionState.DELETED}
    ),
    VersionState.READY: frozenset(
        {VersionState.DEPRECATED, VersionState.YANKED, VersionState.DELETED}
    ),
    VersionState.DEPRECATED: frozenset(
        {VersionState.READY, VersionState.YANKED, VersionState.DELETED}
    ),
    VersionState.YANKED: frozenset({VersionState.DELETED}),
    VersionState.DELETED: frozenset(),
}
"""Undelete is not a step: it restores the state before the deletion."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a trainer fills: files, facts, links. Seen by its author and by managers only."""

    namespace_id: str
    model_id: str
    draft_id: str
    facts: Facts
    description: str
    card: str
    tags: Mapping[str, str]
    state: DraftState
    created_by: str
    create_time: datetime
    update_time: datetime
    expire_time: datetime
    etag: str
    files: tuple[File, ...] = ()
    sealed_number: int = 0


@dataclass(frozen=True, slots=True)
class DraftChange:
    """What an update of a draft asks for: None leaves a field as it is."""

    facts: Facts | None = None
    description: str | None = None
    card: str | None = None
    tags: Mapping[str, str] | None = field(default=None)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Version:
    """A sealed draft. ``semver`` is empty until it is published.

    ``size_bytes`` and ``file_count`` say of the manifest what lists tell, which leave its files
    out. ``publish_verdict`` and ``semver_reasons`` are why it was published, and as what.
    """

    namespace_id: str
    model_id: str
    number: int
    version_uid: str
    manifest: Manifest
    record_digest: str
    facts: Facts
    state: VersionState
    description: str
    card: str
    tags: Mapping[str, str]
    created_by: str
    create_time: datetime
    update_time: datetime
    etag: str
    semver: str = ""
    published_by: str = ""
    publish_time: datetime | None = None
    delete_time: datetime | None = None
    state_before_deletion: VersionState | None = None
    state_reason: str = ""
    size_bytes: int = 0
    file_count: int = 0
    publish_verdict: Verdict | None = None
    semver_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What an update of a version may ask for: None leaves a field as it is."""

    description: str | None = None
    card: str | None = None
    tags: Mapping[str, str] | None = field(default=None)


def outline(version: Version) -> Version:
    """``version`` as lists, events and answers to changes show it: small, whatever it holds."""
    return replace(version, manifest=Manifest((), version.manifest.digest), card="")
