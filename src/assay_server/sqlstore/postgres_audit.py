"""The audit trail in PostgreSQL: appended in batches, kept in a table for each month."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from assay_server.domain.audit import AuditEntry
from assay_server.sqlstore.audit import ADD_ONCE, ENTRY
from assay_server.sqlstore.compiled import Catalogue
from assay_server.sqlstore.dialects import POSTGRES_ERRORS
from assay_server.sqlstore.tables import audit_entries
from assay_server.sqlstore.times import to_us

MONTHS_AHEAD = 3
"""Tables made before they are needed, should nobody make any for a while."""

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
