"""Blobs copied out of a store and into an empty one, each hashed on the way. All of this blocks."""

import errno
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from assay_server.blobstore.holding import held
from assay_server.blobstore.layout import Layout
from assay_server.blobstore.leaves import LEAF_BYTES, ContentDigests, Digests, digests_of
from assay_server.blobstore.operations import FileOperations
from assay_server.blobstore.publishing import Publishing
from assay_server.domain.backups import BackupRefused
from assay_server.ports.backups import Report

_CANNOT_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES})
"""Another file system, one without links, or a file of somebody else's (protected_hardlinks)."""

_NAMED_MAX = 10


class DiskCopying:
    """The port ``BlobCopying``.

    A blob never changes in place, so that a link is as good as a copy but for a fault of the disk.
    """

    def __init__(self, root: Path, files: FileOperations | None = None) -> None:
        self._files = files or FileOperations()
        self._root = root
        self._layout = Layout(root)

    @contextmanager
    def held(self) -> Iterator[None]:
        if not self._layout.blobs.is_dir():
            raise BackupRefused(f"there is no blob store at {self._root}")
        with held(self._layout.held):
            yield

    def copy_to(
        self, directory: Path, digests: frozenset[str], report: Report, *, may_link: bool
    ) -> Mapping[str, int]:
        target = Layout(directory)
        target.blobs.mkdir(parents=True)
        sizes = {}
        damaged = []
        for place, sha256 in enumerate(sorted(digests)):
            report("copying blobs", place, len(digests))
            content = self._brought(self._layout.blob(sha256), target.blob(sha256), may_link)
            if content is None or content.sha256 != sha256:
                damaged.append(sha256)
            else:
                sizes[sha256] = content.size_bytes
        _require_sound(damaged, "the registry", "restore them, or see assay-server fsck")
        self._sync_directories(target)
        return sizes

    def require_empty(self) -> None:
        if self._layout.blobs.is_dir() and any(self._layout.blobs.glob("*/*/*")):
            raise BackupRefused(f"{self._root} has blobs: restore to a place where nothing is")

    def restore_from(
        self, directory: Path, sizes: Mapping[str, int], report: Report, *, may_link: bool
    ) -> None:
        source = Layout(directory)
        self._layout.make(self._files)
        publishing = Publishing(self._layout, self._files)
        damaged = []
        for place, sha256 in enumerate(sorted(sizes)):
            report("restoring blobs", place, len(sizes))
            staged = self._layout.staged(str(uuid.uuid4()))
            content = self._brought(source.blob(sha256), staged, may_link)
            if content is None or content.sha256 != sha256:
                self._files.remove(staged)
                damaged.append(sha256)
                continue
            blob = self._layout.blob(sha256)
            self._files.make_directory(blob.parent.parent)
            self._files.make_directory(blob.parent)
            publishing.put_leaves(content, staged.name)
            self._files.rename(staged, blob)
        _require_sound(damaged, "the backup", "take another backup")
        self._sync_directories(self._layout)

    def _brought(self, source: Path, target: Path, may_link: bool) -> ContentDigests | None:
        """Bring the bytes of one file; gives what they are, None where there is no such file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = self._files.open(source, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            if may_link and _linked(source, target):
                return digests_of(descriptor)
            return self._copied(descriptor, target)
        finally:
            os.close(descriptor)

    def _copied(self, source: int, target: Path) -> ContentDigests:
        digests = Digests()
        descriptor = self._files.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            while len(leaf := os.pread(source, LEAF_BYTES, digests.position)) == LEAF_BYTES:
                self._files.write(descriptor, memoryview(leaf), digests.position)
                digests.add(leaf)
            self._files.write(descriptor, memoryview(leaf), digests.position)
            self._files.protect(descriptor)
            self._files.sync_all(descriptor)
        finally:
            os.close(descriptor)
        return digests.finished(leaf)

    def _sync_directories(self, layout: Layout) -> None:
        """Make every name durable, those of the blobs before those of their directories."""
        for pattern in ("*/*", "*", "."):
            for directory in layout.blobs.glob(pattern) if pattern != "." else [layout.blobs]:
                self._files.sync_directory(directory)
        self._files.sync_directory(layout.blobs.parent)


def _linked(source: Path, target: Path) -> bool:
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno in _CANNOT_LINK:
            return False
        raise
    return True


def _require_sound(damaged: list[str], where: str, advice: str) -> None:
    if damaged:
        named = ", ".join(damaged[:_NAMED_MAX])
        more = f" and {len(damaged) - _NAMED_MAX} more" if len(damaged) > _NAMED_MAX else ""
        raise BackupRefused(f"blobs of {where} are missing or damaged: {named}{more}; {advice}")
