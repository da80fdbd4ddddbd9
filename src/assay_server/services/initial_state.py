"""The state that a watch may begin with: all that was current at one revision, part by part.

No transaction spans the stream. Each part is a read of its own, of what was current at a revision
that was chosen at the beginning, so that parts fit together whatever happens in between; and a
client that was cut off goes on behind the last part that it has.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from assay_server.domain.calls import Call
from assay_server.domain.errors import RevisionCompacted, RevisionInFuture
from assay_server.domain.events import Event
from assay_server.domain.names import name_ranges, namespace_name, past_name
from assay_server.ports.metadata import MetadataStore
from assay_server.services.watched import Watched

BATCH_NAMES = 200
"""Looked at at once: what a stalled client costs in memory."""

_EVERY_NAME = (("", "~"),)
"""Names are of characters before the tilde."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far an initial state was sent: names before ``first``, as of ``revision``."""

    revision: int = 0
    first: str = ""

    def behind(self, event: Event) -> "Place":
        """Where to go on when ``event`` was sent."""
        return Place(self.revision, past_name(event.name))


@dataclass(frozen=True, slots=True)
class Part:
    """Some of what was current at a revision; none where the caller may see none for long."""

    revision: int
    events: tuple[Event, ...]


class InitialStates:
    """Reads what is current, with the rights of each moment."""

    def __init__(
        self,
        store: MetadataStore,
        watched: Watched,
        turns: asyncio.Semaphore,
        *,
        bookmark_s: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._watched = watched
        self._turns = turns
        self._bookmark_s = bookmark_s
        self._seconds = seconds

    async def begin(self, place: Place) -> Place:
        """``place``, at the newest revision unless it has one.

        Raises:
            RevisionInFuture: The registry was never there.
        """
        newest = await self._store.wait_past(-1, 0)
        if place.revision > newest:
            raise RevisionInFuture(place.revision, newest)
        return Place(place.revision or newest, place.first)

    async def parts(self, call: Call, name_prefix: str, place: Place) -> AsyncGenerator[Part, None]:
        """Yield what was current, from ``place`` on, in the order of names.

        Raises:
            RevisionCompacted: The revision is too old by now to know what was current.
            NotFound, PermissionDenied: The caller lost the right to watch the prefix.
        """
        told_s = self._seconds()
        for first, past in await self._ranges(call, name_prefix):
            while max(first, place.first) < past:
                at = Place(place.revision, max(first, place.first))
                events, place = await self._read(call, name_prefix, at, past)
                seen = await self._watched.seen(call, events)
                if seen or self._seconds() - told_s >= self._bookmark_s:
                    yield Part(place.revision, seen)
                    told_s = self._seconds()

    async def _ranges(self, call: Call, name_prefix: str) -> list[tuple[str, str]]:
        """Where the names sort that may matter. In one order, whatever the caller's rights are."""
        among = await self._watched.among(call, name_prefix)
        if name_prefix:
            return [*name_ranges(name_prefix)]
        if among is None:
            return [*_EVERY_NAME]
        return sorted(
            one for namespace_id in among for one in name_ranges(namespace_name(namespace_id))
        )

    async def _read(
        self, call: Call, name_prefix: str, at: Place, past: str
    ) -> tuple[tuple[Event, ...], Place]:
        async with self._turns:
            await asyncio.sleep(0)  # calls that are ready go first
            await self._watched.among(call, name_prefix)
            async with self._store.read() as reader:
                oldest = await reader.events.oldest()
                if at.revision + 1 < oldest:
                    raise RevisionCompacted(at.revision + 1, oldest)
                events, first = await reader.events.current(
                    at.revision, first=at.first, past=past, limit=BATCH_NAMES
                )
        return events, Place(at.revision, first or past)
