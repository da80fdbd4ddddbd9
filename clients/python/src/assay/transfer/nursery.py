"""The directory that a pull fills, beside its target; what an interrupted pull left is found there.

The Go client has the same names and the same lock, so that each goes on with what the other left.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from assay.errors import (
    ContentMismatch,
    LocalDiskFull,
    LocalFileFailure,
    TargetBusy,
    TargetExists,
)
from assay.transfer.local_files import NO_FOLLOW
from assay.transfer.part import Part
from assay.v1.file_pb2 import File

if sys.platform != "win32":
    import fcntl

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DIGEST_DIGITS = 16


class Nursery:
    """What is there of the files of one version, closed to others; only one pull at a time has it.

    It is named after the content, so that what is left is found, and never mixed up.
    """

    def __init__(self, target: Path, manifest_digest: str) -> None:
        digits = manifest_digest.removeprefix("sha256:")[:_DIGEST_DIGITS]
        self._target = target
        self._directory = target.parent / f".{target.name}.{digits}.part"
        self.files = self._directory / "files"
        """Where the files are gathered; it becomes the target."""

        target.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self._take()
        try:
            # The content itself gets the permissions that the user's umask gives.
            self.files.mkdir(exist_ok=True)
            (self._directory / "pieces").mkdir(exist_ok=True)
        except OSError:
            self.close()
            raise

    def part(self, number: int, file: File) -> Part:
        """Open a file of the version, and what an earlier pull left of it."""
        return Part(self.files / file.path, self._directory / "pieces" / str(number), file)

    def require_space(self, files: Sequence[File]) -> None:
        """Let a full disk show before the transfer, where that can be told.

        Raises:
            LocalDiskFull: There is less room than bytes are missing.
        """
        missing_bytes = 0
        for number, file in enumerate(files):
            part = self.part(number, file)
            missing_bytes += file.size_bytes - part.received_bytes
            part.close()
        free_bytes = shutil.disk_usage(self.files).free
        if missing_bytes > free_bytes:
            why = f"{missing_bytes} bytes are missing, and the disk has {free_bytes} left"
            raise _full(self._target, why)

    def is_worth_keeping(self) -> bool:
        """Whether any piece is there to go on from."""
        return any(journal.stat().st_size for journal in (self._directory / "pieces").iterdir())

    def remove(self) -> None:
        """Leave nothing behind."""
        _remove(self._directory)

    def remove_others(self) -> None:
        """Remove what pulls of other versions to the same target left, unless they go on."""
        name = re.compile(rf"\.{re.escape(self._target.name)}\.[0-9a-f]{{16}}\.part(\.gone-\w+)*")
        with os.scandir(self._target.parent) as entries:
            found = [Path(entry.path) for entry in entries if name.fullmatch(entry.name)]
        for directory in found:
            if directory == self._directory or not _is_ours(directory):
                continue
            with suppress(OSError, TargetBusy):
                handle = self._locked(directory / "lock")
                _remove(directory)
                os.close(handle)

    def close(self) -> None:
        """Let the next pull have it."""
        os.close(self._lock)

    def _take(self) -> int:
        """The lock of the directory, which is made if need be."""
        while True:
            with suppress(FileExistsError):
                self._directory.mkdir(mode=0o700)
            # In a directory that all may write to, another's could hold links to our own files.
            if not _is_ours(self._directory):
                raise TargetExists(
                    f"{self._directory} is in the way and belongs to somebody else, or is open to "
                    "others. Remove it, or choose another directory."
                )
            lock = self._directory / "lock"
            try:
                handle = self._locked(lock)
            except FileNotFoundError:
                continue  # the pull that had it has just ended, and took it along
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), lock.lstat()):
                    return handle
            os.close(handle)

    def _locked(self, lock: Path) -> int:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o600)
        try:
            # Without it two pulls to one place may disturb each other, and the digests tell.
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if not isinstance(error, BlockingIOError):
                raise
            raise TargetBusy(
                f"Another pull of the same version to {self._target} is under way. Wait for it, "
                "or choose another directory."
            ) from error
        return handle


@contextmanager
def nursery(target: Path, manifest_digest: str) -> Iterator[Nursery]:
    """The nursery of ``target``; at the end it is gone, unless another pull can go on from it.

    Raises:
        LocalDiskFull: There was no space for what was written in the block.
        LocalFileFailure: Something else is wrong with the disk or its permissions.
        TargetBusy: Another pull of the same to the same place is under way.
    """
    with explained(target):
        made = Nursery(target, manifest_digest)
        try:
            made.remove_others()
            with explained(target):
                yield made
        except (ContentMismatch, LocalDiskFull):
            # What is left has no worth, or stands in the way of making room.
            made.remove()
            raise
        except BaseException:
            if not made.is_worth_keeping():
                made.remove()
            raise
        else:
            made.remove()
        finally:
            made.close()


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Say what an error of the system means for a pull."""
    try:
        yield
    except OSError as error:
        why = error.strerror or "unknown"
        if error.errno in _FULL:
            raise _full(target, why) from error
        raise LocalFileFailure(
            f"{target} cannot be written: {why} ({error.filename or target.parent}). Put that "
            "right, or pull to another directory."
        ) from error


def _full(target: Path, why: str) -> LocalDiskFull:
    return LocalDiskFull(
        f"There is no room for {target} ({why}). Nothing was kept; make room, or pull to another "
        "disk."
    )


def _is_ours(directory: Path) -> bool:
    """Whether it is a directory, and nobody else could have put anything into it."""
    try:
        status = directory.lstat()
    except FileNotFoundError:
        return True  # the pull that had it has just ended: look again
    if sys.platform == "win32":
        return stat.S_ISDIR(status.st_mode)
    is_closed = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and is_closed and status.st_uid == os.geteuid()


def _remove(directory: Path) -> None:
    """Take it out of the way at once, and then apart: nobody finds half of it."""
    gone = directory.with_name(f"{directory.name}.gone-{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        directory.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
