"""Watching: committed events in revision order, for as long as anyone listens."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from itertools import groupby

from assay_server.access.permissions import Permission
from assay_server.access.requiring import require_permission
from assay_server.access.watching import may_see
from assay_server.domain.calls import Call
from assay_server.domain.errors import RevisionCompacted, RevisionInFuture
from assay_server.domain.events import Event
from assay_server.domain.names import enclosing_scope
from assay_server.ports.metadata import MetadataStore
from assay_server.services.grants import Grants

BATCH_EVENTS = 500
"""Read at once: what a stalled client costs in memory."""

AT_ONCE = 16
"""Watches that read at the same moment. A change wakes all: a thousand in a row would stand before
the answer to whoever made it, and before every other call."""

SKIPPED_MAX = 1000
"""Revisions without a message for the client before it is told how far it may resume."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All events of one revision; none in a bookmark: everything up to it was delivered."""

    revision: int
    events: tuple[Event, ...] = ()

    @property
    def undelivered_from(self) -> int:
        """Where to resume a watch whose client may not have received this one."""
        return self.revision if self.events else self.revision + 1


class WatchService:
    """The one request about events."""

    def __init__(
        self,
        store: MetadataStore,
        grants: Grants,
        *,
        bookmark_s: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._grants = grants
        self._bookmark_s = bookmark_s
        self._seconds = seconds
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def watch(
        self, call: Call, *, name_prefix: str, start_revision: int
    ) -> AsyncGenerator[Batch, None]:
        """Yield what happened from ``start_revision`` on (0: from now), then what happens.

        The first batch comes at once, a bookmark if need be: it tells where the watch stands.

        Raises:
            RevisionCompacted: History before the oldest kept revision is asked for, or the
                client was so slow that it fell out of history.
            RevisionInFuture: The registry was never there.
            NotFound, PermissionDenied: The caller lost the right to watch the prefix.
        """
        following = await self._first(start_revision)
        told, told_s = following - 1, -self._bookmark_s
        while True:
            async with self._turns:
                await asyncio.sleep(0)  # calls that are ready go first
                events, through = await self._read(call, name_prefix, following)
            for revision, group in groupby(events, key=lambda event: event.revision):
                if seen := await self._seen(call, tuple(group)):
                    yield Batch(revision, seen)
                    told, told_s = revision, self._seconds()
            following = max(following, through + 1)
            is_late = self._seconds() - told_s >= self._bookmark_s
            if is_late or following - 1 - told >= SKIPPED_MAX:
                yield Batch(following - 1)
                told, told_s = following - 1, self._seconds()
            left_s = told_s + self._bookmark_s - self._seconds()
            await self._store.wait_past(following - 1, max(left_s, 0))

    async def _first(self, start_revision: int) -> int:
        """The first revision to deliver."""
        newest = await self._store.wait_past(-1, 0)
        if start_revision > newest + 1:
            raise RevisionInFuture(start_revision, newest)
        return start_revision or newest + 1

    async def _read(
        self, call: Call, name_prefix: str, following: int
    ) -> tuple[tuple[Event, ...], int]:
        """Read on, with the rights of this moment."""
        among: frozenset[str] | None = None
        if name_prefix:
            granted = await self._grants.at(call.principal, enclosing_scope(name_prefix))
            require_permission(
                granted, Permission.WATCH_READ, resource=name_prefix, principal=call.principal
            )
        else:
            among = await self._grants.readable(call.principal, Permission.WATCH_READ)
        async with self._store.read() as reader:
            oldest = await reader.events.oldest()
            if following < oldest:
                raise RevisionCompacted(following, oldest)
            return await reader.events.since(
                following, name_prefix=name_prefix, among=among, limit=BATCH_EVENTS
            )

    async def _seen(self, call: Call, events: tuple[Event, ...]) -> tuple[Event, ...]:
        seen: list[Event] = []
        for event in events:
            granted = await self._grants.at(call.principal, enclosing_scope(event.name))
            if may_see(event, granted, call.principal):
                seen.append(event)
        return tuple(seen)
