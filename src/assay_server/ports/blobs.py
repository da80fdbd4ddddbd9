"""Bytes by digest. Nothing is visible before it was hashed, and it stays what its digest says."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Protocol


class Staged(Protocol):
    """The bytes of one upload while they arrive; one writer at a time."""

    @property
    def size_bytes(self) -> int:
        """How many bytes were appended, durable or not."""
        ...

    async def append(self, data: bytes) -> None:
        """Take bytes at the end. Back-pressure: returns when they were handed to the disk.

        Raises:
            StorageFull: No space is left; what was durable stays.
        """
        ...

    async def flush(self) -> int:
        """Make all bytes durable and return how many there are."""
        ...

    async def close(self) -> None:
        """Release the file; does not flush."""
        ...


class BlobStore(Protocol):
    """Content-addressed whole files."""

    async def stage(self, upload_id: str, *, durable_bytes: int) -> Staged:
        """Open the bytes of an upload, cut back to what is durable; new when it is 0."""
        ...

    async def commit(self, upload_id: str, *, sha256: str, size_bytes: int) -> None:
        """Verify the staged bytes and make them the blob ``sha256``, durable and visible.

        Harmless when repeated, and when the blob is there already.

        Raises:
            SizeMismatch: Another number of bytes was staged; they stay.
            DigestMismatch: The bytes have another digest; they stay.
            StorageFull: No space is left.
        """
        ...

    async def discard(self, upload_id: str) -> None:
        """Remove what was staged; harmless when repeated."""
        ...

    async def size(self, sha256: str) -> int | None:
        """Size of a blob, None when it is not there."""
        ...

    def read(self, sha256: str, *, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """Yield exactly the range in pieces of at most 1 MiB, each verified before it is given.

        Raises:
            BlobCorrupt: Stored bytes do not have their digest any more.
            RangePastEnd: The range ends after the blob does.
        """
        ...


class BlobKeeping(Protocol):
    """What the collection of garbage needs; times are those at which things were last brought."""

    def older_than(self, moment: datetime) -> AsyncGenerator[frozenset[str], None]:
        """Yield the digests of blobs brought before ``moment``, some at a time."""
        ...

    async def remove(self, sha256: str, *, if_older_than: datetime) -> bool:
        """Remove a blob, unless it was brought again since; say whether it was removed."""
        ...

    async def sweep(self, *, older_than: datetime) -> int:
        """Remove what uploads left behind that nobody touched since; return how many files."""
        ...
