"""The blob stores that the contract suite runs against, and how to damage what they keep."""

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path

from assay_server.blobstore.disk import Disk
from assay_server.blobstore.operations import FileOperations


class DiskBackend:
    """A directory. ``open`` again stands for another process, or a restart of the server."""

    def __init__(self, root: Path, *, direct_io: bool) -> None:
        self.root = root
        self.direct_io = direct_io
        self._opened: list[Disk] = []

    def open(self, files: FileOperations | None = None, *, lock_wait_s: float = 5.0) -> Disk:
        store = Disk(self.root, direct_io=self.direct_io, files=files, lock_wait_s=lock_wait_s)
        self._opened.append(store)
        return store

    async def close(self) -> None:
        for store in self._opened:
            await store.close()

    def blob(self, sha256: str) -> Path:
        return self.root / "blobs" / "sha256" / sha256[:2] / sha256[2:4] / sha256

    def damage(self, sha256: str, change: Callable[[bytearray], object]) -> None:
        """Change the stored bytes behind the store's back."""
        _rewrite(self.blob(sha256), change)

    def damage_leaves(self, sha256: str, change: Callable[[bytearray], object]) -> None:
        """Change what vouches for ranges."""
        _rewrite(self.leaves(sha256), change)

    def leaves(self, sha256: str) -> Path:
        return self.blob(sha256).with_name(f"{sha256}.leaves")

    def staged(self, upload_id: str) -> Path:
        return self.root / "staging" / upload_id


def _rewrite(path: Path, change: Callable[[bytearray], object]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.chmod(0o600)
    path.write_bytes(content)


def new_upload_id() -> str:
    return str(uuid.uuid4())


def content_of(size_bytes: int) -> bytes:
    return os.urandom(size_bytes)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
