"""Aliases: moving names on a model, moved by compare-and-set, with their whole history.

Rules:
- An alias can never look like a version, and ``latest`` and ``greatest`` are not aliases.
- An alias points to READY or DEPRECATED versions only at the moment it is moved.
- An alias that has a gate is protected: it moves only through the gate.
- Nobody moves an alias blindly: who moves one says where it points, as far as they know.
"""

from dataclasses import dataclass
from datetime import datetime

from assay_server.domain.errors import AliasMoved, VersionNotReady
from assay_server.domain.gates import Verdict
from assay_server.domain.names import AliasName, alias_name, version_name
from assay_server.domain.versions import Version, VersionState


@dataclass(frozen=True, slots=True)
class Alias:
    """Where an alias points now."""

    namespace_id: str
    model_id: str
    alias_id: str
    number: int
    moved_by: str
    move_time: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class AliasMove:
    """One step in the history of an alias; a number of 0 stands for "no version".

    ``verdict`` is what the gates said; None where none guarded the alias. ``etag`` is that which
    the move gave the alias.
    """

    namespace_id: str
    model_id: str
    alias_id: str
    number: int
    previous_number: int
    moved_by: str
    move_time: datetime
    reason: str
    revision: int
    verdict: Verdict | None = None
    etag: str = ""


def require_expected(name: AliasName, alias: Alias | None, expected: int | None) -> int:
    """Where the alias points, if the caller knows; 0 is nowhere.

    Args:
        name: The alias.
        alias: As it is; None where there is none.
        expected: Where the caller thinks it points; None says nothing, which will do only
            where there is no such alias yet.

    Raises:
        AliasMoved: It points elsewhere.
    """
    current = alias.number if alias else 0
    if current != (expected or 0):
        raise AliasMoved(alias_name(*name), expected_number=expected or 0, current_number=current)
    return current


def require_target(version: Version) -> Version:
    """``version``, if an alias may be pointed to it.

    Raises:
        VersionNotReady: It is not published, or was withdrawn.
    """
    if version.state not in (VersionState.READY, VersionState.DEPRECATED):
        name = version_name(version.namespace_id, version.model_id, version.number)
        raise VersionNotReady(name, version.state)
    return version
