"""Where things lie under the root of a disk store.

blobs/sha256/ab/cd/abcd…           the bytes, read-only; the name is their SHA-256
blobs/sha256/ab/cd/abcd….leaves    BLAKE3 of each 1 MiB of them
staging/{upload id}                bytes on their way
staging/{upload id}.lock           who writes them
staging/{upload id}.{sha256}       these bytes were verified and moved to blobs
collection.lock                    held by backups: nothing is collected meanwhile
"""

import re
from pathlib import Path

from assay_server.blobstore.operations import FileOperations

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Layout:
    """The paths. Nothing that a caller sent becomes one unless it is an id of fixed form."""

    def __init__(self, root: Path) -> None:
        self.blobs = root / "blobs" / "sha256"
        self.staging = root / "staging"
        self.held = root / "collection.lock"

    def make(self, files: FileOperations) -> None:
        """Make the directories that always exist, durably."""
        root = self.staging.parent
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for directory in (self.blobs.parent, self.blobs, self.staging):
            files.make_directory(directory)
            files.sync_directory(directory.parent)
        files.sync_directory(root.parent)

    def blob(self, sha256: str) -> Path:
        """The bytes with this digest."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
        return self.blobs / sha256[:2] / sha256[2:4] / sha256

    def is_blob(self, path: Path) -> bool:
        """Whether a path below ``blobs`` is one of a blob."""
        return bool(_SHA256.fullmatch(path.name)) and path == self.blob(path.name)

    def leaves(self, sha256: str) -> Path:
        """The leaf digests of the bytes with this digest."""
        return self.blob(sha256).with_name(f"{sha256}.leaves")

    def staged(self, upload_id: str) -> Path:
        """The bytes of an upload on their way."""
        if not _UUID.fullmatch(upload_id):
            raise ValueError(f"not a UUID in lower case: {upload_id!r}")
        return self.staging / upload_id

    def lock(self, upload_id: str) -> Path:
        """What the one writer of an upload holds."""
        return self.staged(upload_id).with_name(f"{upload_id}.lock")

    def verified(self, upload_id: str, sha256: str) -> Path:
        """Says that this upload brought the bytes of that blob: a retried commit needs proof."""
        return self.staged(upload_id).with_name(f"{upload_id}.{self.blob(sha256).name}")
