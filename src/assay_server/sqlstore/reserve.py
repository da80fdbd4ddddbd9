"""Space that is kept for the audit trail: a file that holds it until the disk is full.

What is left of it is the length of the file, so that a restart knows. It is given up in small
steps: whoever else writes to a full disk, a log say, may take what was meant for the trail.
"""

import errno
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from assay_server.domain.errors import StorageFull
from assay_server.sqlstore.places import StoreNotOpened

SIZE_BYTES = 64 * 1024 * 1024
"""Some 50,000 entries (tests/contract/store/test_reserve.py counts them)."""

STEP_BYTES = 1024 * 1024
"""Enough for the log of SQLite to be emptied into the database between two steps."""

OPENING_BYTES = 256 * 1024
"""What SQLite takes of the disk to open two databases, with the indexes of their logs."""

LOOK_S = 1.0
"""How often it is tried to take back what was given up."""

MARGIN_SHARE = 4
"""A quarter more than is missing must be free, or it would be given up again at once."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_log = logging.getLogger(__name__)


class Reserve:
    """While it is not whole, changes are refused, and what is left is for reads and refusals.

    Attributes:
        left_bytes: What is left of it.
    """

    def __init__(
        self, path: Path, size_bytes: int, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the space, or as much as was left when the server ended; 0 keeps none.

        On a full disk some is given up at once, or the databases could not even be opened.

        Raises:
            StoreNotOpened: The file cannot be made.
        """
        self._size_bytes = size_bytes
        self._seconds = seconds
        self._look_at_s = 0.0
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreNotOpened(f"{path} cannot be used: {error.strerror}") from error
        self.left_bytes = self._found_bytes()
        os.ftruncate(self._descriptor, self.left_bytes)
        if not self.is_whole and not self._could_take():
            _log.error(
                "the disk has no room for the %d bytes that store.audit_reserve_bytes keeps for "
                "the audit trail in %s: changes are refused until it has",
                size_bytes,
                path,
            )
        if self._free_bytes() < OPENING_BYTES:
            self.give_up_some()

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is given up."""
        return self.left_bytes == self._size_bytes

    def require_whole(self) -> None:
        """Keep what is left for the trail.

        Raises:
            StorageFull: The disk was full, and is until the reserve is whole again.
        """
        if not self.is_whole:
            raise StorageFull

    def give_up_some(self) -> bool:
        """Give a step back to the disk; False when nothing is left."""
        if not self.left_bytes:
            return False
        if self.is_whole:
            _log.error(
                "the disk is full: changes are refused, and the audit trail uses the %d bytes "
                "that are reserved for it; make room",
                self._size_bytes,
            )
        self.left_bytes = max(0, self.left_bytes - STEP_BYTES)
        os.ftruncate(self._descriptor, self.left_bytes)
        os.fsync(self._descriptor)  # some file systems have the room only then
        if not self.left_bytes:
            _log.error("the reserve of the audit trail is used up: calls will be refused")
        return True

    def take_back(self) -> None:
        """Become whole again, if there is room by now; looks every so often only."""
        if self.is_whole or self._seconds() < self._look_at_s:
            return
        self._look_at_s = self._seconds() + LOOK_S
        if self._could_take():
            _log.warning("there is room again: the reserve of the audit trail is whole")

    def close(self) -> None:
        """Let go of the file. It keeps its space: the server that comes next may need it."""
        os.close(self._descriptor)

    def _found_bytes(self) -> int:
        found = os.fstat(self._descriptor)
        is_there = found.st_blocks * 512 >= found.st_size  # and is no hole, as in a copy
        return min(found.st_size, self._size_bytes) if is_there else 0

    def _free_bytes(self) -> int:
        disk = os.fstatvfs(self._descriptor)
        return disk.f_bavail * disk.f_frsize

    def _could_take(self) -> bool:
        missing_bytes = self._size_bytes - self.left_bytes
        if self._free_bytes() < missing_bytes + missing_bytes // MARGIN_SHARE:
            return False
        try:
            _take(self._descriptor, self.left_bytes, missing_bytes)
        except OSError as error:
            os.ftruncate(self._descriptor, self.left_bytes)
            if error.errno not in _FULL:
                _log.exception("the reserve of the audit trail cannot be made")
            return False
        self.left_bytes = self._size_bytes
        return True


def _take(descriptor: int, offset: int, size_bytes: int) -> None:
    """Make the file longer, with space of its own."""
    try:
        os.posix_fallocate(descriptor, offset, size_bytes)
    except OSError as error:
        if error.errno in _FULL:
            raise
        # A file system that cannot: written zeros take space on nearly all of them.
        for start in range(offset, offset + size_bytes, STEP_BYTES):
            zeros = bytes(min(STEP_BYTES, offset + size_bytes - start))
            if os.pwrite(descriptor, zeros, start) < len(zeros):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
    os.fsync(descriptor)
