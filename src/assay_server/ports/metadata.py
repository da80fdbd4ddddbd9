"""The store of all facts but bytes.

Verbs: ``get`` reads or raises ``NotFound``; ``find`` reads or returns None; ``list`` reads a
page; ``lock`` reads and holds the row until the transaction ends; ``add`` must be new or
raises ``AlreadyExists``; ``save`` writes what was locked; ``remove`` deletes.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar, overload

from assay_server.domain.calls import Call, Change, Committed
from assay_server.ports.access import BindingReads, Bindings, NamespaceReads, Namespaces
from assay_server.ports.evaluating import EvaluationReads, Evaluations, GateReads, Gates
from assay_server.ports.events import EventReads
from assay_server.ports.registry import (
    Aliases,
    AliasReads,
    DraftReads,
    Drafts,
    ModelReads,
    Models,
    VersionReads,
    Versions,
)
from assay_server.ports.uploads import UploadReads, Uploads

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
Asking = Coroutine[Any, Any, T]


class Together(Protocol):
    """Several reads, or locks, in one way to the database and back.

    Each gives what it would give alone; the first that fails decides what is raised. They see
    one moment, from before any of them had to wait for a lock: what a lock protects is read in
    the next step, unless it is the locked row itself.
    """

    @overload
    async def __call__(self, a: Asking[A], b: Asking[B], /) -> tuple[A, B]: ...
    @overload
    async def __call__(self, a: Asking[A], b: Asking[B], c: Asking[C], /) -> tuple[A, B, C]: ...
    @overload
    async def __call__(
        self, a: Asking[A], b: Asking[B], c: Asking[C], d: Asking[D], /
    ) -> tuple[A, B, C, D]: ...
    @overload
    async def __call__(
        self, a: Asking[A], b: Asking[B], c: Asking[C], d: Asking[D], e: Asking[E], /
    ) -> tuple[A, B, C, D, E]: ...


class Reader(Protocol):
    """A view of the facts. Every value returned is durable already."""

    @property
    def together(self) -> Together: ...
    @property
    def revision(self) -> int:
        """The revision of the snapshot of the first read made through this reader."""
        ...

    @property
    def namespaces(self) -> NamespaceReads: ...
    @property
    def models(self) -> ModelReads: ...
    @property
    def drafts(self) -> DraftReads: ...
    @property
    def versions(self) -> VersionReads: ...
    @property
    def aliases(self) -> AliasReads: ...
    @property
    def evaluations(self) -> EvaluationReads: ...
    @property
    def gates(self) -> GateReads: ...
    @property
    def bindings(self) -> BindingReads: ...
    @property
    def uploads(self) -> UploadReads: ...
    @property
    def events(self) -> EventReads: ...


class Transaction(Protocol):
    """All or nothing. What is added or saved is visible to others only after the commit."""

    @property
    def together(self) -> Together: ...
    @property
    def namespaces(self) -> Namespaces: ...
    @property
    def models(self) -> Models: ...
    @property
    def drafts(self) -> Drafts: ...
    @property
    def versions(self) -> Versions: ...
    @property
    def aliases(self) -> Aliases: ...
    @property
    def evaluations(self) -> Evaluations: ...
    @property
    def gates(self) -> Gates: ...
    @property
    def bindings(self) -> Bindings: ...
    @property
    def uploads(self) -> Uploads: ...


class MetadataStore(Protocol):
    """Where facts are kept."""

    def read(self, as_of: int = 0) -> AbstractAsyncContextManager[Reader]:
        """Open a reader.

        Args:
            as_of: Facts are read as they were at this revision, which is then that of the
                reader; namespaces, drafts and uploads, and with 0 everything, as they are now.

        Raises:
            RevisionInFuture, RevisionCompacted: On entering; nothing is known of ``as_of``.
        """
        ...

    async def change(
        self,
        call: Call,
        answer_type: type[T],
        body: Callable[[Transaction], Awaitable[Change[T]]],
        *,
        allowed: Callable[[Transaction, T], Awaitable[None]] | None = None,
    ) -> Committed[T]:
        """Run ``body`` once in a transaction and commit what it did together with its trail.

        In one transaction: the writes of ``body``; when something happened the next revision
        and the events under it; the row of the request id with the answer; the audit entry.
        When the caller used the request id before for the same payload, ``body`` ends at the
        first that it asks, nothing of it is kept, and the first answer is returned. What
        ``body`` asks of the caller's rights is then asked by ``allowed``, of that answer:
        whoever lost them since is refused, as if they had come for the first time. Neither must
        await anything but ``tx``.

        ``call.on_record`` is told of the entry when it is durable. A caller that is cancelled
        when its body may have begun stays until it is known what came of it.

        Raises:
            RequestIdReused: The request id was used with another payload.
            Conflict: A change at the same moment won; nothing was written.
            StorageFull: No space is left; nothing was written.
            StoreUnavailable: The store does not answer; the outcome may be unknown.
            RegistryError: Whatever ``body`` raises, after rolling back.
        """
        ...

    async def note_durable(self, upload_name: str, *, epoch: int, durable_bytes: int) -> None:
        """Remember how much of an upload survives a crash; no revision, event or audit entry.

        Raises:
            UploadFenced: The upload has another epoch by now, or is not open any more.
            StorageFull: As ``require_space``, or no space is left at all.
        """
        ...

    def require_space(self) -> None:
        """Ask before bytes are taken that may lie on the disk of the facts.

        Raises:
            StorageFull: What is left of that disk is for the audit trail; no change is taken.
        """
        ...

    async def wait_past(self, revision: int, timeout_s: float) -> int:
        """Return the newest revision as soon as it is past ``revision``, or after the timeout."""
        ...
