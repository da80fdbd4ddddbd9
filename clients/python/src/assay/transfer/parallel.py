"""Doing the same to many things, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

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


async def _work(act: Callable[[Item], Awaitable[None]], waiting: Iterator[Item]) -> None:
    for item in waiting:
        await act(item)
