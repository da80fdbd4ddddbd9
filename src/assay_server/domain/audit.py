"""Audit entries: one call, allowed or denied, by whom, on what, with what outcome."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Decision(StrEnum):
    """Whether access was granted; UNDECIDED where the call failed before the question."""

    ALLOWED = "ALLOWED"
    DENIED = "DENIED"
    UNDECIDED = "UNDECIDED"


class Phase(StrEnum):
    """A unary call has one entry; a stream has an opening and a closing one."""

    CALL = "CALL"
    OPENED = "OPENED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail. ``revision`` is 0 unless the call changed something.

    ``entry_count`` is 1, or how many entries this one stands for: refusals of one certificate.
    """

    entry_id: str
    time: datetime
    principal: str
    certificate_sha256: str
    peer: str
    method: str
    resource: str
    namespace_id: str
    decision: Decision
    status: str
    reason: str
    request_id: str
    call_id: str
    phase: Phase = Phase.CALL
    revision: int = 0
    duration_us: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    role: str = ""
    entry_count: int = 1


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; an empty field leaves them all in. Times are half open."""

    principal: str = ""
    method: str = ""
    resource_prefix: str = ""
    namespace_id: str = ""
    decision: Decision | None = None
    status: str = ""
    since: datetime | None = None
    until: datetime | None = None
