"""Sessions on PostgreSQL: statements through asyncpg, prepared once per connection."""

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any

import asyncpg

from assay_server.domain.errors import Conflict, RegistryError
from assay_server.sqlstore.compiled import Catalogue, Parameters, Statement
from assay_server.sqlstore.dialects import POSTGRES_ERRORS, Dialect
from assay_server.sqlstore.postgres_pool import CONNECT_MAX_S, SETTINGS, Pool
from assay_server.sqlstore.reading import Snapshot
from assay_server.sqlstore.session import Row, UniqueViolated

_STATEMENTS_KEPT = 500


def connecting(url: str, dialect: Dialect) -> Callable[[], Awaitable[Any]]:
    """A function that opens a connection as the store needs it."""

    async def connect() -> Any:
        try:
            return await asyncpg.connect(
                url,
                timeout=CONNECT_MAX_S,
                server_settings=SETTINGS,
                statement_cache_size=_STATEMENTS_KEPT,
                max_cached_statement_lifetime=0,
            )
        except POSTGRES_ERRORS as error:
            raise dialect.refusal_of(error) from error

    return connect


class PostgresSession:
    """The port ``Session`` on a connection that nobody else uses meanwhile."""

    def __init__(self, connection: Any, catalogue: Catalogue, dialect: Dialect) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._dialect = dialect

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        compiled = self._catalogue.compiled(statement)
        try:
            found: Sequence[Row] = await self._connection.fetch(
                compiled.sql, *compiled.arguments(parameters)
            )
        except POSTGRES_ERRORS as error:
            raise self._dialect.refusal_of(error) from error
        return found

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
        compiled = self._catalogue.compiled(statement)
        try:
            await self._connection.executemany(
                compiled.sql, [compiled.arguments(each) for each in parameters]
            )
        except POSTGRES_ERRORS as error:
            refusal = self._dialect.refusal_of(error)
            raise Conflict() if isinstance(refusal, UniqueViolated) else refusal from error


class SnapshotSession:
    """A snapshot while a block runs."""

    def __init__(self, pool: Pool, catalogue: Catalogue, dialect: Dialect) -> None:
        self._pool = pool
        self._catalogue = catalogue
        self._dialect = dialect
        self._connection: Any = None

    async def __aenter__(self) -> Snapshot:
        self._connection = await self._pool.take()
        return Snapshot(PostgresSession(self._connection, self._catalogue, self._dialect))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Cancelled in the middle of a statement, the connection is still busy with it.
        if isinstance(error, Exception | None):
            self._pool.give(self._connection)
        else:
            self._pool.discard(self._connection)
