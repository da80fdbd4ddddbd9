"""The registry in a SQLite file: one server, no installation."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from assay_server.domain.calls import Call, Committed
from assay_server.domain.errors import UploadFenced
from assay_server.domain.names import parse_upload
from assay_server.sqlstore import forgetting
from assay_server.sqlstore.changing import Allowed, Body, Changes
from assay_server.sqlstore.reading import OpenReader
from assay_server.sqlstore.requests import sweep
from assay_server.sqlstore.revisions import Revisions
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.sqlite_sessions import Snapshots
from assay_server.sqlstore.sqlite_writer import SqliteWriter
from assay_server.sqlstore.tail import OneByOne
from assay_server.sqlstore.uploads import SqlUploads

T = TypeVar("T")


class SqliteMetadata:
    """The port ``MetadataStore``."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        writer: SqliteWriter,
        changes: Changes,
        revisions: Revisions,
        events_kept: timedelta,
        require_space: Callable[[], None],
    ) -> None:
        self._snapshots = snapshots
        self._writer = writer
        self._changes = changes
        self._revisions = revisions
        self._events_kept = events_kept
        self._require_space = require_space
        self._tail = OneByOne()

    def read(self, as_of: int = 0) -> OpenReader:
        return OpenReader(self._snapshots.session(), as_of)

    async def change(
        self, call: Call, answer_type: type[T], body: Body[T], *, allowed: Allowed[T] = None
    ) -> Committed[T]:
        async def perform(session: Session) -> Committed[T]:
            decided = await self._changes.decide(session, call, answer_type, body, allowed=allowed)
            if isinstance(decided, Committed):
                return decided
            self._require_space()
            return Committed(decided.answer, await self._tail.write(session, decided.ending))

        def note(committed: Committed[T]) -> None:
            if not committed.is_replay:
                call.on_record.note(committed.revision)
            self._revisions.advance(committed.revision)

        return await self._writer.run(perform, note)

    async def note_durable(self, upload_name: str, *, epoch: int, durable_bytes: int) -> None:
        name = parse_upload(upload_name)
        self._require_space()

        async def note(session: Session) -> None:
            uploads = SqlUploads(session)
            if not await uploads.note_durable(name, epoch=epoch, durable_bytes=durable_bytes):
                raise UploadFenced(upload_name)

        await self._writer.run(note, _told_nobody)

    def require_space(self) -> None:
        self._require_space()

    async def wait_past(self, revision: int, timeout_s: float) -> int:
        return await self._revisions.wait_past(revision, timeout_s)

    async def sweep(self, now: datetime) -> int:
        """Forget requests and events that are older than is kept; returns how many."""

        async def requests(session: Session) -> int:
            return await sweep(session, now=now)

        async def old_events(session: Session) -> int:
            return await forgetting.sweep(session, before=now - self._events_kept)

        total = 0
        for some in (requests, old_events):
            while swept := await self._writer.run(some, _told_nobody):
                total += swept
        return total


def _told_nobody(_: object) -> None:
    """Nothing happened that anyone waits for."""
