"""What has begun is waited for: whoever asked may be gone, but must leave knowing the outcome."""

import asyncio
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def outcome(of: "asyncio.Future[T]") -> T:
    """Wait for ``of``. Whoever is cancelled meanwhile is so when it is done, not before."""
    try:
        return await asyncio.shield(of)
    except asyncio.CancelledError:
        await settled(of)
        raise


async def settled(future: "asyncio.Future[Any]") -> None:
    """Wait until ``future`` is done, however often we are cancelled."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({future})
