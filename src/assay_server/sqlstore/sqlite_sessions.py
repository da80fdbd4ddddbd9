"""SQLite connections: how they are opened, and sessions that use them at once.

Statements run on the event loop itself. A short indexed one takes 5 to 20 µs, less than handing
it to a thread and back, and pages of 1,000 rows take about a millisecond (decision 0010). What
waits for the disk, the commit, never runs here.
"""

import sqlite3
from collections.abc import Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from assay_server.domain.errors import Conflict, RegistryError
from assay_server.sqlstore.compiled import Catalogue, Parameters, Statement
from assay_server.sqlstore.dialects import Dialect
from assay_server.sqlstore.reading import Snapshot
from assay_server.sqlstore.session import Row, Unclaimed, UniqueViolated

_PAGES_KIB = 16 * 1024
"""What a connection keeps of the database in memory."""

_STATEMENTS_KEPT = 512
_IDLE_MAX = 16
"""Read connections kept open; more are closed after use."""

_READ_WAIT_MS = 1000
"""A reader waits only while the log is recovered after a crash, or for a tool that locks it all."""


def connect(path: Path, *, busy_timeout_ms: int, read_only: bool = False) -> sqlite3.Connection:
    """Open a database so that a commit is on the disk when it returns.

    WAL lets readers go on beside the writer; ``synchronous=FULL`` syncs the log at every commit:
    with NORMAL a power cut loses what was acknowledged.
    """
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_KEPT,
    )
    for setting in (
        f"busy_timeout = {busy_timeout_ms}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"cache_size = -{_PAGES_KIB}",
        f"query_only = {'ON' if read_only else 'OFF'}",
    ):
        connection.execute(f"PRAGMA {setting}")
    return connection


class SqliteSession:
    """The port ``Session`` on a connection that nobody else uses meanwhile."""

    def __init__(
        self, connection: sqlite3.Connection, catalogue: Catalogue, dialect: Dialect
    ) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._dialect = dialect

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        compiled = self._catalogue.compiled(statement)
        try:
            arguments = compiled.arguments(parameters)
            return self._connection.execute(compiled.sql, arguments).fetchall()
        except sqlite3.Error as error:
            raise self._dialect.refusal_of(error) from error

    async def row(self, statement: Statement, **parameters: Any) -> Row | None:
        rows = await self.rows(statement, **parameters)
        return rows[0] if rows else None

    async def write(
        self, statement: Statement, *, taken: RegistryError | None = None, **parameters: Any
    ) -> None:
        try:
            await self.rows(statement, **parameters)
        except UniqueViolated:
            raise taken or Conflict() from None

    async def write_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        self.insert_many(statement, parameters)

    async def claim(self, statement: Statement, **parameters: Any) -> None:
        if not await self.rows(statement, **parameters):
            raise Unclaimed

    async def settle(self) -> None:
        """Claims are made at once."""

    async def together(self, calls: Sequence[Coroutine[Any, Any, Any]]) -> tuple[Any, ...]:
        """One after another: there is no way that could be saved."""
        left = iter(calls)
        try:
            return tuple([await call for call in left])
        finally:
            for call in left:
                call.close()

    def insert_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        """``write_many``, for whoever is not on the event loop."""
        compiled = self._catalogue.compiled(statement)
        try:
            self._connection.executemany(compiled.sql, map(compiled.arguments, parameters))
        except sqlite3.Error as error:
            refusal = self._dialect.refusal_of(error)
            raise Conflict() if isinstance(refusal, UniqueViolated) else refusal from error


class Snapshots:
    """Read connections, lent for one snapshot at a time."""

    def __init__(self, path: Path, catalogue: Catalogue, dialect: Dialect) -> None:
        self._path = path
        self._catalogue = catalogue
        self._dialect = dialect
        self._idle: list[sqlite3.Connection] = []

    def session(self) -> "SnapshotSession":
        """Open a snapshot."""
        return SnapshotSession(self)

    def begin(self) -> tuple[sqlite3.Connection, Snapshot]:
        """Take a connection and begin a transaction on it."""
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise self._dialect.refusal_of(error) from error
        return connection, Snapshot(SqliteSession(connection, self._catalogue, self._dialect))

    def end(self, connection: sqlite3.Connection) -> None:
        """End the transaction and take the connection back."""
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            connection.close()
            return
        if len(self._idle) < _IDLE_MAX:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close the connections that are not lent."""
        while self._idle:
            self._idle.pop().close()

    def _connect(self) -> sqlite3.Connection:
        return connect(self._path, busy_timeout_ms=_READ_WAIT_MS, read_only=True)


class SnapshotSession:
    """A snapshot while a block runs."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._connection: sqlite3.Connection | None = None

    async def __aenter__(self) -> Snapshot:
        self._connection, session = self._snapshots.begin()
        return session

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._connection is not None
        self._snapshots.end(self._connection)
