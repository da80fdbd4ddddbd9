"""One moment of a registry, read row by row to be checked; nothing is written."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, func, literal_column, select, union_all
from sqlalchemy.sql import ColumnElement

from assay_server.domain.checking import SeenEvents, SeenMove, SeenState, SeenVersion
from assay_server.domain.manifest import File
from assay_server.domain.names import draft_name, model_name, version_name
from assay_server.domain.versions import Version
from assay_server.sqlstore import tables
from assay_server.sqlstore.columns import NUMBER
from assay_server.sqlstore.compiled import Catalogue, Statement
from assay_server.sqlstore.composing import at
from assay_server.sqlstore.dialects import Postgres, Sqlite
from assay_server.sqlstore.places import PostgresPlace, SqlitePlace, place_of
from assay_server.sqlstore.postgres_pool import READ
from assay_server.sqlstore.postgres_sessions import PostgresSession, connecting
from assay_server.sqlstore.postgres_together import Bundles
from assay_server.sqlstore.records import SUBJECTS
from assay_server.sqlstore.schema import require_fitting, require_head
from assay_server.sqlstore.session import Row, Session
from assay_server.sqlstore.shapes import Shape
from assay_server.sqlstore.sqlite_backup import read_only, schema_of
from assay_server.sqlstore.sqlite_sessions import SqliteSession
from assay_server.sqlstore.times import to_us

T = TypeVar("T")

_NEVER = 2**62
"""A revision that is never reached."""

_VERSIONS, _FILES, _EVENTS = tables.versions, tables.version_files, tables.events
_MOVES, _ALIASES, _MODELS = tables.alias_moves, tables.aliases, tables.models
_DRAFTS, _DRAFT_FILES, _UPLOADS, _AUDIT = (
    tables.drafts,
    tables.draft_files,
    tables.uploads,
    tables.audit_entries,
)
_MODEL_HISTORY, _VERSION_HISTORY = tables.model_history, tables.version_history
_VERSION, _FILE = Shape(Version, _VERSIONS), Shape(File, _FILES)


def _within(column: ColumnElement[int]) -> ColumnElement[bool]:
    return column.between(bindparam("first", type_=NUMBER), bindparam("last", type_=NUMBER))


def _of_model(table: Any) -> list[ColumnElement[bool]]:
    return at(table, "namespace_id", "model_id")


def _marks(table: Any, *columns: str) -> Select[Any]:
    """What changes with every change of a row, after its key."""
    return select(*(table.c[name] for name in columns)).where(*_of_model(table))


COUNTERS = Statement(select(tables.counters.c.name, tables.counters.c.value))
EVENTS = Statement(
    select(_EVENTS.c.revision, _EVENTS.c.position, _EVENTS.c.kind, _EVENTS.c.subject)
    .where(_within(_EVENTS.c.revision))
    .order_by(_EVENTS.c.revision, _EVENTS.c.position)
)
FIRST_SINCE = Statement(
    select(func.min(_EVENTS.c.revision)).where(_EVENTS.c.time >= bindparam("since", type_=NUMBER))
)
MODELS = Statement(
    select(_MODELS.c.namespace_id, _MODELS.c.model_id, _MODELS.c.version_high_water).order_by(
        _MODELS.c.namespace_id, _MODELS.c.model_id
    )
)
NUMBERS = Statement(
    select(_VERSIONS.c.number).where(*_of_model(_VERSIONS)).order_by(_VERSIONS.c.number)
)
VERSIONS = Statement(
    select(*_VERSION.columns, _VERSIONS.c.manifest_digest)
    .where(*_of_model(_VERSIONS), _within(_VERSIONS.c.number))
    .order_by(_VERSIONS.c.number)
)
FILES = Statement(
    select(*_FILE.columns, _FILES.c.number).where(*_of_model(_FILES), _within(_FILES.c.number))
)
MODEL_NOW = Statement(_marks(_MODELS, "model_id", "etag", "version_high_water"))
MODEL_THEN = Statement(
    _marks(_MODEL_HISTORY, "model_id", "etag", "version_high_water").order_by(
        _MODEL_HISTORY.c.revision
    )
)
VERSION_NOW = Statement(_marks(_VERSIONS, "number", "etag", "state"))
VERSION_THEN = Statement(
    _marks(_VERSION_HISTORY, "number", "etag", "state").order_by(_VERSION_HISTORY.c.revision)
)
ALIASES = Statement(select(_ALIASES.c.alias_id, _ALIASES.c.number).where(*_of_model(_ALIASES)))
MOVES = Statement(
    select(_MOVES.c.alias_id, _MOVES.c.revision, _MOVES.c.number, _MOVES.c.previous_number)
    .where(*_of_model(_MOVES))
    .order_by(_MOVES.c.revision, _MOVES.c.position)
)
AUDITED = Statement(
    select(_AUDIT.c.revision, func.count())
    .where(_AUDIT.c.revision > literal_column("0"))
    .group_by(_AUDIT.c.revision)
)
BLOBS = Statement(
    union_all(
        select(_FILES.c.sha256, _FILES.c.size_bytes),
        select(_DRAFT_FILES.c.sha256, _DRAFT_FILES.c.size_bytes),
    )
)


def _uses(table: Any, key: str) -> Select[Any]:
    """Where a blob is a file: the names and the path."""
    columns = [table.c[name] for name in ("namespace_id", "model_id", key, "path")]
    return select(*columns).where(*at(table, "sha256")).order_by(*columns)


VERSION_USES = Statement(_uses(_FILES, "number"))
DRAFT_USES = Statement(
    _uses(_DRAFT_FILES, "draft_id").where(
        select(_DRAFTS.c.draft_id)
        .where(
            *(key == _DRAFT_FILES.c[key.name] for key in _DRAFTS.primary_key.columns),
            _DRAFTS.c.state == literal_column("'OPEN'"),
        )
        .exists()
    )
)
UPLOADS = Statement(
    select(_UPLOADS.c.upload_id, _UPLOADS.c.durable_bytes).where(
        _UPLOADS.c.state == literal_column("'OPEN'")
    )
)


class SqlInspection:
    """The port ``FactsInspection``."""

    def __init__(
        self,
        session: Session,
        find_faults: Callable[[], Awaitable[Sequence[str]]],
        audited_since: datetime,
    ) -> None:
        self._session = session
        self._audited_since = audited_since
        self._find_faults = find_faults

    async def faults(self) -> Sequence[str]:
        return await self._find_faults()

    async def counters(self) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._session.rows(COUNTERS)}

    async def events(self, first: int, last: int) -> Sequence[SeenEvents]:
        rows = await self._session.rows(EVENTS, first=first, last=last)
        found = []
        for revision, group in groupby(rows, key=lambda row: int(row[0])):
            events = list(group)
            unreadable = tuple(row[1] for row in events if not _is_readable(row[2], row[3]))
            found.append(SeenEvents(revision, tuple(row[1] for row in events), unreadable))
        return found

    async def models(self) -> Sequence[tuple[str, str, int]]:
        return [(row[0], row[1], row[2]) for row in await self._session.rows(MODELS)]

    async def numbers(self, namespace_id: str, model_id: str) -> Sequence[int]:
        rows = await self._session.rows(NUMBERS, namespace_id=namespace_id, model_id=model_id)
        return [row[0] for row in rows]

    async def versions(
        self, namespace_id: str, model_id: str, first: int, last: int
    ) -> Sequence[SeenVersion]:
        wanted = {
            "namespace_id": namespace_id,
            "model_id": model_id,
            "first": first,
            "last": last,
        }
        files: dict[int, list[File]] = {}
        for row in await self._session.rows(FILES, **wanted):
            files.setdefault(row[-1], []).append(_FILE.read(row))
        return [
            SeenVersion(number, _read(row), row[-1], tuple(files.get(number, ())))
            for row in await self._session.rows(VERSIONS, **wanted)
            for number in [row[2]]
        ]

    async def states(self, namespace_id: str, model_id: str) -> Sequence[SeenState]:
        of_model = {"namespace_id": namespace_id, "model_id": model_id}
        now = await self._session.rows(MODEL_NOW, **of_model)
        then = await self._session.rows(MODEL_THEN, **of_model)
        found = _states(now, then, lambda _: model_name(namespace_id, model_id))
        now = await self._session.rows(VERSION_NOW, **of_model)
        then = await self._session.rows(VERSION_THEN, **of_model)
        return found + _states(now, then, lambda key: version_name(namespace_id, model_id, key))

    async def aliases(
        self, namespace_id: str, model_id: str
    ) -> tuple[Mapping[str, int], Sequence[SeenMove]]:
        of_model = {"namespace_id": namespace_id, "model_id": model_id}
        now = await self._session.rows(ALIASES, **of_model)
        moves = await self._session.rows(MOVES, **of_model)
        return (
            {row[0]: row[1] for row in now},
            [SeenMove(row[0], row[1], row[2], row[3]) for row in moves],
        )

    async def audit(self) -> tuple[Mapping[int, int], int]:
        found = {row[0]: row[1] for row in await self._session.rows(AUDITED)}
        first = await self._session.row(FIRST_SINCE, since=to_us(self._audited_since))
        return found, _NEVER if first is None or first[0] is None else int(first[0])

    async def blobs(self) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._session.rows(BLOBS)}

    async def uses(self, sha256: str) -> Sequence[str]:
        of_versions = await self._session.rows(VERSION_USES, sha256=sha256)
        of_drafts = await self._session.rows(DRAFT_USES, sha256=sha256)
        return [
            *(f"{row[3]} of {version_name(row[0], row[1], row[2])}" for row in of_versions),
            *(f"{row[3]} of {draft_name(row[0], row[1], row[2])}" for row in of_drafts),
        ]

    async def uploads(self) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._session.rows(UPLOADS)}


@asynccontextmanager
async def inspecting(url: str, *, audited_since: datetime) -> AsyncIterator[SqlInspection]:
    """Look at the registry at ``url``, beside servers that use it.

    Args:
        url: Where it is.
        audited_since: Audit entries from here on must be there; older ones may be swept.

    Raises:
        StoreNotOpened: It does not answer, or has another schema than we know.
    """
    place = place_of(url)
    if isinstance(place, SqlitePlace):
        with read_only(place.registry) as registry, read_only(place.trail) as trail:
            require_head(schema_of(registry))
            session = SqliteSession(registry, Catalogue(Sqlite().core), Sqlite())
            yield SqlInspection(session, lambda: _faults(registry, trail), audited_since)
    else:
        await require_fitting(url)
        async with _postgres(place) as session_of_postgres:
            yield SqlInspection(session_of_postgres, _none, audited_since)


@asynccontextmanager
async def _postgres(place: PostgresPlace) -> AsyncIterator[PostgresSession]:
    dialect = Postgres()
    connection = await connecting(place.url, dialect)()
    try:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute(READ)
        catalogue = Catalogue(dialect.core)
        yield PostgresSession(connection, catalogue, dialect, Bundles(catalogue))
    finally:
        await connection.close()


async def _none() -> Sequence[str]:
    """PostgreSQL keeps its references itself, and its pages with checksums where it is told to."""
    return ()


async def _faults(*connections: sqlite3.Connection) -> Sequence[str]:
    found = []
    for connection in connections:
        found += [
            f"SQLite says: {text}"
            for (text,) in connection.execute("PRAGMA integrity_check")
            if text != "ok"
        ]
        found += [
            f"row {row[1]} of {row[0]} refers to one of {row[2]} that is not there"
            for row in connection.execute("PRAGMA foreign_key_check")
        ]
    return found


def _states(now: Sequence[Row], then: Sequence[Row], name: Callable[[Any], str]) -> list[SeenState]:
    kept = {row[0]: tuple(row[1:]) for row in then}  # in order: the newest prevails
    return [SeenState(name(row[0]), tuple(row[1:]), kept.get(row[0])) for row in now]


def _is_readable(kind: str, subject: str) -> bool:
    return _or_none(lambda: SUBJECTS[kind].decode(subject)) is not None


def _read(row: Row) -> Version | None:
    return _or_none(lambda: _VERSION.read(row))


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception:  # noqa: BLE001 - whatever it is, it makes no sense
        return None
