"""Sessions on PostgreSQL: statements through asyncpg, prepared once per connection."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any

import asyncpg

from assay_server.domain.errors import Conflict, RegistryError
from assay_server.sqlstore.compiled import Catalogue, Parameters, Statement
from assay_server.sqlstore.dialects import POSTGRES_ERRORS, Dialect
from assay_server.sqlstore.postgres_pool import CONNECT_MAX_S, SETTINGS, Pool
from assay_server.sqlstore.postgres_together import Asked, Bundles, Wish, answers, unbundled
from assay_server.sqlstore.reading import Snapshot
from assay_server.sqlstore.session import Row, Unclaimed, UniqueViolated

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

    def __init__(
        self, connection: Any, catalogue: Catalogue, dialect: Dialect, bundles: Bundles
    ) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._dialect = dialect
        self._bundles = bundles
        self._claim: Asked | None = None
        self._is_gathering = False

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        (found,) = await self._asked([(statement, parameters)])
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

    async def claim(self, statement: Statement, **parameters: Any) -> None:
        self._claim = statement, parameters

    async def settle(self) -> None:
        if self._claim is not None:
            await self._ask([])

    async def together(self, calls: Sequence[Coroutine[Any, Any, Any]]) -> tuple[Any, ...]:
        outer, self._is_gathering = self._is_gathering, True
        try:
            return await answers(calls, Wish if outer else self._ask)
        finally:
            self._is_gathering = outer

    async def _asked(self, asked: Sequence[Asked]) -> Sequence[Sequence[Row]]:
        return await (Wish(asked) if self._is_gathering else self._ask(asked))

    async def _ask(self, asked: Sequence[Asked]) -> Sequence[Sequence[Row]]:
        """The rows of each statement, after those of what is to be claimed; one round trip."""
        claim, self._claim = self._claim, None
        if claim is None:
            return await self._fetched(asked)
        claimed, *found = await self._fetched([claim, *asked])
        if not claimed:
            raise Unclaimed
        return found

    async def _fetched(self, asked: Sequence[Asked]) -> Sequence[Sequence[Row]]:
        try:
            if len(asked) > 1:
                text, arguments = self._bundles.of(asked)
                return unbundled(await self._connection.fetchrow(text, *arguments))
            ((statement, parameters),) = asked
            compiled = self._catalogue.compiled(statement)
            return [await self._connection.fetch(compiled.sql, *compiled.arguments(parameters))]
        except POSTGRES_ERRORS as error:
            raise self._dialect.refusal_of(error) from error


class SnapshotSession:
    """A snapshot while a block runs."""

    def __init__(
        self, pool: Pool, catalogue: Catalogue, dialect: Dialect, bundles: Bundles
    ) -> None:
        self._pool = pool
        self._catalogue = catalogue
        self._dialect = dialect
        self._bundles = bundles
        self._connection: Any = None

    async def __aenter__(self) -> Snapshot:
        self._connection = await self._pool.take()
        session = PostgresSession(self._connection, self._catalogue, self._dialect, self._bundles)
        return Snapshot(session)

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
