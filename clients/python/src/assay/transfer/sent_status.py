"""The status that a server sent to end an upload, which gRPC may overwrite with its own.

When a server ends a stream while a message is being written, grpc.aio sets the status twice, in
either order: what the server sent, and INTERNAL "Internal error from Core" for the write that
failed. Measured with 1.71 and 1.85: one refusal in ten arrives as the latter, which says nothing.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import grpc

Value = TypeVar("Value")

OVERWRITTEN = "Internal error from Core"

_LOOKS = 10
_LOOK_S = 0.02


class SentStatus:
    """Keeps the status that the server sent for one call."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._kept: grpc.aio.AioRpcError | None = None
        call.add_done_callback(lambda _: self._look())

    async def instead_of(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """What the server sent, where ``error`` overwrote it; else ``error``."""
        if error.details() != OVERWRITTEN:
            return error
        for _ in range(_LOOKS):
            if self._kept is not None:
                return self._kept
            await asyncio.sleep(_LOOK_S)
            self._look()
        return error

    def _look(self) -> None:
        """Keep the status as it is at this moment, unless it is gRPC's own."""
        if self._kept is not None or _now(self._call.details()) == OVERWRITTEN:
            return
        self._kept = grpc.aio.AioRpcError(
            _now(self._call.code()),
            grpc.aio.Metadata(),  # may never have come
            _now(self._call.trailing_metadata()),
            details=_now(self._call.details()),
        )


def _now(answer: Awaitable[Value]) -> Value:
    """The result of a coroutine that need not wait, as those of a call that is done."""
    step = answer.__await__()
    try:
        next(step)
    except StopIteration as stop:
        value: Value = stop.value
        return value
    raise AssertionError("the call is done")
