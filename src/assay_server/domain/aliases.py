"""Aliases: moving names on a model, moved by compare-and-set, with their whole history.

Rules:
- An alias can never look like a version, and ``latest`` and ``greatest`` are not aliases.
- An alias points to READY or DEPRECATED versions only at the moment it is moved.
- An alias that has a gate is protected: it moves only through the gate.
"""

from dataclasses import dataclass
from datetime import datetime

from assay_server.domain.gates import Verdict


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

    ``verdict`` is what the gates said; None where none guarded the alias.
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
