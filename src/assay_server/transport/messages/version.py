"""Model versions on the wire."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from weakref import ref

from assay.v1 import version_pb2
from assay_server.domain import limits
from assay_server.domain.bumps import Asked
from assay_server.domain.errors import InvalidField
from assay_server.domain.manifest import File
from assay_server.domain.names import version_name
from assay_server.domain.versions import Bump, DraftChange, Version, VersionChange, VersionState
from assay_server.transport.messages import facts, file, gate
from assay_server.transport.translating.enums import from_enum, to_enum
from assay_server.transport.translating.timestamps import to_timestamp

EDITABLE = ("tags", "description", "card")
"""Paths that an update mask may name."""


@dataclass(frozen=True, slots=True)
class _Made:
    """The message of one version, which goes when the version does."""

    version: "ref[Version]"
    alias_ids: tuple[str, ...]
    message: version_pb2.ModelVersion


_made: dict[int, _Made] = {}
"""By ``id(version)``. The store gives the same value for the same row, so that what is asked for
again and again is translated once."""


def to_message(version: Version, alias_ids: tuple[str, ...] = ()) -> version_pb2.ModelVersion:
    """Translate for an answer; files, card and verdict appear where ``version`` has them.

    The message is shared: to be put into an answer, which copies it, and not to be changed.
    """
    key = id(version)
    made = _made.get(key)
    if made is None or made.version() is not version or made.alias_ids != alias_ids:
        forget = ref(version, lambda gone: _forget(key, gone))
        made = _made[key] = _Made(forget, alias_ids, _message(version, alias_ids))
    return made.message


def _forget(key: int, gone: "ref[Version]") -> None:
    made = _made.get(key)
    if made is not None and made.version is gone:
        del _made[key]


def _message(version: Version, alias_ids: Iterable[str]) -> version_pb2.ModelVersion:
    return version_pb2.ModelVersion(
        name=version_name(version.namespace_id, version.model_id, version.number),
        uid=version.version_uid,
        number=version.number,
        semver=version.semver,
        state=to_enum(version.state, version_pb2.VersionState),
        state_reason=version.state_reason,
        manifest_digest=version.manifest.digest,
        record_digest=version.record_digest,
        size_bytes=version.size_bytes,
        files=map(file.to_message, version.manifest.files),
        file_count=version.file_count,
        facts=facts.to_message(version.facts),
        description=version.description,
        card=version.card,
        tags=version.tags,
        created_by=version.created_by,
        create_time=to_timestamp(version.create_time),
        update_time=to_timestamp(version.update_time),
        published_by=version.published_by,
        publish_time=to_timestamp(version.publish_time),
        delete_time=to_timestamp(version.delete_time),
        aliases=alias_ids,
        etag=version.etag,
        publish_verdict=gate.verdict_message(version.publish_verdict, version),
        semver_reasons=version.semver_reasons,
    )


def from_message(message: version_pb2.ModelVersion, *, fields: Set[str]) -> VersionChange:
    """Translate and check those ``fields`` that people edit; all else is left alone.

    Raises:
        InvalidField: One is over its limit or breaks its grammar.
    """
    change = VersionChange(
        description=message.description if "description" in fields else None,
        card=message.card if "card" in fields else None,
        tags=dict(message.tags) if "tags" in fields else None,
    )
    limits.require_description(change.description or "", field="version.description")
    limits.require_card(change.card or "", field="version.card")
    limits.require_tags(change.tags or {}, field="version.tags")
    return change


def stated_of(message: version_pb2.ModelVersion) -> DraftChange:
    """What a version is to be made of besides its files.

    Raises:
        InvalidField: Something is over its limit or breaks its grammar.
    """
    edited = from_message(message, fields=frozenset(EDITABLE))
    return DraftChange(
        facts.from_message(message.facts), edited.description, edited.card, edited.tags
    )


def files_of(message: version_pb2.ModelVersion) -> tuple[File, ...]:
    """The files that a version is to have.

    Raises:
        InvalidField: There is none, or a digest is none.
    """
    if not message.files:
        raise InvalidField("version.files", "is empty; a version has at least one file")
    return tuple(
        file.from_message(one, field=f"version.files[{place}]")
        for place, one in enumerate(message.files)
    )


def asked_of(number: int, semver: str) -> Asked:
    """What semantic version a request asks for."""
    return Asked(bump_of(number), semver)


def bump_of(number: int) -> Bump | None:
    """The bump that a request names; None leaves it to the server."""
    if not number:
        return None
    return from_enum(number, version_pb2.Bump, Bump, field="bump")


def states_of(numbers: Iterable[int], *, show_deleted: bool) -> frozenset[VersionState]:
    """The states that a list is limited to; all but DELETED unless told otherwise."""
    named = frozenset(
        from_enum(number, version_pb2.VersionState, VersionState, field="states")
        for number in numbers
    )
    if named:
        return named
    hidden = frozenset() if show_deleted else frozenset({VersionState.DELETED})
    return frozenset(VersionState) - hidden
