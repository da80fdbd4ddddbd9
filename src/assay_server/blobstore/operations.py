"""The calls that decide what survives a crash, gathered so that tests can watch and fail them."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay_server.domain.errors import RegistryError, StorageFull, StoreUnavailable

RETRY_AFTER_S = 5.0
"""What a client is told to wait when the disk itself fails: an operator has to look at it."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_log = logging.getLogger(__name__)


class FileOperations:
    """System calls on files; each one is what its name says and nothing more."""

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        """Open without handing the descriptor to child processes (PEP 446)."""
        return os.open(path, flags, mode)

    def write(self, descriptor: int, view: memoryview, offset: int) -> None:
        """Write all of ``view``; the system may take it in parts."""
        while view:
            written = os.pwritev(descriptor, [view], offset)
            view, offset = view[written:], offset + written

    def allocate(self, descriptor: int, offset: int, length: int) -> None:
        """Reserve blocks, so that writing them later changes no metadata."""
        os.posix_fallocate(descriptor, offset, length)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        """Cut off or extend to exactly this size."""
        os.ftruncate(descriptor, size_bytes)

    def sync(self, descriptor: int) -> None:
        """Wait until the bytes, and the size if it grew, are on the disk.

        Never call it again on a descriptor for which it failed: the system reports a lost page
        once and calls it clean afterwards (https://wiki.postgresql.org/wiki/Fsync_Errors).
        """
        getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS has only the latter

    def sync_all(self, descriptor: int) -> None:
        """Wait until bytes and everything about the file are on the disk; see ``sync``."""
        os.fsync(descriptor)

    def protect(self, descriptor: int) -> None:
        """Make the file read-only, by mode."""
        os.fchmod(descriptor, 0o444)

    def touch(self, descriptor: int) -> None:
        """Note that the file was brought now."""
        os.utime(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file its final name, replacing what had it."""
        source.rename(target)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        path.unlink(missing_ok=True)

    def make_directory(self, path: Path) -> None:
        """Make a directory whose parent exists; fine if it is there."""
        path.mkdir(mode=0o700, exist_ok=True)

    def sync_directory(self, path: Path) -> None:
        """Make the names in a directory durable: a rename is not, until its directory is."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def refusals_for_disk_errors() -> Iterator[None]:
    """Turn what the system says about the disk into a refusal that is safe to send."""
    try:
        yield
    except OSError as error:
        raise refusal_of(error) from error


def refusal_of(error: OSError) -> RegistryError:
    """The refusal for an error of the disk; unexpected ones are logged for the operator."""
    if error.errno in _FULL:
        return StorageFull()
    _log.error("The blob store's disk failed", exc_info=error)
    return StoreUnavailable(RETRY_AFTER_S)
