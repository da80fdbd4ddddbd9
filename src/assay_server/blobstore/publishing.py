"""Making verified bytes visible, in an order in which no crash leaves a name without bytes."""

import os
from pathlib import Path

from assay_server.blobstore.layout import Layout
from assay_server.blobstore.leaves import ContentDigests
from assay_server.blobstore.operations import FileOperations


class Publishing:
    """Moves staged files to the blobs."""

    def __init__(self, layout: Layout, files: FileOperations) -> None:
        self._layout = layout
        self._files = files
        self._durable_directories: set[Path] = set()

    def publish(self, upload_id: str, descriptor: int, content: ContentDigests) -> None:
        """Give the staged file, open as ``descriptor``, the name of its digest.

        A blob that is there already is replaced: it has the same bytes, or was damaged.
        """
        blob = self._layout.blob(content.sha256)
        for directory in (blob.parent.parent, blob.parent):
            self._require_directory(directory)
        self.put_leaves(content, upload_id)
        self._note_verified(upload_id, content.sha256)
        self._files.touch(descriptor)
        self._files.protect(descriptor)
        self._files.sync_all(descriptor)
        self._files.rename(self._layout.staged(upload_id), blob)
        self._files.sync_directory(blob.parent)

    def put_leaves(self, content: ContentDigests, writer_id: str) -> None:
        """Make the sidecar durable under its name; ``writer_id`` keeps writers apart."""
        temporary = self._layout.staged(writer_id).with_name(f"{writer_id}.leaves")
        leaves = self._layout.leaves(content.sha256)
        self._files.remove(temporary)
        descriptor = self._files.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        try:
            self._files.write(descriptor, memoryview(content.encoded()), 0)
            self._files.sync_all(descriptor)
        finally:
            os.close(descriptor)
        self._files.rename(temporary, leaves)
        self._files.sync_directory(leaves.parent)

    def _note_verified(self, upload_id: str, sha256: str) -> None:
        """Leave the proof that lets a commit be repeated after the staged file has gone."""
        marker = self._layout.verified(upload_id, sha256)
        os.close(self._files.open(marker, os.O_WRONLY | os.O_CREAT))
        self._files.sync_directory(marker.parent)

    def _require_directory(self, directory: Path) -> None:
        """Make a directory and its name durable.

        Also one that exists: whoever made it may have crashed, or be about to sync, so that only
        what this process synced itself is taken for granted.
        """
        if directory not in self._durable_directories:
            self._files.make_directory(directory)
            self._files.sync_directory(directory.parent)
            self._durable_directories.add(directory)
