"""Blocking work beside the event loop, such that nothing it uses is closed under it."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def in_thread(
    act: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    """Run ``act`` in a thread. Cancelling waits for it: a thread cannot be stopped.

    Otherwise the caller would close a file that the thread still writes, and the number of its
    descriptor could by then be that of another file.
    """
    work = asyncio.ensure_future(asyncio.to_thread(act, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # nobody else will look at it
        raise
