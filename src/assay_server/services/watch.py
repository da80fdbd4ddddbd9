"""Watching: committed events in revision order, for as long as anyone listens."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from itertools import groupby

from assay_server.domain.calls import Call
from assay_server.domain.errors import RevisionCompacted, RevisionInFuture
from assay_server.domain.events import Event
from assay_server.ports.metadata import MetadataStore
from assay_server.services.grants import Grants
from assay_server.services.initial_state import InitialStates, Part, Place
from assay_server.services.watched import Watched

BATCH_EVENTS = 500
"""Read at once: what a stalled client costs in memory."""

AT_ONCE = 16
"""Watches that read at the same moment. A change wakes all: a thousand in a row would stand before
the answer to whoever made it, and before every other call."""

SKIPPED_MAX = 1000
"""Revisions without a message for the client before it is told how far it may resume."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All events of one revision; none in a bookmark: everything up to it was delivered.

    ``completes_state``: with the parts before, this is all that was current at the revision.
    """

    revision: int
    events: tuple[Event, ...] = ()
    completes_state: bool = False


class WatchService:
    """The request about events, with what is current before them or without."""

    def __init__(
        self,
        store: MetadataStore,
        grants: Grants,
        *,
        bookmark_s: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._watched = Watched(grants)
        self._bookmark_s = bookmark_s
        self._seconds = seconds
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._states = InitialStates(
            store, self._watched, self._turns, bookmark_s=bookmark_s, seconds=seconds
        )

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
        async with aclosing(
            self._follow(call, name_prefix, following, told_s=-self._bookmark_s)
        ) as batches:
            async for batch in batches:
                yield batch

    async def watch_with_state(
        self, call: Call, *, name_prefix: str, place: Place
    ) -> AsyncGenerator[Part | Batch, None]:
        """Yield what is current in parts, those from ``place`` on, and then what happens.

        Raises:
            RevisionCompacted, RevisionInFuture, NotFound, PermissionDenied: As for ``watch``.
        """
        place = await self._states.begin(place)
        async with aclosing(self._states.parts(call, name_prefix, place)) as parts:
            async for part in parts:
                yield part
        yield Batch(place.revision, completes_state=True)
        async with aclosing(
            self._follow(call, name_prefix, place.revision + 1, told_s=self._seconds())
        ) as batches:
            async for batch in batches:
                yield batch

    async def _follow(
        self, call: Call, name_prefix: str, following: int, *, told_s: float
    ) -> AsyncGenerator[Batch, None]:
        """Yield what happened from ``following`` on; the one before was told at ``told_s``."""
        told = following - 1
        while True:
            async with self._turns:
                await asyncio.sleep(0)  # calls that are ready go first
                events, through = await self._read(call, name_prefix, following)
            for revision, group in groupby(events, key=lambda event: event.revision):
                if seen := await self._watched.seen(call, group):
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
        among = await self._watched.among(call, name_prefix)
        async with self._store.read() as reader:
            oldest = await reader.events.oldest()
            if following < oldest:
                raise RevisionCompacted(following, oldest)
            return await reader.events.since(
                following, name_prefix=name_prefix, among=among, limit=BATCH_EVENTS
            )
