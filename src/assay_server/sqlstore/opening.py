"""Opens a registry: the one place where its parts are put together."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from assay_server.ports.audit import AuditReads, AuditSink
from assay_server.ports.clock import Clock
from assay_server.ports.metadata import MetadataStore
from assay_server.sqlstore import (
    aliases,
    audit,
    bindings,
    drafts,
    evaluations,
    events,
    forgetting,
    gates,
    models,
    namespaces,
    requests,
    tail,
    uploads,
    versions,
)
from assay_server.sqlstore.audit import SqlAuditReads
from assay_server.sqlstore.audit_sink import BatchingSink
from assay_server.sqlstore.changing import Changes
from assay_server.sqlstore.compiled import Catalogue
from assay_server.sqlstore.dialects import Dialect, Postgres, Sqlite
from assay_server.sqlstore.places import FileLock, PostgresPlace, SqlitePlace, place_of
from assay_server.sqlstore.postgres import PostgresMetadata
from assay_server.sqlstore.postgres_audit import PostgresAuditWriter, drop_months, make_months
from assay_server.sqlstore.postgres_listening import Listener
from assay_server.sqlstore.postgres_pool import READ, WRITE, Pool
from assay_server.sqlstore.postgres_sessions import connecting
from assay_server.sqlstore.reserve import Reserve
from assay_server.sqlstore.revisions import Revisions
from assay_server.sqlstore.schema import migrate, migrate_files, require_fitting
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.sqlite import SqliteMetadata
from assay_server.sqlstore.sqlite_audit import SqliteAuditWriter
from assay_server.sqlstore.sqlite_sessions import Snapshots, connect
from assay_server.sqlstore.sqlite_writer import SqliteWriter

READERS_MAX = 8
WRITERS_MAX = 16
"""Connections of one server to PostgreSQL, besides two for the trail and for news. Writers that
race for one model each hold a connection while they wait."""

_STATEMENTS = (
    aliases,
    audit,
    bindings,
    drafts,
    evaluations,
    events,
    events,
    forgetting,
    gates,
    models,
    namespaces,
    requests,
    tail,
    uploads,
    versions,
)


class Store:
    """An open registry.

    Attributes:
        metadata: All facts.
        audit_sink: Where reads and denials are recorded.
        audit_reads: The whole trail.
        audit_reserve: The space that is kept for it; None where the database has the disk.
    """

    def __init__(
        self,
        *,
        metadata: MetadataStore,
        audit_sink: AuditSink,
        audit_reads: AuditReads,
        keep: Callable[[datetime], Awaitable[int]],
        close: Callable[[], Awaitable[None]],
        audit_reserve: Reserve | None = None,
    ) -> None:
        self.metadata = metadata
        self.audit_sink = audit_sink
        self.audit_reads = audit_reads
        self.audit_reserve = audit_reserve
        self._keep = keep
        self._close = close

    async def ping(self) -> None:
        """Read something.

        Raises:
            StoreUnavailable: The store does not answer.
        """
        async with self.metadata.read() as reader:
            await reader.bindings.epoch()

    async def keep(self, now: datetime) -> int:
        """Do what is due each day: forget what is old, make tables for months to come.

        Harmless when repeated or done by several servers. Returns how many went.
        """
        return await self._keep(now)

    async def close(self) -> None:
        """Finish what was begun and let go of everything."""
        await self._close()


async def open_store(
    url: str,
    clock: Clock,
    *,
    bring_up_to_date: bool = False,
    events_kept: timedelta = events.KEPT,
    audit_kept: timedelta = audit.KEPT,
    audit_reserve_bytes: int = 0,
) -> Store:
    """Open the registry at ``url``: sqlite:///path or postgresql://user:password@host/database.

    Args:
        url: Where it is.
        clock: What time changes and entries are given.
        bring_up_to_date: Migrate the schema first, or make it.
        events_kept: How long events are kept for watches that stood still.
        audit_kept: How long entries of the audit trail are kept.
        audit_reserve_bytes: What is taken of the disk for entries that come when it is full;
            on SQLite only.

    Raises:
        StoreNotOpened: It does not answer, another server has its file, or its schema does not
            fit; the text tells an operator what to do.
    """
    place = place_of(url)
    if isinstance(place, SqlitePlace):
        with ExitStack() as undo:
            lock = FileLock(place.lock)
            undo.callback(lock.release)
            reserve = Reserve(place.reserve, audit_reserve_bytes)
            undo.callback(reserve.close)
            if bring_up_to_date:
                migrate_files(place)
            await require_fitting(url)
            kept = _Kept(events_kept, audit_kept)
            store = await _open_sqlite(place, clock, kept, lock=lock, reserve=reserve)
            undo.pop_all()
            return store
    if bring_up_to_date:
        await migrate(url)
    await require_fitting(url)
    return await _open_postgres(place, clock, _Kept(events_kept, audit_kept))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept for how long."""

    events: timedelta
    audit: timedelta


async def _open_sqlite(
    place: SqlitePlace, clock: Clock, kept: _Kept, *, lock: FileLock, reserve: Reserve
) -> Store:
    dialect: Dialect = Sqlite()
    catalogue = Catalogue(dialect.core, _STATEMENTS)
    snapshots = Snapshots(place.registry, catalogue, dialect)
    trail = Snapshots(place.trail, catalogue, dialect)
    writer = SqliteWriter(connect(place.registry, busy_timeout_ms=0), catalogue, dialect)
    trail_writer = SqliteAuditWriter(
        connect(place.trail, busy_timeout_ms=0), catalogue, dialect, reserve
    )
    sink = BatchingSink(trail_writer.write)
    async with snapshots.session() as session:
        await session.rows(tail.NEWEST)
        revisions = Revisions(session.revision)
    metadata = SqliteMetadata(
        snapshots=snapshots,
        writer=writer,
        changes=Changes(clock),
        revisions=revisions,
        events_kept=kept.events,
        require_space=reserve.require_whole if place.is_one_disk else lambda: None,
    )

    async def keep(now: datetime) -> int:
        before = now - kept.audit

        async def some(session: Session) -> int:
            return await audit.sweep(session, before=before)

        total = await metadata.sweep(now)
        while swept := await writer.run(some, lambda _: None):
            total += swept
        while swept := await trail_writer.sweep(before):
            total += swept
        return total

    async def close() -> None:
        await writer.close()
        await sink.close()
        trail_writer.close()
        snapshots.close()
        trail.close()
        reserve.close()
        lock.release()

    return Store(
        metadata=metadata,
        audit_sink=sink,
        audit_reads=SqlAuditReads([snapshots.session, trail.session]),
        keep=keep,
        close=close,
        audit_reserve=reserve,
    )


async def _open_postgres(place: PostgresPlace, clock: Clock, kept: _Kept) -> Store:
    dialect: Dialect = Postgres()
    catalogue = Catalogue(dialect.core, _STATEMENTS)
    connecting_to = connecting(place.url, dialect)
    revisions = Revisions(0)
    listener = Listener(connecting_to, catalogue, revisions)
    trail_writer = PostgresAuditWriter(connecting_to, catalogue)
    sink = BatchingSink(trail_writer.write)
    metadata = PostgresMetadata(
        readers=Pool(connecting_to, size=READERS_MAX, begin=READ),
        writers=Pool(connecting_to, size=WRITERS_MAX, begin=WRITE),
        changes=Changes(clock),
        revisions=revisions,
        catalogue=catalogue,
        dialect=dialect,
        events_kept=kept.events,
    )

    async def keep(now: datetime) -> int:
        connection = await connecting_to()
        try:
            await make_months(connection, now)
            swept = await drop_months(connection, before=now - kept.audit)
        finally:
            await connection.close()
        return swept + await metadata.sweep(now)

    async def close() -> None:
        await listener.close()
        await metadata.close()
        await sink.close()
        trail_writer.close()

    await keep(clock.now())
    await listener.start()
    return Store(
        metadata=metadata,
        audit_sink=sink,
        audit_reads=SqlAuditReads([metadata.snapshot]),
        keep=keep,
        close=close,
    )
