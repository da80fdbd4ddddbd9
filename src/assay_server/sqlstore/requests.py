"""Requests that were answered: a retry gets the first answer instead of happening again."""

from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import BigInteger, bindparam, delete, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_or

from assay_server.domain.calls import Call, Committed
from assay_server.domain.errors import Conflict, RequestIdReused
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import at
from assay_server.sqlstore.records import codec
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.times import to_us

T = TypeVar("T")

KEPT = timedelta(days=7)
"""How long a request id protects its request; the contract promises it."""

SWEPT_MAX = 1000
"""Rows that a sweep removes in one transaction: some milliseconds of a writer's time."""

_TABLE = tables.requests
_KEYS = ("principal", "method", "request_id")
_KEY = tuple(_TABLE.c[name] for name in _KEYS)

CLAIM = Statement(
    insert_or(_TABLE)
    .values(
        {
            **{name: bindparam(name) for name in (*_KEYS, "payload_sha256", "create_time")},
            "revision": literal_column("0"),
            "answer": literal_column("''"),
        }
    )
    .on_conflict_do_nothing()
    .returning(_TABLE.c.revision)
)
"""Waits for another transaction that has the same request under way, whatever comes of it."""

FIND = Statement(
    select(_TABLE.c.payload_sha256, _TABLE.c.revision, _TABLE.c.answer).where(*at(_TABLE, *_KEYS))
)
SWEEP = Statement(
    delete(_TABLE)
    .where(
        tuple_(*_KEY).in_(
            select(*_KEY)
            .where(_TABLE.c.create_time < bindparam("before"))
            .limit(bindparam("size", type_=BigInteger))
        )
    )
    .returning(_TABLE.c.create_time)
)


async def claim(session: Session, call: Call, *, now: datetime) -> None:
    """Take the request id of ``call`` for the transaction; rolled back, it is free again.

    Raises:
        Unclaimed: Here or with the next statement: it was taken before.
    """
    await session.claim(
        CLAIM,
        principal=call.principal,
        method=call.method,
        request_id=call.request_id,
        payload_sha256=call.payload_sha256,
        create_time=to_us(now),
    )


async def answered(session: Session, call: Call, answer_type: type[T]) -> Committed[T]:
    """What was answered under the request id of ``call``, which was found taken.

    Raises:
        RequestIdReused: It was used with another payload.
        Conflict: Its row was swept at this very moment.
    """
    row = await session.row(
        FIND, principal=call.principal, method=call.method, request_id=call.request_id
    )
    if row is None:
        raise Conflict
    payload_sha256, revision, answer = row
    if payload_sha256 != call.payload_sha256:
        raise RequestIdReused(call.request_id)
    return Committed(codec(answer_type).decode(answer), revision, is_replay=True)


async def sweep(session: Session, *, now: datetime) -> int:
    """Forget some requests that are older than they need to be kept; returns how many."""
    rows = await session.rows(SWEEP, before=to_us(now - KEPT), size=SWEPT_MAX)
    return len(rows)
