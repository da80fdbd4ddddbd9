"""What must agree in a registry, and what it means when something does not. Nothing is mended.

A problem is a broken promise. A note is what a crash or an age leaves behind by design: garbage
that collection takes away, digests that are renewed when they are needed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assay_server.domain.manifest import File, Manifest, build_manifest
from assay_server.domain.names import alias_name, version_name
from assay_server.domain.records import record_digest
from assay_server.domain.versions import Version


class Check(StrEnum):
    """What is looked at, in this order."""

    DATABASE = "database"
    EVENTS = "events"
    VERSIONS = "versions"
    HISTORY = "history"
    ALIASES = "aliases"
    AUDIT = "audit"
    BLOBS = "blobs"
    STAGING = "staging"


class Level(StrEnum):
    """Whether somebody has to do something."""

    PROBLEM = "problem"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Discovery:
    """One thing that is not as it should be."""

    check: Check
    subject: str
    said: str
    level: Level = Level.PROBLEM
    used_by: tuple[str, ...] = ()
    """Of bytes: the files of versions and drafts that are these."""
    place: str = ""
    """Of bytes: where they lie."""


@dataclass(frozen=True, slots=True)
class SeenEvents:
    """The events of one revision; ``unreadable`` holds positions of those that make no sense."""

    revision: int
    positions: tuple[int, ...]
    unreadable: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """A row of a version, and the rows of its files; ``version`` is None when it is unreadable."""

    number: int
    version: Version | None
    manifest_digest: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class SeenState:
    """What marks the state of a model or version now, and in the newest row of its history."""

    name: str
    now: tuple[str | int, ...]
    kept: tuple[str | int, ...] | None


@dataclass(frozen=True, slots=True)
class SeenMove:
    """A row of the history of an alias."""

    alias_id: str
    revision: int
    number: int
    previous_number: int


@dataclass(frozen=True, slots=True)
class SeenBlob:
    """What lies under the name of a digest. ``is_sound`` is None where nobody hashed it."""

    size_bytes: int | None
    is_sound: bool | None = None
    has_leaves: bool = True
    leaves_are_sound: bool = True


def check_events(seen: Sequence[SeenEvents], first: int, last: int) -> Iterator[Discovery]:
    """Each revision from ``first`` to ``last`` has its events, and they can be read."""
    by_revision = {events.revision: events for events in seen}
    for revision in range(first, last + 1):
        events = by_revision.get(revision)
        subject = f"revision {revision}"
        if events is None:
            yield Discovery(Check.EVENTS, subject, "has no event: a watcher would never know")
            continue
        if events.positions != tuple(range(len(events.positions))):
            yield Discovery(Check.EVENTS, subject, "lacks some of its events")
        for position in events.unreadable:
            yield Discovery(Check.EVENTS, subject, f"has an event that cannot be read: {position}")


def check_numbers(name: str, high_water: int, numbers: Sequence[int]) -> Iterator[Discovery]:
    """Versions count from 1 without gaps up to the counter of their model."""
    for number in sorted({*range(1, high_water + 1)} - {*numbers}):
        yield Discovery(Check.VERSIONS, f"{name}/versions/{number}", "was given and is not there")
    for number in numbers:
        if number > high_water:
            said = f"is past {high_water}, the newest that its model knows of"
            yield Discovery(Check.VERSIONS, f"{name}/versions/{number}", said)


def check_version(model: tuple[str, str], seen: SeenVersion) -> Iterator[Discovery]:
    """A version is what its digests say."""
    name = version_name(*model, seen.number)
    version = seen.version
    if version is None:
        yield Discovery(Check.VERSIONS, name, "cannot be read")
        return
    manifest = _manifest(version.manifest.files)
    if manifest is None:
        yield Discovery(Check.VERSIONS, name, "has a manifest that breaks the rules")
        return
    broken = {
        "its files do not have the digest of its manifest": (
            not manifest.digest == version.manifest.digest == seen.manifest_digest
        ),
        "its files and facts do not have the digest of its record": (
            record_digest(manifest, version.facts) != version.record_digest
        ),
        "its list of files is not that of its manifest": (
            tuple(sorted(seen.files, key=lambda file: file.path)) != manifest.files
        ),
        "its size or count of files is not that of its manifest": (
            (version.size_bytes, version.file_count) != (manifest.size_bytes, len(manifest.files))
        ),
    }
    for said, is_broken in broken.items():
        if is_broken:
            yield Discovery(Check.VERSIONS, name, said)


def check_history(seen: Iterable[SeenState]) -> Iterator[Discovery]:
    """What is kept of the past leads to what is now."""
    for state in seen:
        if state.kept is None:
            yield Discovery(Check.HISTORY, state.name, "has no history")
        elif state.kept != state.now:
            yield Discovery(Check.HISTORY, state.name, "is not what its history leads to")


def check_aliases(
    model: tuple[str, str], current: Mapping[str, int], moves: Iterable[SeenMove]
) -> Iterator[Discovery]:
    """The history of each alias leads, step by step, to where it points; moves are in order."""
    at: dict[str, int] = {}
    for move in moves:
        if at.get(move.alias_id, 0) != move.previous_number:
            said = (
                f"came from {move.previous_number} at revision {move.revision}, "
                f"but pointed to {at.get(move.alias_id, 0)} before"
            )
            yield Discovery(Check.ALIASES, alias_name(*model, move.alias_id), said)
        at[move.alias_id] = move.number
    for alias_id in sorted({*at, *current}):
        points, led = current.get(alias_id, 0), at.get(alias_id, 0)
        if points != led:
            said = f"points to {points}, but its history leads to {led} (0 is nowhere)"
            yield Discovery(Check.ALIASES, alias_name(*model, alias_id), said)


def check_audit(
    entries: Mapping[int, int], first: int, last: int, newest: int
) -> Iterator[Discovery]:
    """Each change from ``first`` to ``last`` has one entry, and no entry tells of another."""
    for revision in range(first, last + 1):
        count = entries.get(revision, 0)
        if count != 1:
            said = "has no audit entry" if not count else f"has {count} audit entries"
            yield Discovery(Check.AUDIT, f"revision {revision}", said)
    for revision in sorted(entries):
        if revision > newest:
            said = f"has an audit entry, but the newest revision is {newest}"
            yield Discovery(Check.AUDIT, f"revision {revision}", said)


def check_blob(sha256: str, size_bytes: int, seen: SeenBlob) -> Iterator[Discovery]:
    """The bytes under a name that facts refer to are there, and are those."""
    subject = f"sha256:{sha256}"
    if seen.size_bytes is None:
        yield Discovery(Check.BLOBS, subject, "is missing")
    elif seen.size_bytes != size_bytes:
        yield Discovery(Check.BLOBS, subject, f"has {seen.size_bytes} bytes, not {size_bytes}")
    elif seen.is_sound is False:
        yield Discovery(Check.BLOBS, subject, "is damaged: its bytes have another digest")
    elif not seen.has_leaves:
        said = "lacks the digests of its leaves; they are renewed when it is read"
        yield Discovery(Check.BLOBS, subject, said, Level.NOTE)
    elif not seen.leaves_are_sound:
        yield Discovery(Check.BLOBS, subject, "has damaged digests of its leaves")


def check_staged(staged: Mapping[str, int], durable: Mapping[str, int]) -> Iterator[Discovery]:
    """What lies in staging is of open uploads, and has what was promised to them."""
    for upload_id in sorted({*staged} - {*durable}):
        said = "is of no open upload; collection takes it away when it is old"
        yield Discovery(Check.STAGING, upload_id, said, Level.NOTE)
    for upload_id, durable_bytes in sorted(durable.items()):
        if staged.get(upload_id, 0) < durable_bytes:
            said = (
                f"has {staged.get(upload_id, 0)} of {durable_bytes} bytes that were kept, as after "
                "a restore; its client sends them again"
            )
            yield Discovery(Check.STAGING, upload_id, said, Level.NOTE)


def _manifest(files: Sequence[File]) -> Manifest | None:
    try:
        return build_manifest(files)
    except Exception:  # noqa: BLE001 - whatever rule it breaks, it could not have been sealed
        return None
