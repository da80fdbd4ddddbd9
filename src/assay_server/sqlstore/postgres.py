"""The registry in PostgreSQL: any number of servers share it."""

import asyncio
import logging
import time
from datetime import datetime, timedelta
from typing import Any, TypeVar

from assay_server.domain.calls import Call, Committed
from assay_server.domain.errors import StoreUnavailable, UploadFenced
from assay_server.domain.names import parse_upload
from assay_server.sqlstore import forgetting
from assay_server.sqlstore.changing import Allowed, Body, Changes
from assay_server.sqlstore.compiled import Catalogue
from assay_server.sqlstore.dialects import RETRY_AFTER_S, Dialect
from assay_server.sqlstore.postgres_finishing import OutcomeUnknown, PostgresTransaction, Tails
from assay_server.sqlstore.postgres_pool import Pool
from assay_server.sqlstore.postgres_sessions import SnapshotSession
from assay_server.sqlstore.postgres_texts import Texts
from assay_server.sqlstore.postgres_together import Bundles
from assay_server.sqlstore.reading import OpenReader
from assay_server.sqlstore.requests import sweep
from assay_server.sqlstore.revisions import Revisions
from assay_server.sqlstore.staying import outcome
from assay_server.sqlstore.tail import NEWEST
from assay_server.sqlstore.uploads import SqlUploads

T = TypeVar("T")

TRUTH_MAX_S = 10.0
"""How long the truth about a lost commit is looked for; a failover takes a few seconds."""

_TRUTH_RETRY_S = 0.1
_log = logging.getLogger(__name__)


class PostgresMetadata:
    """The port ``MetadataStore``."""

    def __init__(
        self,
        *,
        readers: Pool,
        writers: Pool,
        changes: Changes,
        revisions: Revisions,
        catalogue: Catalogue,
        dialect: Dialect,
        events_kept: timedelta,
    ) -> None:
        self._readers = readers
        self._writers = writers
        self._changes = changes
        self._revisions = revisions
        self._events_kept = events_kept
        self._catalogue = catalogue
        self._dialect = dialect
        self._bundles = Bundles(catalogue)
        self._texts = Texts(catalogue)
        self._tails = Tails()
        self._running: set[asyncio.Task[Any]] = set()

    def read(self, as_of: int = 0) -> OpenReader:
        return OpenReader(self.snapshot(), as_of)

    def snapshot(self) -> SnapshotSession:
        """Open a snapshot for statements."""
        return SnapshotSession(self._readers, self._catalogue, self._dialect, self._bundles)

    async def change(
        self, call: Call, answer_type: type[T], body: Body[T], *, allowed: Allowed[T] = None
    ) -> Committed[T]:
        # A task of its own: when the caller goes away it still runs to the end.
        task = asyncio.create_task(self._change(call, answer_type, body, allowed=allowed))
        self._running.add(task)
        task.add_done_callback(self._finished)
        return await outcome(task)

    async def note_durable(self, upload_name: str, *, epoch: int, durable_bytes: int) -> None:
        name = parse_upload(upload_name)
        async with self._writers.borrow() as connection:
            session = self._session(connection)
            uploads = SqlUploads(session)
            if await uploads.note_durable(name, epoch=epoch, durable_bytes=durable_bytes):
                await session.commit()
                return
        raise UploadFenced(upload_name)

    def require_space(self) -> None:
        """Its disk is that of the database, which alone knows when it is full."""

    async def wait_past(self, revision: int, timeout_s: float) -> int:
        if timeout_s <= 0:
            # Whoever does not wait wants to know, and another server may be ahead of us.
            async with self.snapshot() as session:
                row = await session.row(NEWEST)
            assert row is not None, "the counters are made with the schema"
            self._revisions.advance(row[0])
        return await self._revisions.wait_past(revision, timeout_s)

    async def sweep(self, now: datetime) -> int:
        """Forget requests and events that are older than is kept; returns how many."""
        total = 0
        while True:
            async with self._writers.borrow() as connection:
                session = self._session(connection)
                swept = await sweep(session, now=now)
                swept += await forgetting.sweep(session, before=now - self._events_kept)
                await session.commit()
            total += swept
            if not swept:
                return total

    async def close(self) -> None:
        """Finish what was begun, then close all connections."""
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._readers.close()
        await self._writers.close()

    async def _change(
        self, call: Call, answer_type: type[T], body: Body[T], *, allowed: Allowed[T]
    ) -> Committed[T]:
        connection = await self._writers.take()
        try:
            session = self._session(connection)
            decided = await self._changes.decide(session, call, answer_type, body, allowed=allowed)
        except BaseException:
            self._writers.give(connection)  # which rolls back
            raise
        if isinstance(decided, Committed):
            self._writers.give(connection)
            return decided
        try:
            revision = await session.finish(decided.ending)
        except OutcomeUnknown:
            self._writers.discard(connection)
            committed = await self._truth(call, answer_type)
        except BaseException:
            self._writers.give(connection)
            raise
        else:
            self._writers.give_renewed(connection)
            committed = Committed(decided.answer, revision)
        call.on_record.note(committed.revision)
        self._revisions.advance(committed.revision)
        return committed

    async def _truth(self, call: Call, answer_type: type[T]) -> Committed[T]:
        """Whether a commit whose answer was lost has happened.

        Raises:
            StoreUnavailable: It did not, or nobody can tell: the call has no request id, or the
                database does not answer.
        """
        _log.warning("PostgreSQL was lost during a commit")
        give_up = time.monotonic() + TRUTH_MAX_S
        while call.request_id and time.monotonic() < give_up:
            try:
                async with self._writers.borrow() as connection:
                    earlier = await self._changes.earlier(
                        self._session(connection), call, answer_type
                    )
            except StoreUnavailable:
                await asyncio.sleep(_TRUTH_RETRY_S)
                continue
            if earlier is None:
                break
            return Committed(earlier.answer, earlier.revision)
        raise StoreUnavailable(RETRY_AFTER_S)

    def _session(self, connection: Any) -> PostgresTransaction:
        return PostgresTransaction(
            connection,
            self._catalogue,
            self._dialect,
            self._bundles,
            texts=self._texts,
            tails=self._tails,
        )

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may be gone; that is no news for the log
