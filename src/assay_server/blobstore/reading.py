"""Reading a blob leaf by leaf, each verified before anyone sees it."""

import logging
import os
import uuid

from assay_server.blobstore.layout import Layout
from assay_server.blobstore.leaves import (
    LEAF_BYTES,
    ContentDigests,
    digests_of,
    read_sidecar,
)
from assay_server.blobstore.operations import FileOperations
from assay_server.blobstore.publishing import Publishing
from assay_server.domain.errors import BlobCorrupt

_log = logging.getLogger(__name__)


class VerifiedBlob:
    """An open blob. All of this blocks.

    The file is closed with the last reference, since a cancelled read may leave one to a thread.
    """

    def __init__(
        self, sha256: str, *, layout: Layout, files: FileOperations, publishing: Publishing
    ) -> None:
        self._sha256 = sha256
        self._layout = layout
        self._files = files
        self._publishing = publishing
        self._descriptor = -1
        try:
            self._descriptor = files.open(layout.blob(sha256), os.O_RDONLY)
        except FileNotFoundError:
            _log.error("Blob %s is missing", sha256)
            raise BlobCorrupt(f"sha256:{sha256}") from None
        self._content = self._vouched()

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    @property
    def size_bytes(self) -> int:
        """Size of the blob."""
        return self._content.size_bytes

    def leaf(self, index: int) -> bytes:
        """Read one leaf.

        Raises:
            BlobCorrupt: Not these bytes were stored.
        """
        leaf = os.pread(self._descriptor, LEAF_BYTES, index * LEAF_BYTES)
        if not self._content.vouch_for(leaf, index):
            # The bytes or the digest of the leaf are damaged: the digest of the whole decides.
            self._content = self._proven()
            leaf = os.pread(self._descriptor, LEAF_BYTES, index * LEAF_BYTES)
            if not self._content.vouch_for(leaf, index):
                raise self._corrupt()
        return leaf

    def _vouched(self) -> ContentDigests:
        try:
            descriptor = self._files.open(self._layout.leaves(self._sha256), os.O_RDONLY)
        except FileNotFoundError:
            return self._proven()
        try:
            content = read_sidecar(descriptor, self._sha256)
        finally:
            os.close(descriptor)
        if content is None or content.size_bytes != os.fstat(self._descriptor).st_size:
            return self._proven()
        return content

    def _proven(self) -> ContentDigests:
        """Hash the whole blob; if it is sound its leaf digests are renewed."""
        content = digests_of(self._descriptor)
        if content.sha256 != self._sha256:
            raise self._corrupt()
        _log.warning("Leaf digests of blob %s were missing or damaged; renewed", self._sha256)
        try:
            self._publishing.put_leaves(content, str(uuid.uuid4()))
        except OSError as error:
            _log.warning("Leaf digests of blob %s are not kept", self._sha256, exc_info=error)
        return content

    def _corrupt(self) -> BlobCorrupt:
        _log.error("Blob %s is damaged", self._sha256)
        return BlobCorrupt(f"sha256:{self._sha256}")
