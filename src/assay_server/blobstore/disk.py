"""Blobs in a directory of this machine."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from assay_server.blobstore.direct_io import takes_direct_io
from assay_server.blobstore.keeping import Keeping
from assay_server.blobstore.layout import Layout
from assay_server.blobstore.leaves import LEAF_BYTES
from assay_server.blobstore.operations import FileOperations, refusals_for_disk_errors
from assay_server.blobstore.publishing import Publishing
from assay_server.blobstore.reading import VerifiedBlob
from assay_server.blobstore.staged_files import HeldFile, StagedFiles
from assay_server.blobstore.staging import StagedUpload
from assay_server.blobstore.writer_lock import WriterLock
from assay_server.domain.errors import Conflict, RangePastEnd

T = TypeVar("T")

THREADS = 16
"""Most of the time they wait for the disk."""

LOCK_WAIT_S = 5.0
"""How long another writer may take to notice that it was fenced."""

_LOCK_POLL_S = 0.02


class Disk:
    """Keeps the ports ``BlobStore`` and ``BlobKeeping``; processes may share the directory."""

    def __init__(
        self,
        root: Path,
        *,
        direct_io: bool | None = None,
        files: FileOperations | None = None,
        lock_wait_s: float = LOCK_WAIT_S,
    ) -> None:
        """Make what is missing under ``root``.

        Args:
            direct_io: Past the page cache, about twice as fast; None where it works.
        """
        self._files = files or FileOperations()
        self._layout = Layout(root)
        self._layout.make(self._files)
        is_taken = direct_io is not False and takes_direct_io(self._layout.staging)
        if direct_io and not is_taken:
            raise ValueError(f"the file system of {root} takes no direct I/O; turn it off")
        self._publishing = Publishing(self._layout, self._files)
        self._writers = ThreadPoolExecutor(THREADS, thread_name_prefix="disk-write")
        self._staged = StagedFiles(
            self._layout,
            self._files,
            self._publishing,
            writers=self._writers,
            direct_io=is_taken,
        )
        self._keeping = Keeping(self._layout, self._files)
        self._lock_wait_s = lock_wait_s
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="disk")

    async def close(self) -> None:
        """Let the threads finish and go."""
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._writers.shutdown)

    async def stage(self, upload_id: str, *, durable_bytes: int) -> StagedUpload:
        opening = asyncio.ensure_future(
            self._locked(upload_id, lambda lock: self._staged.open(upload_id, lock, durable_bytes))
        )
        try:
            held = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._abandon)
            raise
        return StagedUpload(
            held.incoming,
            self._threads,
            lambda is_sound: self._staged.release(held, is_sound=is_sound),
        )

    async def commit(self, upload_id: str, *, sha256: str, size_bytes: int) -> None:
        await self._locked(
            upload_id, lambda lock: self._staged.commit(upload_id, lock, sha256, size_bytes)
        )

    async def discard(self, upload_id: str) -> None:
        await self._locked(upload_id, lambda lock: self._staged.discard(upload_id, lock))

    async def size(self, sha256: str) -> int | None:
        blob = self._layout.blob(sha256)
        return await self._in_thread(lambda: blob.stat().st_size if blob.exists() else None)

    async def read(self, sha256: str, *, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        end = offset + length
        blob = await self._in_thread(lambda: self._opened(sha256, end))
        indices = range(offset // LEAF_BYTES, -(-end // LEAF_BYTES) if length else 0)
        ahead: asyncio.Future[bytes] | None = None
        for index in indices:
            leaf = await (ahead or self._leaf(blob, index))
            ahead = self._leaf(blob, index + 1) if index + 1 in indices else None
            start = index * LEAF_BYTES
            first, last = max(offset - start, 0), min(end - start, len(leaf))
            yield leaf if last - first == len(leaf) else leaf[first:last]

    async def older_than(self, moment: datetime) -> AsyncGenerator[frozenset[str], None]:
        found = await self._in_thread(lambda: self._keeping.older_than(moment))
        while (digests := await self._in_thread(lambda: next(found, None))) is not None:
            yield digests

    async def remove(self, sha256: str, *, if_older_than: datetime) -> bool:
        return await self._in_thread(lambda: self._keeping.remove(sha256, if_older_than))

    async def sweep(self, *, older_than: datetime) -> int:
        return await self._in_thread(lambda: self._keeping.sweep(older_than))

    def _opened(self, sha256: str, end: int) -> VerifiedBlob:
        blob = VerifiedBlob(
            sha256, layout=self._layout, files=self._files, publishing=self._publishing
        )
        if end > blob.size_bytes:
            raise RangePastEnd(end, blob.size_bytes)
        return blob

    def _leaf(self, blob: VerifiedBlob, index: int) -> asyncio.Future[bytes]:
        leaf = self._in_thread(lambda: blob.leaf(index))
        leaf.add_done_callback(_retrieve)
        return leaf

    async def _locked(self, upload_id: str, work: Callable[[WriterLock], T]) -> T:
        """Do ``work`` in a thread as the upload's only writer; it must release the lock."""
        path = self._layout.lock(upload_id)

        def attempt() -> tuple[T] | None:
            lock = WriterLock.try_acquire(path)
            return (work(lock),) if lock else None

        give_up_at = time.monotonic() + self._lock_wait_s
        while (done := await self._in_thread(attempt)) is None:
            if time.monotonic() > give_up_at:
                raise Conflict
            await asyncio.sleep(_LOCK_POLL_S)
        return done[0]

    def _abandon(self, opening: asyncio.Future[HeldFile]) -> None:
        """Close a file that was opened for someone who has gone."""
        if not opening.cancelled() and not opening.exception():
            held = opening.result()
            self._threads.submit(lambda: self._staged.release(held, is_sound=True))

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        def laundered() -> T:
            with refusals_for_disk_errors():
                return work()

        return asyncio.get_running_loop().run_in_executor(self._threads, laundered)


def _retrieve(leaf: asyncio.Future[bytes]) -> None:
    """Look at the outcome, so that one that nobody waits for any more is not reported."""
    if not leaf.cancelled():
        leaf.exception()
