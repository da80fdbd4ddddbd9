"""One interceptor shape for all kinds of calls: concerns, one inside the other, around a handler.

grpc.aio interceptors see handlers, not calls, and handlers have four shapes. Here each known
handler is replaced by one that takes a stream of bytes: decoding happens inside, so that no
call escapes the concerns, not even one of an unknown method or with an unreadable message.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, TypeAlias

import grpc

from assay_server.domain.errors import RegistryError, StreamStalled
from assay_server.domain.errors.families import quotable
from assay_server.ports.clock import Ids
from assay_server.transport.api import METHODS, is_read
from assay_server.transport.interceptors.rpc import Context, Method, Proceed, Requests, Rpc
from assay_server.transport.permissions import Requirement

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Concern = Callable[[Rpc, Proceed], Awaitable[bytes | None]]
"""Does its part before and after ``await proceed(rpc)``, and gives back what that gave."""

STALL_S = 30.0
"""How long one message may take to arrive or to leave: a peer that is gone holds memory."""

FINISH_S = 10.0
"""How long a change may go on after its caller went away, so that its end is known."""


class Around(grpc.aio.ServerInterceptor):
    """Puts ``concerns``, outermost first, around every call but those of ``exempt`` services."""

    def __init__(
        self,
        concerns: Sequence[Concern],
        requirements: Mapping[str, Requirement],
        ids: Ids,
        *,
        message_bytes_max: int,
        exempt: frozenset[str],
        stall_s: float = STALL_S,
    ) -> None:
        self._concerns = tuple(concerns)
        self._requirements = requirements
        self._ids = ids
        self._message_bytes_max = message_bytes_max
        self._exempt = exempt
        self._stall_s = stall_s
        self._wrapped: dict[str, Handler] = {}
        self._running: set[Rpc] = set()
        self._no_more_streams: RegistryError | None = None

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        path = handler_call_details.method
        if path in self._wrapped:
            return self._wrapped[path]
        handler = await continuation(handler_call_details)
        full_name = path.removeprefix("/")
        if full_name.split("/")[0] in self._exempt and handler is not None:
            return handler
        if handler is None:
            # Whatever bytes a client calls a method must fit into every trail and log.
            return self._wrap(Method(quotable(full_name), gives_stream=False))
        self._wrapped[path] = self._wrap(_method_of(full_name, handler, self._requirements))
        return self._wrapped[path]

    def running(self) -> frozenset[Rpc]:
        """The calls in flight."""
        return frozenset(self._running)

    def end_streams(self, refusal: RegistryError) -> None:
        """End every call that would go on for ever with ``refusal``, and those that come."""
        self._no_more_streams = refusal
        for rpc in self.running():
            if rpc.method.is_endless:
                rpc.end_with(refusal)

    async def settle(self, timeout_s: float) -> None:
        """Wait until the handlers are through: ``grpc.aio.Server.stop`` does not (pitfall 7)."""
        tasks = {rpc.task for rpc in self._running if rpc.task is not asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)

    def _wrap(self, method: Method) -> Handler:
        proceed: Proceed = _many_answers if method.gives_stream else _one_answer
        for concern in reversed(self._concerns):
            proceed = _around(concern, proceed)

        async def handle(_requests: Any, context: Context) -> bytes | None:
            rpc = self._arrived(method, context)
            try:
                return await proceed(rpc)
            finally:
                self._running.discard(rpc)

        if method.gives_stream:
            return grpc.stream_stream_rpc_method_handler(handle)
        return grpc.stream_unary_rpc_method_handler(handle)

    def _arrived(self, method: Method, context: Context) -> Rpc:
        task = asyncio.current_task()
        assert task is not None
        rpc = Rpc(method, context, self._ids.new(), task, self._message_bytes_max, self._stall_s)
        self._running.add(rpc)
        if self._no_more_streams is not None and method.is_endless:
            asyncio.get_running_loop().call_soon(rpc.end_with, self._no_more_streams)
        return rpc


def _around(concern: Concern, proceed: Proceed) -> Proceed:
    def surrounded(rpc: Rpc) -> Awaitable[bytes | None]:
        return concern(rpc, proceed)

    return surrounded


async def _one_answer(rpc: Rpc) -> bytes:
    assert rpc.method.behaviour is not None
    wanted = Requests(rpc) if rpc.method.takes_stream else rpc.request
    answering = rpc.method.behaviour(wanted, rpc.context)
    if not rpc.method.is_read and not rpc.method.takes_stream:
        return rpc.encoded(await _to_its_end(answering))
    return rpc.encoded(await answering)


async def _many_answers(rpc: Rpc) -> None:
    assert rpc.method.behaviour is not None
    wanted = Requests(rpc) if rpc.method.takes_stream else rpc.request
    async with aclosing(rpc.method.behaviour(wanted, rpc.context)) as responses:
        async for response in responses:
            try:
                await rpc.moving(rpc.context.write(rpc.encoded(response)))
            except StreamStalled as stalled:
                await responses.athrow(stalled)  # who made the message knows what to say of it
                raise


async def _to_its_end(change: Any) -> Any:
    """Run a change to its end even when its caller goes away: the trail must tell how it ended."""
    task = asyncio.ensure_future(change)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _ended(task, within_s=FINISH_S)
        raise


async def _ended(task: "asyncio.Future[Any]", *, within_s: float) -> None:
    """Wait for ``task``, cancelling it when its time is up, however often we are cancelled."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + within_s
    while not task.done():
        left_s = until_s - loop.time()
        if left_s <= 0:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task}, timeout=left_s if left_s > 0 else None)


def _method_of(
    full_name: str,
    handler: Handler,
    requirements: Mapping[str, Requirement],
) -> Method:
    """Take a registered handler apart."""
    behaviour = (
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )
    requirement = requirements[full_name]
    return Method(
        full_name,
        takes_stream=handler.request_streaming,
        gives_stream=handler.response_streaming,
        decode=handler.request_deserializer or bytes,
        encode=handler.response_serializer or bytes,
        behaviour=behaviour,
        requirement=requirement,
        is_read=is_read(METHODS[full_name]),
        is_endless=requirement.is_endless,
    )
