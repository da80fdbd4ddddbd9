"""The file of one upload while it arrives: gathered into leaves, written, hashed.

Everything here blocks and is called from one thread at a time, but for ``sync`` and ``follow``,
which may run beside the others.
"""

import errno
import mmap
import os
from concurrent.futures import Executor, Future, wait
from pathlib import Path
from threading import Lock

from assay_server.blobstore.leaves import LEAF_BYTES, Digests
from assay_server.blobstore.operations import FileOperations

BLOCK_BYTES = 4096
"""Direct I/O moves whole blocks; 4096 is a multiple of the block of every disk in use."""

ALLOCATION_BYTES = 64 << 20
"""Reserved ahead: direct writes into reserved space need no metadata of their own."""

FOLLOW_LEAVES_MAX = 16
"""Leaves that are hashed at one go when catching up, so that a thread is never taken for long."""


class IncomingFile:
    """Bytes at the end of a staged file.

    A leaf is gathered in page-aligned memory, since direct I/O takes nothing else. It is hashed
    while another thread writes it and the next is gathered in a second piece of memory. After a
    resume the leaves that lie on the disk already are hashed by ``follow`` in the background:
    until it has caught up, new leaves are left to it too.
    """

    def __init__(
        self,
        path: Path,
        *,
        files: FileOperations,
        writers: Executor,
        direct_io: bool,
        size_bytes: int,
    ) -> None:
        """``writers`` must not be the threads that call this: they wait for each other."""
        self._files = files
        self._writers = writers
        self._writing: Future[None] | None = None
        self._direct_io = direct_io
        flags = os.O_RDWR | (os.O_DIRECT if direct_io else 0)
        self._descriptor = files.open(path, flags)
        # Direct reads would have to be aligned; these come from the page cache, coherently.
        self._source = files.open(path, os.O_RDONLY)
        self._leaf = mmap.mmap(-1, LEAF_BYTES)
        self._spare = mmap.mmap(-1, LEAF_BYTES)
        self._filled = size_bytes % LEAF_BYTES
        self._settled = self._filled
        self._start = size_bytes - self._filled
        self._allocated = size_bytes
        self._durable_bytes = size_bytes
        self._digests = Digests()
        self._handover = Lock()
        self._is_lagging = self._start > 0
        self._leaf[: self._filled] = os.pread(self._source, self._filled, self._start)

    @property
    def size_bytes(self) -> int:
        """How many bytes were taken."""
        return self._start + self._filled

    @property
    def is_lagging(self) -> bool:
        """Whether leaves on the disk are not hashed yet."""
        return self._is_lagging

    @property
    def digests(self) -> Digests:
        """What is hashed so far."""
        return self._digests

    def go_on_from(self, digests: Digests) -> None:
        """Use what an earlier writer of the same bytes had hashed."""
        self._digests = digests
        self._is_lagging = digests.position < self._start

    def write(self, chunks: list[bytes]) -> None:
        """Take bytes at the end; whole leaves go to the disk."""
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                if self._filled == 0 and len(rest) >= LEAF_BYTES and not self._direct_io:
                    self._pass_on(rest[:LEAF_BYTES])
                    rest = rest[LEAF_BYTES:]
                    continue
                room = min(LEAF_BYTES - self._filled, len(rest))
                self._leaf[self._filled : self._filled + room] = rest[:room]
                self._filled += room
                rest = rest[room:]
                if self._filled == LEAF_BYTES:
                    self._pass_on(memoryview(self._leaf))
                    self._leaf, self._spare = self._spare, self._leaf

    def settle(self) -> None:
        """Write the unfinished leaf too. It stays in memory and is completed later."""
        self._await_write()
        if self._settled == self._filled:
            return
        first, end = self._settled, self._filled
        if self._direct_io:
            first -= first % BLOCK_BYTES
            end += -end % BLOCK_BYTES
        self._files.write(self._descriptor, memoryview(self._leaf)[first:end], self._start + first)
        self._settled = self._filled

    def sync(self, size_bytes: int) -> None:
        """Make the first ``size_bytes`` durable, which must have been settled."""
        self._files.sync(self._descriptor)
        self._durable_bytes = max(self._durable_bytes, size_bytes)

    def follow(self) -> None:
        """Hash some of the leaves that only lie on the disk."""
        for _ in range(FOLLOW_LEAVES_MAX):
            with self._handover:
                if self._digests.position == self._start:
                    self._is_lagging = False
                    return
            self._digests.add(os.pread(self._source, LEAF_BYTES, self._digests.position))

    def close(self, *, is_sound: bool) -> None:
        """Release the file, cut back to what was taken, or after a failure to what is durable."""
        try:
            if is_sound:
                self.settle()
            elif self._writing is not None:
                wait((self._writing,))
            size_bytes = self.size_bytes if is_sound else self._durable_bytes
            if os.fstat(self._descriptor).st_size != size_bytes:
                self._files.truncate(self._descriptor, size_bytes)
        finally:
            os.close(self._descriptor)
            os.close(self._source)

    def _pass_on(self, leaf: memoryview) -> None:
        self._await_write()
        if self._direct_io and self._start + LEAF_BYTES > self._allocated:
            self._allocate()
        self._writing = self._writers.submit(self._files.write, self._descriptor, leaf, self._start)
        if self._is_lagging:
            self._await_write()  # whoever follows reads what lies before ``_start``
        with self._handover:
            if not self._is_lagging:
                self._digests.add(leaf)
            self._start += LEAF_BYTES
        self._filled = self._settled = 0

    def _await_write(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _allocate(self) -> None:
        """Reserve space ahead where the file system can; without it writes are only slower."""
        try:
            self._files.allocate(self._descriptor, self._start, ALLOCATION_BYTES)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP, errno.EFBIG}:
                raise
        self._allocated = self._start + ALLOCATION_BYTES
