"""One call in flight, as the concerns around it see and fill it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import grpc

from assay_server.domain.audit import Decision
from assay_server.domain.errors import MessageTooLarge, RegistryError, StreamStalled
from assay_server.transport.caller import Answering
from assay_server.transport.errors import MessageUndecodable
from assay_server.transport.permissions import Requirement

T = TypeVar("T")
DRAIN_S = 0.5
DRAIN_BYTES_MAX = 16 * 1024 * 1024
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Proceed: TypeAlias = Callable[["Rpc"], Awaitable[bytes | None]]
"""What lies further in: to its end, and to the bytes of the answer of a call that has one."""


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """What is known of a method before anyone calls it.

    Attributes:
        full_name: Such as ``assay.v1.RegistryService/GetModel``.
        decode: From the bytes of a request, or None for a method that does not exist.
        is_read: It changes nothing (``idempotency_level = NO_SIDE_EFFECTS``).
        is_endless: Its stream goes on until someone ends it.
    """

    full_name: str
    takes_stream: bool = False
    gives_stream: bool = False
    decode: Callable[[bytes], Any] | None = None
    encode: Callable[[Any], bytes] | None = None
    behaviour: Callable[[Any, Any], Any] | None = None
    requirement: Requirement | None = None
    is_read: bool = True
    is_endless: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether the trail has an opening and a closing entry for each call."""
        return self.takes_stream or self.gives_stream


@dataclass(slots=True, eq=False)
class Rpc:
    """One call. Concerns fill it from the outside in; what is below them may be read."""

    method: Method
    context: Context
    call_id: str
    task: "asyncio.Task[Any]"
    message_bytes_max: int
    stall_s: float
    began_s: float = field(default_factory=time.perf_counter)
    peer: str = field(init=False)

    trace_id: str = ""

    principal: str = ""
    certificate_sha256: str = ""
    certificate_expire_time: datetime | None = None

    request: Any = None
    request_id: str = ""
    resource: str = ""
    namespace_id: str = ""
    roles: str = ""
    decision: Decision = Decision.UNDECIDED
    answering: Answering | None = None
    is_opened: bool = False

    ending: RegistryError | None = None
    status: grpc.StatusCode = grpc.StatusCode.UNKNOWN
    reason: str = ""

    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def __post_init__(self) -> None:
        self.peer = self.context.peer()

    @property
    def duration_us(self) -> int:
        """Time since the call arrived."""
        return int((time.perf_counter() - self.began_s) * 1e6)

    @property
    def is_recorded(self) -> bool:
        """Whether the audit entry was committed together with the change."""
        return self.answering is not None and self.answering.call.on_record.is_durable

    def decoded(self, raw: bytes) -> Any:
        """The request in ``raw``.

        Raises:
            MessageTooLarge: It is over our limit, which lies below that of the transport.
            MessageUndecodable: It is not an encoding of the request.
        """
        self.messages_in += 1
        self.bytes_in += len(raw)
        if len(raw) > self.message_bytes_max:
            raise MessageTooLarge(len(raw), self.message_bytes_max)
        assert self.method.decode is not None
        try:
            return self.method.decode(raw)
        except RegistryError:
            raise
        except Exception:  # noqa: BLE001 - a decoder fails in many ways, and all mean the same
            raise MessageUndecodable from None

    async def moving(self, step: Awaitable[T]) -> T:
        """Wait for a message to arrive or to leave, but not for ever.

        Raises:
            StreamStalled: The other side did not move.
        """
        waiting = _Waiting()
        timer = asyncio.get_running_loop().call_later(self.stall_s, waiting.give_up)
        try:
            return await step
        except asyncio.CancelledError:
            if not waiting.is_only_reason():
                raise
            raise StreamStalled(self.stall_s) from None
        finally:
            timer.cancel()

    async def drain(self) -> None:
        """Take what is still coming of a refused stream, within reason, and drop it.

        A client in Python's grpc.aio whose message is on its way when the call ends hears of
        "Internal error from Core" instead of the status (``Call._write`` overwrites it).
        """
        taken_bytes = 0
        with suppress(TimeoutError, grpc.aio.BaseError):
            async with asyncio.timeout(DRAIN_S):
                while taken_bytes < DRAIN_BYTES_MAX:
                    raw: Any = await self.context.read()
                    if raw is grpc.aio.EOF:
                        return
                    taken_bytes += len(raw)

    def encoded(self, response: Any) -> bytes:
        """The bytes of ``response``, counted."""
        assert self.method.encode is not None
        raw = self.method.encode(response)
        self.messages_out += 1
        self.bytes_out += len(raw)
        return raw

    def end_with(self, refusal: RegistryError) -> None:
        """Stop the call from outside: it ends with ``refusal``."""
        if self.ending is None and not self.task.done():
            self.ending = refusal
            self.task.cancel()


class _Waiting:
    """``asyncio.timeout`` for one step of a call, at a third of its price."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._is_given_up = False

    def give_up(self) -> None:
        self._is_given_up = True
        self._task.cancel()

    def is_only_reason(self) -> bool:
        """Whether nobody else cancelled the task."""
        return self._is_given_up and self._task.uncancel() == 0


class Requests(AsyncIterator[Any]):
    """The requests of a stream: the first, which was read already, then the others."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._first = rpc.request

    async def __anext__(self) -> Any:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        raw: Any = await self._rpc.moving(self._rpc.context.read())
        if raw is grpc.aio.EOF:
            raise StopAsyncIteration
        return self._rpc.decoded(raw)
