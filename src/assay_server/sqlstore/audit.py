"""The audit trail in SQL: one kind of row, whoever wrote it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, bindparam, delete, func, literal_column, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.sql import ColumnElement

from assay_server.domain.audit import AuditEntry, AuditFilter
from assay_server.domain.calls import Page, Paged
from assay_server.sqlstore import tables
from assay_server.sqlstore.columns import NUMBER
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.paging import Listing, listing, read_page
from assay_server.sqlstore.session import ReadSession, Session
from assay_server.sqlstore.shapes import Shape
from assay_server.sqlstore.times import to_us

_TABLE = tables.audit_entries
_METHOD = bindparam("method", type_=Text)
_PREFIX = bindparam("resource_prefix", type_=Text)
_ENDING = func.substr(_TABLE.c.method, func.length(_TABLE.c.method) - func.length(_METHOD))

ENTRY = Shape(AuditEntry, _TABLE)
ADD_ONCE = Statement(
    insert_or(_TABLE)
    .values({column.name: bindparam(column.name) for column in _TABLE.columns})
    .on_conflict_do_nothing()
)
"""For writers that may have to repeat themselves."""

KEPT = timedelta(days=400)
"""How long entries are kept when nobody says otherwise: a year, and time to look back on it."""

SWEPT_MAX = 1000
"""Entries that a sweep removes in one transaction: some milliseconds of a writer's time."""

SWEEP = Statement(
    delete(_TABLE)
    .where(
        tuple_(_TABLE.c.time, _TABLE.c.entry_id).in_(
            select(_TABLE.c.time, _TABLE.c.entry_id)
            .where(_TABLE.c.time < bindparam("before", type_=NUMBER))
            .order_by(_TABLE.c.time)
            .limit(literal_column(str(SWEPT_MAX)))
        )
    )
    .returning(_TABLE.c.time)
)

_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "principal": _TABLE.c.principal == bindparam("principal"),
    # The name of a service may be left out: "GetModel" finds "assay.v1.RegistryService/GetModel".
    "method": or_(_TABLE.c.method == _METHOD, literal_column("'/'") + _METHOD == _ENDING),
    "resource_prefix": func.substr(_TABLE.c.resource, 1, func.length(_PREFIX)) == _PREFIX,
    "namespace_id": _TABLE.c.namespace_id == bindparam("namespace_id"),
    "decision": _TABLE.c.decision == bindparam("decision"),
    "status": _TABLE.c.status == bindparam("status"),
    "since": _TABLE.c.time >= bindparam("since"),
    "until": _TABLE.c.time < bindparam("until"),
}

OpenSession = Callable[[], AbstractAsyncContextManager[ReadSession]]


class SqlAuditReads:
    """The port ``AuditReads``: merges the places where entries are written to."""

    def __init__(self, sources: Sequence[OpenSession]) -> None:
        self._sources = sources
        self._listings: dict[tuple[str, ...], Listing] = {}

    async def list(self, wanted: AuditFilter, page: Page) -> Paged[AuditEntry]:
        parameters = _parameters(wanted)
        statement = self._listing(tuple(parameters))
        found = []
        for source in self._sources:
            async with source() as session:
                found.append(await read_page(session, statement, page, ENTRY.read, **parameters))
        return _merged(found, page.size)

    def _listing(self, names: tuple[str, ...]) -> Listing:
        """The statement for filters on these fields; there are few that are asked for."""
        if names not in self._listings:
            self._listings[names] = listing(
                select(*ENTRY.columns).where(*(_CONDITIONS[name] for name in names)),
                _TABLE.c.time,
                _TABLE.c.entry_id,
                newest_first=True,
            )
        return self._listings[names]


async def sweep(session: Session, *, before: datetime) -> int:
    """Forget some entries that are older than ``before``, oldest first; returns how many."""
    return len(await session.rows(SWEEP, before=to_us(before)))


def _parameters(wanted: AuditFilter) -> dict[str, Any]:
    given: dict[str, Any] = {
        "principal": wanted.principal,
        "method": wanted.method,
        "resource_prefix": wanted.resource_prefix,
        "namespace_id": wanted.namespace_id,
        "decision": wanted.decision.value if wanted.decision else "",
        "status": wanted.status,
        "since": to_us(wanted.since) if wanted.since else "",
        "until": to_us(wanted.until) if wanted.until else "",
    }
    return {name: value for name, value in given.items() if value != ""}


def _merged(found: Sequence[Paged[AuditEntry]], size: int) -> Paged[AuditEntry]:
    if len(found) == 1:
        return found[0]
    entries = sorted((entry for part in found for entry in part.items), key=_newness, reverse=True)
    # What a part has left lies past its end: nothing past that of any part may be shown yet.
    ends = [part.next_after for part in found if part.next_after is not None]
    shown = tuple(entry for entry in entries[:size] if all(_newness(entry) >= end for end in ends))
    is_last = not ends and len(shown) == len(entries)
    return Paged(shown, None if is_last else _newness(shown[-1]))


def _newness(entry: AuditEntry) -> tuple[int, str]:
    return to_us(entry.time), entry.entry_id
