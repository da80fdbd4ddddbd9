"""One upload on its way to the disk: receiving, hashing and writing overlap."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from assay_server.blobstore.incoming import IncomingFile
from assay_server.blobstore.operations import RETRY_AFTER_S, refusal_of
from assay_server.domain.errors import StoreUnavailable

BATCH_BYTES = 1 << 20
"""Less than this is not worth the hop to a thread (30 to 40 µs)."""

WAITING_BYTES_MAX = 1 << 20
"""Taken but not yet in a thread's hands. With the batch in work this bounds the memory."""


class StagedUpload:
    """Keeps the port's ``Staged``. Once something failed, everything but ``close`` does."""

    def __init__(
        self,
        incoming: IncomingFile,
        threads: Executor,
        release: Callable[[bool], None],
    ) -> None:
        """``release`` is called at the end and told whether all went well."""
        self._incoming = incoming
        self._threads = threads
        self._release = release
        self._size_bytes = incoming.size_bytes
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._work: asyncio.Future[None] | None = None
        self._asides: set[asyncio.Future[None]] = set()
        self._is_settling = False
        self._failure: Exception | None = None
        self._is_closed = False
        self._following = asyncio.create_task(self._follow())

    @property
    def size_bytes(self) -> int:
        """How many bytes were appended, durable or not."""
        return self._size_bytes

    async def append(self, data: bytes) -> None:
        """Take bytes at the end; wait while too many of them wait."""
        self._require_sound()
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._size_bytes += len(data)
        self._start_batch()
        while self._waiting_bytes > WAITING_BYTES_MAX and self._work:
            await asyncio.wait((self._work,))
            self._require_sound()

    async def flush(self) -> int:
        """Make all bytes durable; more may be appended meanwhile, which are not counted."""
        self._is_settling = True
        try:
            while self._work:
                await asyncio.wait((self._work,))
            self._require_sound()
            size_bytes, chunks = self._size_bytes, self._taken()
            work = self._start(lambda: self._write_and_settle(chunks))
        finally:
            self._is_settling = False
        await asyncio.wait((work,))
        self._require_sound()
        await self._aside(lambda: self._incoming.sync(size_bytes))
        self._require_sound()
        return size_bytes

    async def close(self) -> None:
        """Release the file; what was not flushed may be lost."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._settled()
        is_sound = self._failure is None
        release = self._in_thread(lambda: self._release(is_sound))
        await asyncio.wait((release,))
        self._note_failure(release)  # logged there; the next writer cuts back what is left

    async def _settled(self) -> None:
        """Wait until no thread has the file in its hands."""
        while busy := {*self._asides, *((self._work,) if self._work else ())}:
            await asyncio.wait(busy)
        await asyncio.wait((self._following,))

    async def _aside(self, work: Callable[[], None]) -> None:
        """Work that may run beside the writing."""
        aside = self._in_thread(work)
        self._asides.add(aside)
        aside.add_done_callback(self._done_aside)
        await asyncio.wait((aside,))

    def _done_aside(self, aside: asyncio.Future[None]) -> None:
        self._asides.discard(aside)
        self._note_failure(aside)

    def _write_and_settle(self, chunks: list[bytes]) -> None:
        self._incoming.write(chunks)
        self._incoming.settle()

    def _start_batch(self) -> None:
        is_idle = self._work is None and not self._is_settling
        if is_idle and self._waiting_bytes >= BATCH_BYTES and self._failure is None:
            chunks = self._taken()
            self._start(lambda: self._incoming.write(chunks))

    def _start(self, work: Callable[[], None]) -> asyncio.Future[None]:
        self._work = self._in_thread(work)
        self._work.add_done_callback(self._worked)
        return self._work

    def _worked(self, work: asyncio.Future[None]) -> None:
        self._work = None
        self._note_failure(work)
        self._start_batch()

    def _taken(self) -> list[bytes]:
        chunks, self._waiting, self._waiting_bytes = self._waiting, [], 0
        return chunks

    async def _follow(self) -> None:
        """Catch up with hashing what was there before, in slices."""
        while self._incoming.is_lagging and not self._is_closed and not self._failure:
            await self._aside(self._incoming.follow)

    def _in_thread(self, work: Callable[[], None]) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _note_failure(self, work: asyncio.Future[None]) -> None:
        if work.cancelled():  # the threads were shut down
            self._failure = self._failure or StoreUnavailable(RETRY_AFTER_S)
        elif isinstance(error := work.exception(), OSError):
            self._failure = self._failure or refusal_of(error)
        elif isinstance(error, Exception):
            self._failure = self._failure or error

    def _require_sound(self) -> None:
        if self._failure is not None:
            raise self._failure
