"""The directory a version goes to: judged before, filled beside it, renamed into place."""

import asyncio
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from assay.errors import TargetExists, UnsafeFile
from assay.transfer.hashing import sha256_hex
from assay.transfer.local_files import find_files, open_regular
from assay.transfer.parallel import each
from assay.v1.file_pb2 import File

_OCCUPIED = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EBUSY}
"""EBUSY: something is mounted there, which cannot be replaced."""


class Destination:
    """Where the files of one version shall be, and nothing else."""

    def __init__(self, target: Path, version: str, files: Sequence[File]) -> None:
        self.target = target
        self._version = version
        self._files = files

    async def holds_everything(self) -> bool:
        """Whether exactly the files are there; False for nothing or an empty directory.

        Raises:
            TargetExists: Anything else is there.
        """
        if not await asyncio.to_thread(self._holds_all_names):
            return False
        await each(self._require_same, self._files)
        return True

    async def put(self, content: Path) -> bool:
        """Rename ``content`` into place; False if somebody else put the same there first.

        Raises:
            TargetExists: Something else came there meanwhile.
        """
        try:
            # Atomic, and refused by the system unless there is nothing or an empty directory.
            await asyncio.to_thread(content.rename, self.target)
        except OSError as error:
            if error.errno not in _OCCUPIED:
                raise
            if await self.holds_everything():
                return False
            raise self._occupied() from error
        await asyncio.to_thread(sync_directory, self.target.parent)
        return True

    def _holds_all_names(self) -> bool:
        if not os.path.lexists(self.target):
            return False
        if self.target.is_symlink() or not self.target.is_dir():
            raise self._occupied()
        if not any(self.target.iterdir()):
            return False
        try:
            found = find_files(self.target)
        except UnsafeFile as error:
            raise self._occupied() from error
        if [file.path for file in found] != sorted(file.path for file in self._files):
            raise self._occupied()
        return True

    async def _require_same(self, file: File) -> None:
        handle = open_regular(self.target / file.path)
        try:
            digest, _ = await sha256_hex(handle, lambda _: None)
        finally:
            os.close(handle)
        if f"sha256:{digest}" != file.digest:
            raise self._occupied()

    def _occupied(self) -> TargetExists:
        return TargetExists(
            f"{self.target} exists and does not hold exactly {self._version}. Choose another "
            "directory, or remove it first; where something is mounted, name a directory inside it."
        )


def sync_tree(top: Path) -> None:
    """Make the names in ``top`` and below durable."""
    for directory, _, _ in os.walk(top):
        sync_directory(Path(directory))


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable; Windows cannot open one, and needs no such thing."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
