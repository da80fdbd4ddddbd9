"""The first request of a call, decoded inside, so that unreadable ones are audited too."""

import asyncio
from typing import Any, Final

import grpc

from assay_server.transport.errors import DeadlinePassed, MessageUndecodable, MethodUnknown
from assay_server.transport.interceptors.rpc import Proceed, Rpc

END_TOLD_S: Final = 0.5
"""A call that broke off reads like one that ended; the core tells which a moment later, by
cancelling it. Only a client without a message waits so long for its refusal."""


async def decoded(rpc: Rpc, proceed: Proceed) -> bytes | None:
    """Read the only or the first request; what follows it is read by the handler."""
    if rpc.method.decode is None:
        raise MethodUnknown(rpc.method.full_name)
    raw: Any = await rpc.moving(rpc.context.read())
    if raw is grpc.aio.EOF:
        await asyncio.sleep(END_TOLD_S)
        raise MessageUndecodable
    rpc.request = rpc.decoded(raw)
    if rpc.context.time_remaining() == 0:
        raise DeadlinePassed
    return await proceed(rpc)
