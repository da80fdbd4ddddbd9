"""Doing the same to many things, a few at a time."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import TypeVar

from assay.connection import CARRIERS

Item = TypeVar("Item")

FILES_AT_ONCE = 4


async def each(act: Callable[[Item], Awaitable[None]], items: Iterable[Item]) -> None:
    """Act on every item, ``FILES_AT_ONCE`` at a time; the first failure stops the others."""
    waiting = iter(items)
    workers = [asyncio.create_task(_work(act, waiting)) for _ in range(FILES_AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


class Streams:
    """The streams of one transfer: no two at a time on the same carrier of the connection."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(CARRIERS)
        self._free = list(range(CARRIERS))

    @asynccontextmanager
    async def one(self) -> AsyncIterator[int]:
        """Wait for a carrier; gives its number. The lowest first: few streams, few connections."""
        async with self._turns:
            carrier = heapq.heappop(self._free)
            try:
                yield carrier
            finally:
                heapq.heappush(self._free, carrier)


async def _work(act: Callable[[Item], Awaitable[None]], waiting: Iterator[Item]) -> None:
    for item in waiting:
        await act(item)
