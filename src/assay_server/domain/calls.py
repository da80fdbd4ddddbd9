"""A call as the services see it: who asks, what was granted, and what makes a retry the same."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from assay_server.domain.access import Role
from assay_server.domain.audit import AuditEntry
from assay_server.domain.events import EventType, Subject

T = TypeVar("T")


@dataclass(slots=True)
class OnRecord:
    """Whether the entry of a call was committed with a change, and the change's revision.

    The store notes it as soon as it is true, since whoever asked for the change may be gone.
    """

    is_durable: bool = False
    revision: int = 0

    def note(self, revision: int) -> None:
        """It was."""
        self.is_durable, self.revision = True, revision


@dataclass(frozen=True, slots=True)
class Call:
    """One authorized call.

    Attributes:
        permissions: What the caller may do on the resource that the call names, as the words
            of ``access.permissions.Permission``.
        roles: The caller's roles there.
        readable_namespaces: For calls over many namespaces, and for those that may draw on more
            than what they name; None stands for all.
        request_id: Empty when the client gave none.
        payload_sha256: Hex digest of the server's own deterministic encoding of the request
            without its request id.
        entry: Makes what the audit trail says when the call succeeds, but for time and revision;
            only what changes something asks for it.
        on_record: Whether it says so already.
    """

    principal: str
    method: str
    permissions: frozenset[str]
    roles: frozenset[Role]
    readable_namespaces: frozenset[str] | None
    request_id: str
    payload_sha256: str
    entry: Callable[[], AuditEntry]
    on_record: OnRecord = field(default_factory=OnRecord, compare=False)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event before its revision is known."""

    event_type: EventType
    name: str
    namespace_id: str
    subject: Subject


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """What a transaction decided. Without ``happened`` no revision is used."""

    answer: T
    happened: tuple[Happened, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed(Generic[T]):
    """The answer of a mutation, first or repeated, and the revision it made.

    ``is_replay`` is True when an earlier call with the same request id did the work; such a
    call has no audit entry of its own yet.
    """

    answer: T
    revision: int
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Stamped(Generic[T]):
    """The answer of a read and the revision at which it was true."""

    answer: T
    revision: int


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most ``size`` items after the key ``after``."""

    size: int
    after: tuple[str | int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """Part of a list; ``next_after`` is None on the last page."""

    items: tuple[T, ...]
    next_after: tuple[str | int, ...] | None = None
