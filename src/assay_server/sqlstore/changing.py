"""A change from its request id to its audit entry, on a session that somebody else commits."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from assay_server.domain.calls import Call, Change, Committed
from assay_server.domain.errors import Conflict
from assay_server.ports.clock import Clock
from assay_server.ports.metadata import Transaction
from assay_server.sqlstore.reading import SqlTransaction
from assay_server.sqlstore.records import codec
from assay_server.sqlstore.requests import claim
from assay_server.sqlstore.session import Session, UniqueViolated
from assay_server.sqlstore.tail import Ending, Tail

T = TypeVar("T")
Body = Callable[[Transaction], Awaitable[Change[T]]]


class Changes:
    """Runs bodies and writes what belongs to them."""

    def __init__(self, tail: Tail, clock: Clock) -> None:
        self._tail = tail
        self._clock = clock

    async def perform(
        self, session: Session, call: Call, answer_type: type[T], body: Body[T]
    ) -> Committed[T]:
        """Everything but the commit; nothing was written when the answer is a replay."""
        try:
            if call.request_id:
                earlier = await self.earlier(session, call, answer_type)
                if earlier is not None:
                    return earlier
            return await self._first_time(session, call, answer_type, body)
        except UniqueViolated:
            # Of no row whose writer knows better: somebody else wrote it at the same moment.
            raise Conflict from None

    async def earlier(
        self, session: Session, call: Call, answer_type: type[T]
    ) -> Committed[T] | None:
        """What was answered under the request id; None takes it for this transaction.

        Waits for another transaction that has it. Rolled back, this one leaves it free.
        """
        return await claim(session, call, answer_type, now=self._clock.now())

    async def _first_time(
        self, session: Session, call: Call, answer_type: type[T], body: Body[T]
    ) -> Committed[T]:
        transaction = SqlTransaction(session)
        change = await body(transaction)
        answer = codec(answer_type).encode(change.answer) if call.request_id else ""
        revision = await self._tail.write(
            session,
            Ending(call, change.happened, transaction.moves, answer, self._clock.now()),
        )
        return Committed(change.answer, revision)
