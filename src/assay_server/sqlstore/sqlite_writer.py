"""The one writer of a SQLite database: what waits at the same moment is committed together.

A commit costs a sync of the disk, whatever is in it. Bodies run one after another, each inside
a savepoint, on the event loop; then one commit, in a thread, makes all of them durable; then
all are answered, refusals too, since they may rest on what a body before them wrote.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from assay_server.sqlstore.compiled import Catalogue, Parameters, Statement
from assay_server.sqlstore.dialects import Dialect
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.sqlite_sessions import SqliteSession
from assay_server.sqlstore.staying import settled

T = TypeVar("T")

GROUP_MAX = 256
"""Bodies in one commit, so that the first does not wait for thousands."""

LOOP_BUSY_S = 0.002
"""For how long bodies run in a row before others on the event loop have their turn."""

BATCH_IN_THREAD = 1000
"""Rows from which inserting them is worth a thread: some milliseconds."""

LOCKED_MAX_S = 5.0
"""How long another process, such as a backup tool, may keep the file locked."""

_LOCKED_RETRY_S = 0.02
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    body: Callable[[Session], Awaitable[T]]
    committed: Callable[[T], None]
    answer: asyncio.Future[T]
    has_begun: bool = False


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a body gave or raised."""

    value: Any = None
    error: BaseException | None = None


class _GroupLost(Exception):
    """SQLite rolled the whole transaction back, as it does when the disk is full."""


class SqliteWriter:
    """Runs bodies in transactions of their own that share commits."""

    def __init__(
        self, connection: sqlite3.Connection, catalogue: Catalogue, dialect: Dialect
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-commit")
        self._session = _WriterSession(connection, catalogue, dialect, self._thread)
        self._waiting: list[_Job[Any]] = []
        self._draining: asyncio.Task[None] | None = None

    async def run(
        self, body: Callable[[Session], Awaitable[T]], committed: Callable[[T], None]
    ) -> T:
        """Run ``body`` and return what it gave when that is durable.

        A caller that is cancelled before its body began leaves no trace. One that began is
        committed or refused as if the caller had stayed, who leaves when that is known;
        ``committed`` is told in any case.
        """
        job = _Job(body, committed, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        try:
            return await asyncio.shield(job.answer)
        except asyncio.CancelledError:
            if not job.has_begun:
                job.answer.cancel()
            await settled(job.answer)
            raise

    async def close(self) -> None:
        """Finish what was begun, then close the database."""
        if self._draining is not None:
            await self._draining
        self._thread.shutdown()
        self._connection.close()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP_MAX], self._waiting[GROUP_MAX:]
                await self._write(group)
        finally:
            self._draining = None

    async def _write(self, group: Sequence[_Job[Any]]) -> None:
        try:
            await self._begin()
            outcomes = await self._outcomes(group)
            await self._end(any(outcome.error is None for _, outcome in outcomes))
        except Exception as error:  # noqa: BLE001 - nothing was committed, whatever it was
            self._roll_back()
            cause = error.__cause__ if isinstance(error, _GroupLost) else error
            _log.warning("A commit of %d changes failed", len(group), exc_info=cause)
            for job in group:
                _refuse(job, self._refusal(cause))
            return
        for job, outcome in outcomes:
            if outcome.error is not None:
                _refuse(job, outcome.error)
            else:
                job.committed(outcome.value)
                if not job.answer.done():
                    job.answer.set_result(outcome.value)

    async def _outcomes(self, group: Sequence[_Job[Any]]) -> list[tuple[_Job[Any], _Outcome]]:
        found: list[tuple[_Job[Any], _Outcome]] = []
        since = time.perf_counter()
        for job in group:
            if time.perf_counter() - since > LOOP_BUSY_S:
                await asyncio.sleep(0)
                since = time.perf_counter()
            if not job.answer.cancelled():
                job.has_begun = True
                found.append((job, await self._outcome(job)))
        return found

    async def _outcome(self, job: _Job[Any]) -> _Outcome:
        self._connection.execute("SAVEPOINT body")
        try:
            outcome = _Outcome(await job.body(self._session))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the caller gets it
            if not self._connection.in_transaction:
                raise _GroupLost from (error.__cause__ or error)
            self._connection.execute("ROLLBACK TO body")
            outcome = _Outcome(error=error)
        self._connection.execute("RELEASE body")
        return outcome

    async def _begin(self) -> None:
        give_up = time.monotonic() + LOCKED_MAX_S
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                await asyncio.sleep(_LOCKED_RETRY_S)
            else:
                return

    async def _end(self, has_written: bool) -> None:
        if has_written:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._connection.execute, "COMMIT")
        else:
            self._connection.execute("ROLLBACK")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _refusal(self, cause: BaseException | None) -> Exception:
        return self._dialect.refusal_of(cause if isinstance(cause, Exception) else Exception())


class _WriterSession(SqliteSession):
    """A session that inserts many rows off the event loop."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        catalogue: Catalogue,
        dialect: Dialect,
        thread: ThreadPoolExecutor,
    ) -> None:
        super().__init__(connection, catalogue, dialect)
        self._thread = thread

    async def write_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        if len(parameters) < BATCH_IN_THREAD:
            await super().write_many(statement, parameters)
        else:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self.insert_many, statement, parameters)


def _refuse(job: _Job[Any], error: BaseException) -> None:
    if not job.answer.done():
        job.answer.set_exception(error)
        job.answer.exception()  # its caller may be gone; that is no news for the log
