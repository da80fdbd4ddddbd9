"""Connections to PostgreSQL, each with a transaction begun already.

``COMMIT AND CHAIN`` ends one transaction and begins the next in one round trip, so that nobody
pays for a BEGIN. A transaction takes its snapshot with its first statement, not before: an idle
one holds nothing and keeps nothing from being cleaned up.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from assay_server.domain.errors import StoreUnavailable
from assay_server.sqlstore.dialects import POSTGRES_ERRORS, RETRY_AFTER_S

CONNECT_MAX_S = 5.0
BORROW_MAX_S = 10.0
"""How long a caller waits for a connection before it is told to come again."""

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""All statements of a reader see one snapshot. It never fails to serialize: it writes nothing."""

WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""A statement that waited for a row sees what the one before it left: no retries."""

SETTINGS = {
    "application_name": "assay",
    "jit": "off",  # statements take a fraction of a millisecond, compiling them tens
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "0",  # ours idle in one by design
    "client_min_messages": "error",
    "standard_conforming_strings": "on",  # a backslash is a backslash
}

_log = logging.getLogger(__name__)


class Pool:
    """Lends connections; opens them when they are first needed.

    Args:
        connect: Opens a connection.
        size: How many at most.
        begin: How a transaction begins; it goes on so for as long as the connection lives.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], *, size: int, begin: str) -> None:
        self._connect = connect
        self._begin = begin
        self._idle: list[Any] = []
        self._places = asyncio.Semaphore(size)
        self._returning: set[asyncio.Task[None]] = set()

    async def take(self) -> Any:
        """A connection in a transaction that did nothing yet.

        Raises:
            StoreUnavailable: All are in use for too long, or none can be opened.
        """
        try:
            if self._places.locked():
                await asyncio.wait_for(self._places.acquire(), BORROW_MAX_S)
            else:
                await self._places.acquire()
        except TimeoutError:
            raise StoreUnavailable(RETRY_AFTER_S) from None
        try:
            return await self._opened()
        except BaseException:
            self._places.release()
            raise

    def give(self, connection: Any) -> None:
        """Take back a connection whose transaction did nothing that is to be kept.

        That is ended behind the caller's back, who has its answer already.
        """
        task = asyncio.create_task(self._renew(connection))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    def give_renewed(self, connection: Any) -> None:
        """Take back a connection whose last transaction was ended with AND CHAIN."""
        if not connection.is_closed():
            self._idle.append(connection)
        self._places.release()

    def discard(self, connection: Any) -> None:
        """Take back a connection that cannot be trusted any more."""
        connection.terminate()
        self._places.release()

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Any]:
        """``take`` and ``give``; whatever goes wrong costs the connection."""
        connection = await self.take()
        try:
            yield connection
        except BaseException:
            self.discard(connection)
            raise
        self.give(connection)

    async def close(self) -> None:
        """Close what is idle, after what is on its way back has come."""
        await asyncio.gather(*self._returning, return_exceptions=True)
        while self._idle:
            self._idle.pop().terminate()

    async def _opened(self) -> Any:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        connection = await self._connect()
        try:
            await connection.execute(self._begin)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, POSTGRES_ERRORS):
                raise StoreUnavailable(RETRY_AFTER_S) from error
            raise
        return connection

    async def _renew(self, connection: Any) -> None:
        try:
            await connection.execute("ROLLBACK AND CHAIN")
        except Exception:  # noqa: BLE001 - whatever it was, another one is opened
            _log.info("A connection to PostgreSQL was lost", exc_info=True)
            self.discard(connection)
        else:
            self.give_renewed(connection)
