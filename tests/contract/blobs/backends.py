"""The blob stores that the contract suite runs against, and how to damage what they keep."""

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path

from assay_server.blobstore.disk import Disk
from assay_server.blobstore.operations import FileOperations
from assay_server.ports.blobs import BlobStore

MIB = 1 << 20


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


async def staged(
    store: BlobStore, content: bytes, *, upload_id: str = "", piece_bytes: int = MIB
) -> str:
    upload_id = upload_id or new_upload_id()
    incoming = await store.stage(upload_id, durable_bytes=0)
    for start in range(0, len(content), piece_bytes):
        await incoming.append(content[start : start + piece_bytes])
    assert await incoming.flush() == len(content)
    await incoming.close()
    return upload_id


async def stored(store: BlobStore, content: bytes) -> str:
    upload_id = await staged(store, content)
    await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))
    await store.discard(upload_id)
    return digest(content)


async def read(store: BlobStore, sha256: str, offset: int, length: int) -> bytes:
    return b"".join([piece async for piece in store.read(sha256, offset=offset, length=length)])
