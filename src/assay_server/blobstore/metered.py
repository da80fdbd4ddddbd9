"""Bytes and failures of a blob store, counted."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from prometheus_client import CollectorRegistry, Counter, Histogram

from assay_server.domain.errors import BlobCorrupt
from assay_server.ports.blobs import BlobStore, Staged

_COMMIT_BUCKETS_S = (0.005, 0.02, 0.1, 0.5, 2, 10, 60)
"""Milliseconds where the hash is ready; a second for each GB that must be read again."""


class Metered:
    """Another store, with metrics."""

    def __init__(self, blobs: BlobStore, registry: CollectorRegistry) -> None:
        self._blobs = blobs
        self._written = Counter(
            "assay_blob_written_bytes_total", "Bytes taken into staging.", registry=registry
        )
        self._read = Counter(
            "assay_blob_read_bytes_total", "Verified bytes given out.", registry=registry
        )
        self._corrupt = Counter(
            "assay_blob_corrupt_total", "Reads refused for damaged bytes.", registry=registry
        )
        self._commits = Histogram(
            "assay_blob_commit_seconds",
            "Time from commit to durable and visible.",
            buckets=_COMMIT_BUCKETS_S,
            registry=registry,
        )

    async def stage(self, upload_id: str, *, durable_bytes: int) -> Staged:
        staged = await self._blobs.stage(upload_id, durable_bytes=durable_bytes)
        return MeteredStaged(staged, self._written)

    async def commit(self, upload_id: str, *, sha256: str, size_bytes: int) -> None:
        with self._commits.time():
            await self._blobs.commit(upload_id, sha256=sha256, size_bytes=size_bytes)

    async def discard(self, upload_id: str) -> None:
        await self._blobs.discard(upload_id)

    async def size(self, sha256: str) -> int | None:
        return await self._blobs.size(sha256)

    async def read(self, sha256: str, *, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._blobs.read(sha256, offset=offset, length=length)) as pieces:
                async for piece in pieces:
                    self._read.inc(len(piece))
                    yield piece
        except BlobCorrupt:
            self._corrupt.inc()
            raise


class MeteredStaged:
    """Staged bytes, counted as they come."""

    def __init__(self, staged: Staged, written: Counter) -> None:
        self._staged = staged
        self._written = written

    @property
    def size_bytes(self) -> int:
        """How many bytes were appended."""
        return self._staged.size_bytes

    async def append(self, data: bytes) -> None:
        await self._staged.append(data)
        self._written.inc(len(data))

    async def flush(self) -> int:
        return await self._staged.flush()

    async def close(self) -> None:
        await self._staged.close()
