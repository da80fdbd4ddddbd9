"""Removing what nobody refers to. All of this blocks."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from assay_server.blobstore.holding import removing
from assay_server.blobstore.layout import Layout
from assay_server.blobstore.operations import FileOperations
from assay_server.blobstore.writer_lock import WriterLock

UPLOAD_ID_CHARACTERS = 36
"""What the names of all files of one upload begin with."""


class Keeping:
    """Looks through the directories; how old a file is says when it was brought last."""

    def __init__(self, layout: Layout, files: FileOperations) -> None:
        self._layout = layout
        self._files = files

    def older_than(self, moment: datetime) -> Iterator[frozenset[str]]:
        """Yield old blobs, one of the 256 first directories at a time."""
        for first in sorted(self._layout.blobs.iterdir()):
            yield frozenset(
                path.name
                for path in first.glob("*/*")
                if self._layout.is_blob(path) and _brought(path) < moment
            )

    def remove(self, sha256: str, if_older_than: datetime) -> bool:
        """Remove a blob and its leaves, unless it is young or a backup holds all blobs.

        It is moved aside before it is looked at: an upload of the same bytes may put a young one
        in its place at any moment, which must not be the one that goes. One that is young already
        is not even moved, since for that moment nobody could read it.
        """
        blob = self._layout.blob(sha256)
        if _brought(blob) >= if_older_than:
            return False
        with removing(self._layout.held) as is_free:
            return is_free and self._remove(blob, sha256, if_older_than)

    def _remove(self, blob: Path, sha256: str, if_older_than: datetime) -> bool:
        aside = self._layout.staging / f"removed-{uuid.uuid4()}"
        try:
            self._files.rename(blob, aside)
        except FileNotFoundError:
            return False
        if _brought(aside) >= if_older_than:
            self._files.rename(aside, blob)
            return False
        if not blob.exists():
            # Should the blob come back now, its leaves are missing, and renewed when it is read.
            self._files.remove(self._layout.leaves(sha256))
        self._files.remove(aside)
        return True

    def sweep(self, older_than: datetime) -> int:
        """Remove what old uploads left in the staging directory, unless a writer holds it."""
        left: dict[str, list[Path]] = defaultdict(list)
        for path in self._layout.staging.iterdir():
            left[path.name[:UPLOAD_ID_CHARACTERS]].append(path)
        swept = 0
        for upload_id, paths in left.items():
            if any(_brought(path) >= older_than for path in paths):
                continue
            lock = WriterLock.try_acquire(self._layout.staging / f"{upload_id}.lock")
            if lock is None:
                continue
            with lock:
                for path in paths:
                    self._files.remove(path)
                    swept += path.suffix != ".lock"
                lock.remove_file()
        return swept


def _brought(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.max.replace(tzinfo=UTC)
