"""Transactions on PostgreSQL: writes that wait for company, and the end of it all.

The row that counts revisions is locked from the tail to the end of the commit, by one server
after another. Were the commit a message of its own, every change in the registry would wait for
the way to us and back, and for whatever else this process has to do before it sends it. So the
last writes, the tail and the commit go in one message.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy import Text, cast, func, literal_column
from sqlalchemy.sql import ColumnElement

from assay_server.domain.errors import Conflict, RegistryError, StoreUnavailable
from assay_server.sqlstore.compiled import Catalogue, Parameters, Statement
from assay_server.sqlstore.dialects import POSTGRES_ERRORS, RETRY_AFTER_S, Dialect
from assay_server.sqlstore.postgres_sessions import PostgresSession
from assay_server.sqlstore.postgres_texts import Texts, Written
from assay_server.sqlstore.postgres_together import Asked, Bundles
from assay_server.sqlstore.session import Row, UniqueViolated
from assay_server.sqlstore.tail import Ending, TailShape, together

CHANNEL = "assay_revision"
"""Where all servers are told of a new revision."""

FEW = 32
"""Rows up to which many are written like one; more have a message of their own."""

_COMMIT = "COMMIT AND CHAIN"
_UNKNOWN_STATES = ("08", "57")
"""Classes of SQLSTATE after which a commit may have happened: connection, intervention."""


class OutcomeUnknown(Exception):
    """The connection was lost during the commit."""


class Tails:
    """The statements that end transactions, by their shape."""

    def __init__(self) -> None:
        self._statements: dict[TailShape, Statement] = {}

    def of(self, shape: TailShape) -> Statement:
        """The one statement that writes a tail of this shape."""
        if shape not in self._statements:
            self._statements[shape] = together(shape, _told)
        return self._statements[shape]


class PostgresTransaction(PostgresSession):
    """A session that sends writes with the next statement, or with the commit."""

    def __init__(
        self,
        connection: Any,
        catalogue: Catalogue,
        dialect: Dialect,
        bundles: Bundles,
        *,
        texts: Texts,
        tails: Tails,
    ) -> None:
        super().__init__(connection, catalogue, dialect, bundles)
        self._texts = texts
        self._tails = tails
        self._waiting: list[Written] = []
        self._taken: dict[str, RegistryError] = {}

    async def settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        await super().settle()
        self._waiting = waiting

    async def write(
        self, statement: Statement, *, taken: RegistryError | None = None, **parameters: Any
    ) -> None:
        if taken is not None:
            if statement.table in self._taken:
                await self._send_waiting()  # the database names the table only
            self._taken[statement.table] = taken
        self._waiting.append((statement, parameters))

    async def write_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        if len(parameters) <= FEW:
            self._waiting.extend((statement, each) for each in parameters)
            return
        await self._send_waiting()
        await super().write_many(statement, parameters)

    async def commit(self) -> None:
        """Commit what was written, without a tail.

        Raises:
            RegistryError: It was not committed, or nobody can tell.
        """
        try:
            await self._commit(self._waiting)
        except POSTGRES_ERRORS as error:
            raise self._refusal(error) from error

    async def finish(self, ending: Ending) -> int:
        """Write ``ending``, commit, and return its revision, or the newest if nothing happened.

        Raises:
            OutcomeUnknown: Nobody can tell whether it was committed.
            RegistryError: It was not.
        """
        try:
            if ending.shape.makes_revision:
                return await self._at_once(ending)
            return await self._one_by_one(ending)
        except POSTGRES_ERRORS as error:
            if _may_have_committed(self._connection, error):
                raise OutcomeUnknown from error
            raise self._refusal(error) from error

    async def _at_once(self, ending: Ending) -> int:
        tail = self._tails.of(ending.shape), ending.parameters()
        before = self._connection.get_settings().application_name
        await self._commit([*self._waiting, tail])
        told: str = self._connection.get_settings().application_name
        if told == before:
            raise OutcomeUnknown  # something on the way keeps the server's news from us
        return int(told.rpartition(" ")[2])

    async def _one_by_one(self, ending: Ending) -> int:
        """No row is held that others wait for, and so nothing is in a hurry."""
        row = await self.row(self._tails.of(ending.shape), **ending.parameters())
        assert row is not None, "the counters are made with the schema"
        await self._commit([])
        return int(row[0])

    async def _commit(self, writes: Sequence[Written]) -> None:
        text = await self._texts.of(self._connection, writes)
        if await self._connection.execute(f"{text} {_COMMIT}") != "COMMIT":
            raise StoreUnavailable(RETRY_AFTER_S)  # the server rolled back instead

    async def _ask(self, asked: Sequence[Asked]) -> Sequence[Sequence[Row]]:
        if self._waiting:
            await self._send_waiting()
        return await super()._ask(asked)

    async def _send_waiting(self) -> None:
        await self.settle()
        if not self._waiting:
            return
        writes, self._waiting = self._waiting, []
        try:
            await self._connection.execute(await self._texts.of(self._connection, writes))
        except POSTGRES_ERRORS as error:
            raise self._refusal(error) from error
        self._taken.clear()

    def _refusal(self, error: Exception) -> Exception:
        refusal = self._dialect.refusal_of(error)
        if isinstance(refusal, UniqueViolated):
            return self._taken.get(refusal.table) or Conflict()
        return refusal


def _told(revision: ColumnElement[int]) -> tuple[ColumnElement[Any], ...]:
    """Wake the other servers, and tell ours.

    Rows of a message without parameters never reach us. A change of application_name does: the
    server reports it to its client (PostgreSQL docs, 55.2.7 Asynchronous Operations).
    """
    text = cast(revision, Text)
    name = literal_column("'assay '").concat(text)
    return (
        func.pg_notify(literal_column(f"'{CHANNEL}'"), text),
        func.set_config(literal_column("'application_name'"), name, literal_column("false")),
    )


def _may_have_committed(connection: Any, error: Exception) -> bool:
    if connection.is_closed() or not isinstance(error, asyncpg.PostgresError):
        return True
    return str(error.sqlstate).startswith(_UNKNOWN_STATES)
