"""Backups of a registry in PostgreSQL: COPY of every table in one snapshot (decision 0060)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, MetaData, Table, text

from assay_server.domain.backups import BackupRefused, CopiedFacts
from assay_server.ports.backups import Report
from assay_server.sqlstore.places import PostgresPlace
from assay_server.sqlstore.postgres_audit import make_months
from assay_server.sqlstore.schema import postgres_connection, revision_of, upgrade_to
from assay_server.sqlstore.sqlite_backup import REFERENCED
from assay_server.sqlstore.times import from_us

KIND = "postgresql"

_TABLES = text(
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
    "AND relnamespace = current_schema()::regnamespace"
)
_VERSION_TABLE = "alembic_version"
_MONTH = timedelta(days=31)
_FIRST_MONTH = datetime(2025, 1, 1, tzinfo=UTC)
"""Older entries than Assay itself go to the table for everything else."""


class PostgresFactsCopying:
    """The port ``FactsCopying``."""

    def __init__(self, place: PostgresPlace) -> None:
        self._url = place.url

    async def copy_to(self, directory: Path, report: Report) -> tuple[CopiedFacts, frozenset[str]]:
        async with _snapshot(self._url) as (connection, driver), _copying():
            schema = await connection.run_sync(revision_of)
            if schema is None:
                raise BackupRefused("there is no registry in the database")
            copied = await connection.run_sync(_tables)
            rows = {}
            for place, table in enumerate(copied):
                report(f"copying {table.name}", place, len(copied))
                command = f"SELECT {', '.join(map(_quoted, _columns(table)))} FROM {table.name}"
                status = await driver.copy_from_query(
                    command, output=str(_file(directory, table.name))
                )
                rows[table.name] = int(status.rpartition(" ")[2])
            columns = {table.name: _columns(table) for table in copied}
            revision = await driver.fetchval("SELECT value FROM counters WHERE name = 'revision'")
            oldest = await driver.fetchval("SELECT min(time) FROM audit_entries")
            digests = await driver.fetch(REFERENCED)
        facts = CopiedFacts(KIND, schema, revision, rows, columns, oldest or 0)
        return facts, frozenset(row[0] for row in digests)

    async def require_empty(self) -> None:
        async with postgres_connection(self._url) as connection:
            if (await connection.execute(_TABLES)).first() is not None:
                raise BackupRefused("the database has tables: restore to one where nothing is")

    async def restore_from(self, directory: Path, facts: CopiedFacts, report: Report) -> None:
        if facts.store != KIND:
            raise BackupRefused(
                f"the backup is one of {facts.store}, and the store that the settings name is not"
            )
        async with postgres_connection(self._url) as connection, _copying():
            await connection.run_sync(upgrade_to, facts.schema)
            driver = (await connection.get_raw_connection()).driver_connection
            await _make_months_since(driver, facts.audit_oldest_us)
            known = await connection.run_sync(_tables)
            _require_same(known, facts)
            names = ", ".join(table.name for table in known)
            await connection.execute(text(f"TRUNCATE {names}"))  # what the migrations put there
            for place, table in enumerate(known):
                report(f"restoring {table.name}", place, len(known))
                status = await driver.copy_to_table(
                    table.name,
                    source=str(_file(directory, table.name)),
                    columns=list(facts.columns[table.name]),
                )
                if int(status.rpartition(" ")[2]) != facts.rows[table.name]:
                    raise BackupRefused(f"{table.name} has another number of rows than it had")


@asynccontextmanager
async def _snapshot(url: str) -> AsyncIterator[tuple[Any, Any]]:
    """A connection that sees one moment, and the driver's own below it."""
    async with postgres_connection(url, isolation_level="REPEATABLE READ") as connection:
        await connection.execute(text("SET TRANSACTION READ ONLY"))
        yield connection, (await connection.get_raw_connection()).driver_connection


@asynccontextmanager
async def _copying() -> AsyncIterator[None]:
    """Tells a fault of the files from one of the database, and both in a sentence."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise BackupRefused(f"PostgreSQL refused: {error}") from error
    except ConnectionError:
        raise
    except OSError as error:
        raise BackupRefused(f"a file of the backup failed: {error.strerror}") from error


async def _make_months_since(driver: Any, oldest_us: int) -> None:
    """Make the tables of the months whose entries come back, so that months can be dropped."""
    now = datetime.now(UTC)
    moment = max(from_us(oldest_us), _FIRST_MONTH) if oldest_us else now
    while moment < now:
        await make_months(driver, moment)
        moment += _MONTH
    await make_months(driver, now)


def _tables(connection: Connection) -> list[Table]:
    """Every table, those first that others refer to."""
    names = [name for name in connection.scalars(_TABLES) if name != _VERSION_TABLE]
    found = MetaData()
    found.reflect(connection, only=names)
    return [table for table in found.sorted_tables if table.name in names]


def _require_same(known: list[Table], facts: CopiedFacts) -> None:
    expected = {table.name: set(_columns(table)) for table in known}
    if expected != {name: set(columns) for name, columns in facts.columns.items()}:
        raise BackupRefused(
            f"the backup does not have the tables of the schema {facts.schema}: it is damaged"
        )


def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _quoted(column: str) -> str:
    return f'"{column}"'


def _file(directory: Path, table: str) -> Path:
    return directory / f"{table}.copy"
