"""What every call goes through: a deadline, a request id, retries, and typed exceptions."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from assay import retries
from assay.connection import Connection
from assay.diagnosis import was_never_made
from assay.errors import (
    Conflict,
    ConnectionFailed,
    DeadlinePassed,
    InvalidInput,
    Refused,
    TooManyCalls,
    Unavailable,
)
from assay.stubs import Stubs

Question = TypeVar("Question", bound=Message)
Answer = TypeVar("Answer", bound=Message)
Item = TypeVar("Item")

PAGE_SIZE = 200
"""Few round trips, and far from the 4 MiB that a message may have."""

LOOK_FIRST = "A change may have happened all the same: look before you repeat it."
"""What is said of a change that may have been sent, and whose answer never came."""

_ASK_AGAIN = "Nothing was changed: ask again, or give it more time."
_LOOK_S = 0.002
_DEADLINE_S_MAX = 366 * 24 * 60 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long one call may take, all its tries together; more than a year is for ever."""

    read_s: float = 10.0
    write_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what no call can be answered within.

        Raises:
            InvalidInput: A deadline is not above 0.
        """
        for seconds in (self.read_s, self.write_s):
            if not seconds > 0:  # nor NaN
                raise InvalidInput(f"A deadline of {seconds:g} s has passed at once: give more.")


class Page(Protocol):
    """An answer that may have a next page."""

    next_page_token: str


class Calls:
    """Makes calls on one connection under the same deadlines."""

    def __init__(self, connection: Connection, deadlines: Deadlines) -> None:
        self.connection = connection
        self.deadlines = deadlines

    @property
    def stubs(self) -> Stubs:
        """The generated stubs, opened if need be."""
        return self.connection.stubs

    async def read(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Question, Answer]", request: Question
    ) -> Answer:
        """Ask something."""
        return await self._send(method, request, self.deadlines.read_s, _ASK_AGAIN)

    async def write(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Question, Answer]",
        request: Question,
        *,
        extra_s: float = 0.0,
        goes_on: bool = False,
    ) -> Answer:
        """Change something. The request id makes all repetitions of this call one change.

        Args:
            extra_s: Lengthens the deadline where the server has work in proportion to a size.
            goes_on: A step of a transfer, which finds out by itself what happened.
        """
        give_request_id(request)
        remedy = "" if goes_on else LOOK_FIRST
        return await self._send(method, request, self.deadlines.write_s + extra_s, remedy)

    async def pages(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Question, Answer]",
        request: Question,
        items: Callable[[Answer], Iterable[Item]],
    ) -> AsyncGenerator[Item, None]:
        """Every item of a list, page after page, each fetched when the one before is used up."""
        asked: Any = request
        if not asked.page_size:
            asked.page_size = PAGE_SIZE
        while True:
            answer: Any = await self.read(method, request)
            for item in items(answer):
                yield item
            if not answer.next_page_token:
                return
            asked.page_token = answer.next_page_token

    async def messages(
        self, call: "grpc.aio.UnaryStreamCall[Question, Answer]", *, silence_s: float
    ) -> AsyncGenerator[Answer, None]:
        """What a stream sends; the call ends when the iteration does, however that ends.

        gRPC itself never ends a call that was merely forgotten (grpc/grpc#43462).

        Raises:
            ConnectionFailed: Nothing came for ``silence_s``: the other side may be gone.
        """
        alarm = _Alarm(silence_s, call)
        try:
            async for message in call:
                alarm.stop()  # the time that the reader takes is not the server's
                yield message
                alarm.start()
        except grpc.aio.AioRpcError as error:
            raise self.connection.error_of(error) from error
        except asyncio.CancelledError:
            if not alarm.has_rung:
                raise
            raise ConnectionFailed(
                f"{self.connection.target} sent nothing for {silence_s:g} s."
            ) from None
        finally:
            alarm.stop()
            call.cancel()

    async def _send(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Question, Answer]",
        request: Question,
        deadline_s: float,
        remedy: str,
    ) -> Answer:
        """One answer. Repeats what gRPC's own retries do not know to be worth repeating."""
        sending = _Sending(self.connection, remedy)
        try:
            return await self._repeat(method, request, deadline_s, sending)
        finally:
            sending.stop()

    async def _repeat(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Question, Answer]",
        request: Question,
        deadline_s: float,
        sending: "_Sending",
    ) -> Answer:
        loop = asyncio.get_running_loop()
        deadline_s = min(deadline_s, _DEADLINE_S_MAX)
        ends_at = loop.time() + deadline_s
        pauses = retries.pauses()
        for attempt in itertools.count(1):
            try:
                return await method(request, timeout=max(ends_at - loop.time(), 0.001))
            except grpc.aio.AioRpcError as error:
                failure = self._failure(error, deadline_s, sending)
                pause_s = next(pauses)
                attempts_max = retries.ATTEMPTS_MAX
                if isinstance(failure, TooManyCalls):
                    # As long as the deadline allows, and not all callers at the same moment.
                    pause_s += failure.retry_after_s or 0
                    attempts_max = attempt + 1
                is_last = attempt == attempts_max or loop.time() + pause_s >= ends_at
                if is_last or not _is_worth_repeating(failure):
                    raise failure from error
            await asyncio.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    def _failure(
        self, error: grpc.aio.AioRpcError, deadline_s: float, sending: "_Sending"
    ) -> Exception:
        failure = self.connection.error_of(error)
        if failure.reason:
            return failure  # the server itself says what became of it
        if isinstance(failure, DeadlinePassed):
            sentence = f"{self.connection.target} did not answer within {deadline_s:g} s."
            return DeadlinePassed(f"{sentence} {sending.remedy}".rstrip(), code=error.code())
        is_lost = isinstance(failure, Unavailable) and sending.remedy == LOOK_FIRST
        if is_lost and sending.may_have_arrived(error.details() or ""):
            sentence = f"{failure.message.removesuffix(' Try again.')} {LOOK_FIRST}"
            return type(failure)(sentence, code=error.code())
        return failure


class _Sending:
    """Notices whether there was a connection while a call was made, all its repetitions included.

    gRPC tells of the last attempt only: nobody listens, whatever became of the one before.
    """

    def __init__(self, connection: Connection, remedy: str) -> None:
        self.remedy = remedy
        self._connection = connection
        self._timer: asyncio.TimerHandle | None = None
        self._was_connected = False
        self._look()

    def may_have_arrived(self, text: str) -> bool:
        """Whether a call that failed with gRPC's ``text`` may have reached the server before."""
        return self._was_connected or not was_never_made(text)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._was_connected = self._connection.is_made
        if not self._was_connected:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look)


class _Alarm:
    """Cancels a call that was silent for too long."""

    def __init__(self, limit_s: float, call: "grpc.aio.UnaryStreamCall[Any, Any]") -> None:
        self.has_rung = False
        self._limit_s = limit_s
        self._call = call
        self.start()

    def start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._limit_s, self._ring)

    def stop(self) -> None:
        self._timer.cancel()

    def _ring(self) -> None:
        self.has_rung = True
        self._call.cancel()


def give_request_id(request: Message) -> None:
    """Fill ``request_id``, where ``request`` has one and it is empty."""
    if "request_id" in request.DESCRIPTOR.fields_by_name and not getattr(request, "request_id"):  # noqa: B009
        setattr(request, "request_id", str(uuid.uuid4()))  # noqa: B010


def _is_worth_repeating(failure: Exception) -> bool:
    """A lost race, a share used up, or a call that a stopping server cancelled (grpc/grpc#41785).

    UNAVAILABLE is not here: gRPC has repeated that already.
    """
    if isinstance(failure, Conflict | TooManyCalls):
        return True
    was_cancelled = isinstance(failure, Refused) and failure.code is grpc.StatusCode.CANCELLED
    return was_cancelled and isinstance(failure, Unavailable)
