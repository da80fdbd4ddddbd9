"""Committed events in SQL, for those who watch."""

from collections.abc import Sequence, Set
from datetime import timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import (
    BigInteger,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql import ColumnElement

from assay_server.domain.events import Event, EventType, is_over
from assay_server.domain.names import past_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.columns import NAME, NUMBER
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import among, reading
from assay_server.sqlstore.paging import fitting
from assay_server.sqlstore.records import SUBJECTS, json_array
from assay_server.sqlstore.session import ReadSession, Row
from assay_server.sqlstore.times import from_us
from assay_server.sqlstore.walking import walk

_TABLE = tables.events
COLUMNS = tuple(column for column in _TABLE.columns if column is not _TABLE.c.position)
_NAME, _WALKED = 2, len(COLUMNS)
_LAST = 2**63 - 1

KEPT = timedelta(days=30)
"""How long a watch may stand still and still be resumed, unless settings say otherwise."""

_PREFIX = bindparam("name_prefix", type_=Text)
_BELOW = _PREFIX + literal_column("'/'")
_PAST = _PREFIX + literal_column("'0'")
"""The character 0 follows the slash, so that every name below the prefix sorts before this."""

_IS_BELOW = or_(_TABLE.c.name == _PREFIX, and_(_TABLE.c.name >= _BELOW, _TABLE.c.name < _PAST))
_IS_AMONG = among(_TABLE.c.namespace_id, "among")


def _since(*conditions: ColumnElement[bool]) -> Statement:
    return reading(
        select(*COLUMNS)
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


def _current() -> Select[Any]:
    """Names in their order, each with its newest event up to then, or nulls where it has none.

    The newest revision of a name is sought by both columns of the index together. By the name
    alone PostgreSQL may read revisions backward instead, past all that happened to others, until
    one is of that name. Where the name has none up to then the seek ends at another, which the
    join drops.
    """
    first, past = bindparam("first", type_=NAME), bindparam("past", type_=NAME)
    as_of = bindparam("as_of", type_=NUMBER)
    names = walk(
        _TABLE,
        "name",
        lambda table: (table.c.name < past,),
        first=(_TABLE.c.name >= first,),
        size=bindparam("size", type_=BigInteger),
    )
    up_to = (
        select(_TABLE.c.revision)
        .where(tuple_(_TABLE.c.name, _TABLE.c.revision) <= tuple_(names.c.name, as_of))
        .order_by(_TABLE.c.name.desc(), _TABLE.c.revision.desc())
        .limit(literal_column("1"))
        .correlate(names)
        .scalar_subquery()
    )
    newest = (
        select(names.c.name, up_to.label("revision"))
        .where(names.c.name.is_not(None))
        .cte("newest")
        .prefix_with("MATERIALIZED")
    )
    same = _TABLE.alias("same")
    last = (
        select(func.max(same.c.position))
        .where(same.c.revision == newest.c.revision, same.c.name == newest.c.name)
        .correlate(newest)
        .scalar_subquery()
    )
    found = and_(
        _TABLE.c.revision == newest.c.revision,
        _TABLE.c.revision <= as_of,
        _TABLE.c.position == last,
    )
    return (
        select(*COLUMNS, newest.c.name.label("walked_name"))
        .select_from(newest.outerjoin(_TABLE, found))
        .order_by(newest.c.name)
    )


CURRENT = reading(_current())
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

    async def current(
        self, revision: int, *, first: str, past: str, limit: int
    ) -> tuple[tuple[Event, ...], str]:
        rows = await self._session.rows(CURRENT, first=first, past=past, as_of=revision, size=limit)
        shown = rows[: fitting(rows)]
        events = _events([row for row in shown if row[_NAME] is not None])
        current = tuple(event for event in events if not is_over(event))
        is_last = len(shown) < limit and len(shown) == len(rows)
        return current, "" if is_last else past_name(shown[-1][_WALKED])

    async def oldest(self) -> int:
        rows = await self._session.rows(OLDEST)
        return int(rows[0][0])


def _statement(is_below: bool, is_among: bool) -> Statement:
    if is_below:
        return SINCE_BELOW_AMONG if is_among else SINCE_BELOW
    return SINCE_AMONG if is_among else SINCE


def _events(rows: Sequence[Row]) -> tuple[Event, ...]:
    return tuple(map(event_of, rows))


def event_of(row: Row) -> Event:
    """The event in a row that begins with ``COLUMNS``."""
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
