"""The steps in the life of drafts and versions; each gives a changed copy or refuses.

Rules:
- Only an open draft changes; it is sealed once, complete and with files in it.
- The author of a version is the author of its draft, whoever sealed it.
- A version is published once, through an open gate; afterwards it moves as ``LADDER`` says.
- A version to which an alias points cannot be deleted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from assay_server.domain.aliases import Alias
from assay_server.domain.bumps import SemverDecision
from assay_server.domain.errors import (
    DigestMismatch,
    DraftEmpty,
    DraftIncomplete,
    DraftNotOpen,
    FilesMissing,
    IllegalTransition,
    NotDeleted,
    VersionInUse,
)
from assay_server.domain.facts import Facts
from assay_server.domain.gates import Verdict
from assay_server.domain.gating import require_open_gates
from assay_server.domain.manifest import File, Manifest, build_manifest
from assay_server.domain.names import ModelName, draft_name, version_name
from assay_server.domain.records import record_digest
from assay_server.domain.versions import (
    LADDER,
    Draft,
    DraftChange,
    DraftState,
    Version,
    VersionChange,
    VersionState,
)

DRAFT_TTL = timedelta(days=7)
"""From its last change until it may be collected: longer than a training run takes to resume."""


def require_open(draft: Draft) -> Draft:
    """``draft``, if it may still change.

    Raises:
        DraftNotOpen: It was sealed or abandoned.
    """
    if draft.state is not DraftState.OPEN:
        raise DraftNotOpen(
            _draft_name(draft),
            state=draft.state,
            sealed_number=draft.sealed_number,
            has_expired=_ended_after_its_time(draft),
        )
    return draft


def _ended_after_its_time(draft: Draft) -> bool:
    return draft.state is DraftState.ABANDONED and draft.expire_time <= draft.update_time


def edited_draft(draft: Draft, change: DraftChange, *, now: datetime, etag: str) -> Draft:
    """``draft`` with what ``change`` names."""
    live = require_open(draft)
    return replace(
        live,
        facts=live.facts if change.facts is None else change.facts,
        description=live.description if change.description is None else change.description,
        card=live.card if change.card is None else change.card,
        tags=live.tags if change.tags is None else change.tags,
        update_time=now,
        etag=etag,
    )


def abandoned(draft: Draft, *, now: datetime, etag: str) -> Draft:
    """``draft``, given up; it lets go of its files."""
    open_draft = require_open(draft)
    return replace(open_draft, state=DraftState.ABANDONED, update_time=now, etag=etag, files=())


def has_expired(draft: Draft, *, now: datetime, is_filling: bool) -> bool:
    """Whether ``draft`` is past its time; not while an upload that has time left fills it."""
    return draft.state is DraftState.OPEN and draft.expire_time <= now and not is_filling


def sealable_manifest(
    draft: Draft, *, open_paths: tuple[str, ...] = (), expected_digest: str = ""
) -> Manifest:
    """The manifest that sealing ``draft`` would give.

    Args:
        draft: With its files.
        open_paths: Paths of its uploads that are not finished.
        expected_digest: What the caller has computed; empty asks nothing.

    Raises:
        DraftNotOpen: It was sealed or abandoned.
        DraftIncomplete: An upload is still open.
        DraftEmpty: It has no file.
        DigestMismatch: The files are not those that the caller has.
    """
    name = _draft_name(require_open(draft))
    if open_paths:
        raise DraftIncomplete(name, open_paths)
    if not draft.files:
        raise DraftEmpty(name)
    return expected_manifest(draft.files, expected_digest=expected_digest, name=name)


def expected_manifest(files: Iterable[File], *, expected_digest: str, name: str) -> Manifest:
    """The manifest of ``files``, which has the digest that the caller has computed, if any.

    Raises:
        DigestMismatch: It has another; ``name`` is what the files are of.
        InvalidPath, DuplicatePath, InvalidField: See ``build_manifest``.
    """
    manifest = build_manifest(files)
    if expected_digest and expected_digest != manifest.digest:
        raise DigestMismatch(name, declared_digest=expected_digest, actual_digest=manifest.digest)
    return manifest


def require_held(manifest: Manifest, sizes: Mapping[str, int], *, model: str) -> None:
    """Check that the content of every file is there, in its size, by ``sizes`` of digests.

    Raises:
        FilesMissing: It is not; names those files.
    """
    missing = tuple(
        file.path for file in manifest.files if sizes.get(file.sha256) != file.size_bytes
    )
    if missing:
        raise FilesMissing(model, missing)


def new_draft(
    name: ModelName, wanted: DraftChange, *, by: str, draft_id: str, etag: str, now: datetime
) -> Draft:
    """An open draft without files."""
    return Draft(
        *name,
        draft_id=draft_id,
        facts=wanted.facts or Facts(),
        description=wanted.description or "",
        card=wanted.card or "",
        tags=wanted.tags or {},
        state=DraftState.OPEN,
        created_by=by,
        create_time=now,
        update_time=now,
        expire_time=now + DRAFT_TTL,
        etag=etag,
    )


def sealed(draft: Draft, number: int, *, now: datetime, etag: str) -> Draft:
    """``draft``, which became version ``number``, or was found to be that version already."""
    return replace(
        require_open(draft),
        state=DraftState.SEALED,
        sealed_number=number,
        update_time=now,
        etag=etag,
    )


def new_version(
    draft: Draft, manifest: Manifest, *, number: int, version_uid: str, now: datetime, etag: str
) -> Version:
    """The candidate that ``draft`` becomes."""
    return Version(
        namespace_id=draft.namespace_id,
        model_id=draft.model_id,
        number=number,
        version_uid=version_uid,
        manifest=manifest,
        record_digest=record_digest(manifest, draft.facts),
        facts=draft.facts,
        state=VersionState.CANDIDATE,
        description=draft.description,
        card=draft.card,
        tags=draft.tags,
        created_by=draft.created_by,
        create_time=now,
        update_time=now,
        etag=etag,
        size_bytes=manifest.size_bytes,
        file_count=len(manifest.files),
    )


def edited_version(version: Version, change: VersionChange, *, now: datetime, etag: str) -> Version:
    """``version`` with the description, card and tags that ``change`` names."""
    return replace(
        version,
        description=version.description if change.description is None else change.description,
        card=version.card if change.card is None else change.card,
        tags=version.tags if change.tags is None else change.tags,
        update_time=now,
        etag=etag,
    )


def published(
    version: Version,
    decision: SemverDecision,
    verdict: Verdict,
    *,
    by: str,
    now: datetime,
    etag: str,
) -> Version:
    """``version``, READY under the decided semver.

    Raises:
        IllegalTransition: It is not a candidate.
        GateClosed: A rule of the gate is not met.
    """
    require_candidate(version)
    require_open_gates(_version_name(version), verdict)
    return replace(
        version,
        state=VersionState.READY,
        semver=decision.semver,
        semver_reasons=decision.reasons,
        publish_verdict=verdict,
        published_by=by,
        publish_time=now,
        update_time=now,
        etag=etag,
    )


def require_candidate(version: Version) -> Version:
    """``version``, if it may be published.

    Raises:
        IllegalTransition: It was published, yanked or deleted.
    """
    if version.state is not VersionState.CANDIDATE:
        was_published = version.state in (VersionState.READY, VersionState.DEPRECATED)
        semver = version.semver if was_published else ""
        raise _illegal(version, VersionState.READY, semver=semver)
    return version


def require_not_deleted(version: Version) -> Version:
    """``version``, which is what sealing would make once more, if it was not deleted.

    Raises:
        IllegalTransition: It was: its bytes may be gone, and nothing would resolve to it.
    """
    if version.state is VersionState.DELETED:
        raise _illegal(version, VersionState.CANDIDATE, is_same=True)
    return version


def deprecated(version: Version, reason: str, *, now: datetime, etag: str) -> Version:
    """``version``, which still resolves, but with a warning."""
    return _moved(version, VersionState.DEPRECATED, reason, now=now, etag=etag)


def yanked(version: Version, reason: str, *, now: datetime, etag: str) -> Version:
    """``version``, which only pins reach any more."""
    return _moved(version, VersionState.YANKED, reason, now=now, etag=etag)


def deleted(
    version: Version, reason: str, *, aliases: Iterable[Alias], now: datetime, etag: str
) -> Version:
    """``version``, which nothing reaches any more.

    Raises:
        IllegalTransition: It is deleted already.
        VersionInUse: One of ``aliases`` points to it; names all that do.
    """
    pointing = tuple(alias.alias_id for alias in aliases if alias.number == version.number)
    if pointing:
        raise VersionInUse(_version_name(version), pointing)
    moved = _moved(
        version, VersionState.DELETED, reason or version.state_reason, now=now, etag=etag
    )
    return replace(moved, delete_time=now, state_before_deletion=version.state)


def undeleted(version: Version, *, now: datetime, etag: str) -> Version:
    """``version`` in the state before its deletion.

    Raises:
        NotDeleted: It is not deleted.
    """
    before = version.state_before_deletion
    if version.state is not VersionState.DELETED or before is None:
        raise NotDeleted(_version_name(version))
    needs_reason = before in (VersionState.DEPRECATED, VersionState.YANKED)
    return replace(
        version,
        state=before,
        state_reason=version.state_reason if needs_reason else "",
        state_before_deletion=None,
        delete_time=None,
        update_time=now,
        etag=etag,
    )


def _moved(
    version: Version, target: VersionState, reason: str, *, now: datetime, etag: str
) -> Version:
    if target not in LADDER[version.state]:
        raise _illegal(version, target)
    return replace(version, state=target, state_reason=reason, update_time=now, etag=etag)


def _illegal(
    version: Version, target: VersionState, *, semver: str = "", is_same: bool = False
) -> IllegalTransition:
    steps = tuple(state for state in VersionState if state in LADDER[version.state] - {target})
    return IllegalTransition(
        _version_name(version),
        state=version.state,
        target=target,
        allowed=steps,
        semver=semver,
        is_same=is_same,
    )


def _version_name(version: Version) -> str:
    return version_name(version.namespace_id, version.model_id, version.number)


def _draft_name(draft: Draft) -> str:
    return draft_name(draft.namespace_id, draft.model_id, draft.draft_id)
