"""The first request of a call, decoded inside, so that unreadable ones are audited too."""

from typing import Any

import grpc

from assay_server.domain.errors.families import quotable
from assay_server.transport.errors import MessageUndecodable, MethodUnknown
from assay_server.transport.interceptors.rpc import Proceed, Rpc


async def decoded(rpc: Rpc, proceed: Proceed) -> bytes | None:
    """Read the only or the first request; what follows it is read by the handler."""
    if rpc.method.decode is None:
        raise MethodUnknown(quotable(rpc.method.full_name))
    raw: Any = await rpc.moving(rpc.context.read())
    if raw is grpc.aio.EOF:
        raise MessageUndecodable
    rpc.request = rpc.decoded(raw)
    return await proceed(rpc)
