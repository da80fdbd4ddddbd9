"""The audit trail beside a SQLite registry, in a file of its own.

Reads then never wait for the writer of the registry, nor it for them.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import msgspec
from sqlalchemy import Text, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or

from assay_server.domain.audit import AuditEntry
from assay_server.domain.errors import StorageFull
from assay_server.sqlstore import tables
from assay_server.sqlstore.audit import ENTRY, SWEEP
from assay_server.sqlstore.compiled import Catalogue, Statement
from assay_server.sqlstore.dialects import Dialect
from assay_server.sqlstore.reserve import Reserve
from assay_server.sqlstore.times import to_us

_TABLE = tables.audit_entries
_COLUMNS = [column.name for column in _TABLE.columns]
_EACH = func.json_each(bindparam("entries", type_=Text)).table_valued("value")

ADD_ALL = Statement(
    insert_or(_TABLE)
    .from_select(
        _COLUMNS,
        select(
            *(func.json_extract(_EACH.c.value, f"$[{place}]") for place in range(len(_COLUMNS)))
            # Else SQLite takes ON CONFLICT for the condition of a join.
        ).where(literal_column("1") == literal_column("1")),
    )
    .on_conflict_do_nothing()
)
"""One statement, so that its thread gives up and takes back the interpreter only once; and for
writers that may have to repeat themselves."""


class SqliteAuditWriter:
    """Appends batches of entries in a thread; each is committed and synced by itself.

    On a full disk it goes on in the space of ``reserve``, while that lasts.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        catalogue: Catalogue,
        dialect: Dialect,
        reserve: Reserve,
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._reserve = reserve
        self._statement = catalogue.compiled(ADD_ALL)
        self._sweep = catalogue.compiled(SWEEP)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-audit")

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        """Make all of ``entries`` durable, or none."""
        rows = [list(map(ENTRY.write(entry).__getitem__, _COLUMNS)) for entry in entries]
        await asyncio.get_running_loop().run_in_executor(
            self._thread, self._execute, msgspec.json.encode(rows).decode()
        )

    async def sweep(self, before: datetime) -> int:
        """Forget some entries that are older than ``before``; returns how many."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._forget, to_us(before)
        )

    def close(self) -> None:
        """Close the file."""
        self._thread.shutdown()
        self._connection.close()

    def _execute(self, entries: str) -> None:
        arguments = self._statement.arguments({"entries": entries})
        self._reserve.take_back()
        while True:
            try:
                self._connection.execute(self._statement.sql, arguments)
            except sqlite3.Error as error:
                is_full = isinstance(self._dialect.refusal_of(error), StorageFull)
                if not is_full or not self._reserve.give_up_some():
                    raise
                self._empty_log()
            else:
                return

    def _empty_log(self) -> None:
        """Bring the log into the database, so that its space is used again and not more taken.

        An entry takes some ten times as much in the log as in the database.
        """
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _forget(self, before: int) -> int:
        arguments = self._sweep.arguments({"before": before})
        return len(self._connection.execute(self._sweep.sql, arguments).fetchall())
