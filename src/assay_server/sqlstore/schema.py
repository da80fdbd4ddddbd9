"""The schema of a database: making it, bringing it up to date, refusing one that does not fit.

Migrations are Alembic's, written for both databases. They only ever add what an older server
can live with; what it no longer needs goes one release later (expand, then contract). The file
of the trail beside a SQLite registry has the same schema, of which one table is used.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from assay_server.sqlstore.dialects import Postgres
from assay_server.sqlstore.places import FileLock, SqlitePlace, StoreNotOpened, place_of
from assay_server.sqlstore.postgres_audit import make_months
from assay_server.sqlstore.postgres_sessions import connecting
from assay_server.sqlstore.sqlite_sessions import connect

T = TypeVar("T")
Run = Callable[[Connection], T]

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "head"

_ADVISORY_LOCK = 0x6173736179
"""Held on PostgreSQL while migrating, so that two servers do not do it at once; "assay"."""

_LOCKED_MAX_MS = 5000


class SchemaDoesNotFit(StoreNotOpened):
    """The database has another schema than this server knows."""


async def migrate(url: str, target: str = HEAD) -> None:
    """Bring the database at ``url`` to ``target``; all at once, or not at all.

    Raises:
        StoreNotOpened: It does not answer, a server has it open, or it is newer than we are.
    """
    place = place_of(url)
    if isinstance(place, SqlitePlace):
        lock = FileLock(place.lock)
        try:
            migrate_files(place, target)
        finally:
            lock.release()
    else:
        async with postgres_connection(place.url) as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            await connection.run_sync(_migrate, target)
        if target == HEAD:
            await _make_months(place.url)


def migrate_files(place: SqlitePlace, target: str = HEAD) -> None:
    """Bring the files of a SQLite registry, whose lock the caller has, to ``target``."""
    for file in (place.trail, place.registry):
        with _sqlite(file) as connection:
            _migrate(connection, target)


async def current(url: str) -> str | None:
    """The revision of the schema at ``url``; None where there is none yet."""
    place = place_of(url)
    if isinstance(place, SqlitePlace):
        if not place.registry.exists():
            return None
        with _sqlite(place.registry) as connection:
            return revision_of(connection)
    async with postgres_connection(place.url) as connection:
        found: str | None = await connection.run_sync(revision_of)
        return found


async def require_fitting(url: str) -> None:
    """Refuse a database that was not migrated yet, or was by a newer server.

    Raises:
        SchemaDoesNotFit: It is so.
    """
    require_head(await current(url))


def require_head(found: str | None) -> None:
    """Refuse a schema that is not the one of this server.

    Raises:
        SchemaDoesNotFit: It is none, an older or a newer one.
    """
    if found != ScriptDirectory(str(MIGRATIONS)).get_current_head():
        raise SchemaDoesNotFit(_problem(found))


def configuration(connection: Connection) -> Config:
    """How Alembic finds the migrations and the database."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def revision_of(connection: Connection) -> str | None:
    """The revision of the schema that ``connection`` sees."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade_to(connection: Connection, target: str) -> None:
    """Bring an empty database to the schema ``target``.

    Raises:
        SchemaDoesNotFit: A newer server made it.
    """
    require_known(target)
    command.upgrade(configuration(connection), target)


def require_known(revision: str | None) -> None:
    """Refuse the schema of a newer server.

    Raises:
        SchemaDoesNotFit: It is one.
    """
    if not _is_known(revision):
        raise SchemaDoesNotFit(_problem(revision))


def _migrate(connection: Connection, target: str) -> None:
    require_known(revision_of(connection))
    config = configuration(connection)
    if target == HEAD:
        command.upgrade(config, target)
    else:
        command.downgrade(config, target)


async def _make_months(url: str) -> None:
    """Make tables for the trail as the owner of the schema, which a server may not be."""
    connection = await connecting(url, Postgres())()
    try:
        await make_months(connection, datetime.now(UTC))
    finally:
        await connection.close()


def _is_known(revision: str | None) -> bool:
    scripts = ScriptDirectory(str(MIGRATIONS))
    return revision is None or revision in {script.revision for script in scripts.walk_revisions()}


def _problem(found: str | None) -> str:
    if _is_known(found):
        state = "has no schema yet" if found is None else f"has the older schema {found}"
        return f"the database {state}. Run: assay-server migrate"
    return (
        f"the database has the schema {found}, which this server does not know: a newer one made "
        "it. Upgrade this server, or restore the backup from before"
    )


@contextmanager
def _sqlite(file: Path) -> Iterator[Connection]:
    file.parent.mkdir(parents=True, exist_ok=True)

    def opened() -> Any:
        return connect(file, busy_timeout_ms=_LOCKED_MAX_MS)

    engine = create_engine("sqlite://", creator=opened, poolclass=NullPool)
    with engine.connect() as connection:
        # The driver begins nothing by itself, so that DDL is part of the transaction too.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()


@asynccontextmanager
async def postgres_connection(url: str, **options: Any) -> AsyncIterator[Any]:
    """A connection of SQLAlchemy's, in a transaction that is committed when the block ends well.

    Raises:
        StoreNotOpened: The database does not answer.
    """
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool, **options
    )
    try:
        async with engine.begin() as connection:
            yield connection
    except (OSError, SQLAlchemyError) as error:
        raise StoreNotOpened("PostgreSQL does not answer, or refuses us; see the log") from error
    finally:
        await engine.dispose()
