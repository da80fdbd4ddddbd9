"""A change from its request id to what it decided; each database ends it in its own way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from assay_server.domain.calls import Call, Change, Committed
from assay_server.ports.clock import Clock
from assay_server.ports.metadata import Transaction
from assay_server.sqlstore.reading import SqlTransaction
from assay_server.sqlstore.records import codec
from assay_server.sqlstore.requests import answered, claim
from assay_server.sqlstore.session import Session, Unclaimed
from assay_server.sqlstore.tail import Ending

T = TypeVar("T")
Body = Callable[[Transaction], Awaitable[Change[T]]]
Allowed = Callable[[Transaction, T], Awaitable[None]] | None


@dataclass(frozen=True, slots=True)
class Decided(Generic[T]):
    """What a body gave, and what is to be written before the commit."""

    answer: T
    ending: Ending


class Changes:
    """Runs bodies, each only once for a request id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def decide(
        self,
        session: Session,
        call: Call,
        answer_type: type[T],
        body: Body[T],
        *,
        allowed: Allowed[T],
    ) -> Decided[T] | Committed[T]:
        """Run ``body``, unless the request was answered before; then nothing was written."""
        transaction = SqlTransaction(session)
        try:
            if call.request_id:
                await claim(session, call, now=self._clock.now())
            change = await body(transaction)
            await session.settle()
        except Unclaimed:
            earlier = await answered(session, call, answer_type)
            if allowed is not None:
                await allowed(transaction, earlier.answer)
            return earlier
        answer = codec(answer_type).encode(change.answer) if call.request_id else ""
        ending = Ending(call, change.happened, transaction.kept, answer, self._clock.now())
        return Decided(change.answer, ending)

    async def earlier(
        self, session: Session, call: Call, answer_type: type[T]
    ) -> Committed[T] | None:
        """What was answered under the request id, if anything.

        Waits for another transaction that has it.
        """
        try:
            await claim(session, call, now=self._clock.now())
            await session.settle()
        except Unclaimed:
            return await answered(session, call, answer_type)
        return None
