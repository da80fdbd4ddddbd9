"""The audit trail in PostgreSQL: appended in batches, kept in a table for each month."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from assay_server.domain.audit import AuditEntry
from assay_server.sqlstore.audit import ADD_ONCE, ENTRY, SWEPT_MAX
from assay_server.sqlstore.compiled import Catalogue
from assay_server.sqlstore.dialects import POSTGRES_ERRORS
from assay_server.sqlstore.tables import audit_entries
from assay_server.sqlstore.times import to_us

MONTHS_AHEAD = 3
"""Tables made before they are needed, should nobody make any for a while."""

LOCK_MAX_MS = 300
"""How long the trail may stand still for a month to be dropped."""

_MONTHS = """
    SELECT child.relname FROM pg_inherits
    JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = 'audit_entries'::regclass AND child.relname ~ $1
    ORDER BY 1"""
_SWEEP_OTHER = """
    WITH gone AS (
        DELETE FROM audit_entries_other WHERE ctid IN (
            SELECT ctid FROM audit_entries_other WHERE time < $1 ORDER BY time LIMIT $2
        ) RETURNING 1
    ) SELECT count(*) FROM gone"""

_log = logging.getLogger(__name__)


class PostgresAuditWriter:
    """Appends batches of entries on a connection of its own, one round trip each."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], catalogue: Catalogue) -> None:
        self._connect = connect
        self._statement = catalogue.compiled(ADD_ONCE)
        self._connection: Any = None

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        """Make all of ``entries`` durable, or none."""
        rows = [self._statement.arguments(ENTRY.write(entry)) for entry in entries]
        try:
            await self._write(rows)
        except POSTGRES_ERRORS:
            # A connection that was lost while idle says so only now. Nothing is written twice.
            self.close()
            await self._write(rows)

    def close(self) -> None:
        """Close the connection; the next write opens another one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _write(self, rows: list[tuple[Any, ...]]) -> None:
        if self._connection is None:
            self._connection = await self._connect()
        try:
            await self._connection.executemany(self._statement.sql, rows)
        except asyncio.CancelledError:
            self.close()  # it is still busy
            raise


async def make_months(connection: Any, now: datetime) -> None:
    """Make the tables of this month and some to come, and one for everything else.

    A month is dropped as a whole when it is old enough, which costs nothing; deleting rows
    would cost as much as writing them.
    """
    await _make(connection, "other", "DEFAULT")
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    for _ in range(MONTHS_AHEAD + 1):
        following = _month_after(first)
        await _make(
            connection,
            f"{first:%Y_%m}",
            f"FOR VALUES FROM ({to_us(first)}) TO ({to_us(following)})",
        )
        first = following


async def drop_months(connection: Any, *, before: datetime) -> int:
    """Drop the tables of months that ended ``before``, and old entries that lie elsewhere.

    An entry goes when its whole month is old enough. A busy trail is not waited for: the tables
    go another time.
    """
    swept = 0
    found = await connection.fetch(_MONTHS, f"^{audit_entries.name}_\\d{{4}}_\\d{{2}}$")
    for (name,) in found:
        first = datetime.strptime(name[-7:], "%Y_%m").replace(tzinfo=UTC)
        if _month_after(first) <= before:
            try:
                async with connection.transaction():
                    await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_MAX_MS}'")
                    held = await connection.fetchval(f"SELECT count(*) FROM {name}")
                    await connection.execute(f"DROP TABLE IF EXISTS {name}")
            except asyncpg.UndefinedTableError:
                continue  # another server was first
            except asyncpg.PostgresError as error:
                _log.warning("%s is old and stays for now: %s", name, type(error).__name__)
                break  # the next one would make the trail wait as well
            swept += held
    while gone := await connection.fetchval(_SWEEP_OTHER, to_us(before), SWEPT_MAX):
        swept += gone
    return swept


async def _make(connection: Any, suffix: str, values: str) -> None:
    name = f"{audit_entries.name}_{suffix}"
    if await connection.fetchval("SELECT to_regclass($1)", name) is not None:
        return
    try:
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {audit_entries.name} {values}"
        )
    except asyncpg.IntegrityConstraintViolationError:
        # Entries of that month lie in the table for everything else, and stay there.
        _log.warning("%s cannot be made: entries of that month are kept elsewhere", name)
    except asyncpg.InsufficientPrivilegeError:
        _log.warning("%s cannot be made: its owner must run assay-server migrate", name)
    except asyncpg.DuplicateTableError:
        return  # another server was first


def _month_after(first: datetime) -> datetime:
    years, month = divmod(first.month, 12)
    return first.replace(year=first.year + years, month=month + 1)
