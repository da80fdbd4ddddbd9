"""Committed events in SQL, for those who watch."""

from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import (
    BigInteger,
    Text,
    and_,
    bindparam,
    delete,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql import ColumnElement

from assay_server.domain.events import Event, EventType
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import among, reading
from assay_server.sqlstore.records import SUBJECTS, json_array
from assay_server.sqlstore.session import ReadSession, Row, Session
from assay_server.sqlstore.times import from_us, to_us

_TABLE = tables.events
_LAST = 2**63 - 1

KEPT = timedelta(days=30)
"""How long a watch may stand still and still be resumed, unless settings say otherwise."""

SWEPT_MAX = 1000
"""Events that a sweep removes in one transaction: some milliseconds of a writer's time."""

_PREFIX = bindparam("name_prefix", type_=Text)
_BELOW = _PREFIX + literal_column("'/'")
_PAST = _PREFIX + literal_column("'0'")
"""The character 0 follows the slash, so that every name below the prefix sorts before this."""

_IS_BELOW = or_(_TABLE.c.name == _PREFIX, and_(_TABLE.c.name >= _BELOW, _TABLE.c.name < _PAST))
_IS_AMONG = among(_TABLE.c.namespace_id, "among")


def _since(*conditions: ColumnElement[bool]) -> Statement:
    return reading(
        select(*(column for column in _TABLE.columns if column is not _TABLE.c.position))
        .where(
            _TABLE.c.revision >= bindparam("since"),
            _TABLE.c.revision <= bindparam("until"),
            *conditions,
        )
        .order_by(_TABLE.c.revision, _TABLE.c.position)
        .limit(bindparam("size", type_=BigInteger))
    )


SINCE = _since()
SINCE_BELOW = _since(_IS_BELOW)
SINCE_AMONG = _since(_IS_AMONG)
SINCE_BELOW_AMONG = _since(_IS_BELOW, _IS_AMONG)
OLDEST_ROWS = Statement(
    select(_TABLE.c.revision, _TABLE.c.time)
    .order_by(_TABLE.c.revision, _TABLE.c.position)
    .limit(bindparam("size", type_=BigInteger))
)
BEGIN_AT = Statement(
    update(tables.counters)
    .where(
        tables.counters.c.name == literal_column("'oldest_event'"),
        tables.counters.c.value < bindparam("oldest"),
    )
    .values(value=bindparam("oldest"))
)
FORGET = Statement(delete(_TABLE).where(_TABLE.c.revision < bindparam("oldest")))
OLDEST = reading(
    select(tables.counters.c.value).where(
        tables.counters.c.name == literal_column("'oldest_event'")
    )
)


class SqlEvents:
    """The port ``EventReads``.

    Revisions are counted up by the last write of a transaction, which waits for the one before:
    a snapshot that shows a revision shows all events up to it.
    """

    def __init__(self, session: ReadSession) -> None:
        self._session = session

    async def since(
        self, revision: int, *, name_prefix: str, among: Set[str] | None, limit: int
    ) -> tuple[tuple[Event, ...], int]:
        statement = _statement(bool(name_prefix), among is not None)
        wanted: dict[str, Any] = {"name_prefix": name_prefix, "among": json_array(among or ())}
        rows = await self._session.rows(
            statement, since=revision, until=_LAST, size=limit + 1, **wanted
        )
        if len(rows) <= limit:
            return _events(rows), self._session.revision
        first, cut = rows[0][0], rows[-1][0]
        if first < cut:
            return _events([*takewhile(lambda row: row[0] < cut, rows)]), cut - 1
        rows = await self._session.rows(statement, since=first, until=first, size=_LAST, **wanted)
        return _events(rows), first

    async def oldest(self) -> int:
        rows = await self._session.rows(OLDEST)
        return int(rows[0][0])


def _statement(is_below: bool, is_among: bool) -> Statement:
    if is_below:
        return SINCE_BELOW_AMONG if is_among else SINCE_BELOW
    return SINCE_AMONG if is_among else SINCE


def _events(rows: Sequence[Row]) -> tuple[Event, ...]:
    return tuple(map(_event, rows))


def _event(row: Row) -> Event:
    revision, event_type, name, namespace_id, action, actor, time, kind, subject, *_ = row
    return Event(
        revision,
        EventType(event_type),
        name,
        namespace_id,
        action,
        actor,
        from_us(time),
        SUBJECTS[kind].decode(subject),
    )


async def sweep(session: Session, *, before: datetime) -> int:
    """Forget some events that are older than ``before``, oldest first; returns about how many.

    What is left begins at a revision of which nothing is missing, and the counter says at which.
    """
    rows = await session.rows(OLDEST_ROWS, size=SWEPT_MAX + 1)
    revisions = [row[0] for row in takewhile(lambda row: row[1] < to_us(before), rows)]
    if not revisions:
        return 0
    # The last one may go on past what was read; a single one that does is forgotten whole.
    is_cut = len(revisions) > SWEPT_MAX and revisions[0] < revisions[-1]
    oldest = revisions[-1] if is_cut else revisions[-1] + 1
    await session.write(BEGIN_AT, oldest=oldest)
    await session.write(FORGET, oldest=oldest)
    return sum(revision < oldest for revision in revisions)
