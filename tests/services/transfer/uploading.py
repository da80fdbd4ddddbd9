"""Uploading and downloading over a real store and a real disk, as a client does."""

import asyncio
import hashlib
import uuid
from pathlib import Path

from assay_server.blobstore.disk import Disk
from assay_server.domain.calls import Call
from assay_server.domain.manifest import File
from assay_server.domain.names import DraftName, UploadName, VersionName
from assay_server.domain.uploading import Announced, TransferLimits
from assay_server.domain.uploads import Upload, UploadState
from assay_server.services.downloads import DownloadService, Wanted
from assay_server.services.uploads import UploadService
from tests.services.registry import ANN, Registry, SteppingClock, again

MIB = 1 << 20
CONTENT = b"weights " * 300_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Files:
    """Uploading and downloading as a client does, step by step."""

    def __init__(self, registry: Registry, root: Path, limits: TransferLimits) -> None:
        self.registry = registry
        self.root = root
        self.limits = limits
        self.restart()

    def restart(self, limits: TransferLimits | None = None) -> None:
        """What a new process of the server knows: nothing but what is on the disk."""
        self.blobs = Disk(self.root)
        self.uploads = UploadService(
            self.registry.store, self.blobs, SteppingClock(), limits or self.limits
        )
        self.downloads = DownloadService(self.registry.store, self.blobs)

    async def begin(
        self,
        draft: DraftName,
        content: bytes = CONTENT,
        *,
        path: str = "model.bin",
        by: Call = ANN,
        says: bool = True,
        name: UploadName | None = None,
    ) -> Upload:
        """``says`` tells size and digest in advance."""
        sha256 = hashlib.sha256(content).hexdigest() if says else ""
        size_bytes = len(content) if says else -1
        announced = Announced(path, size_bytes, sha256, "application/octet-stream", "weights")
        name = name or UploadName(*draft, str(uuid.uuid4()))
        return (await self.uploads.begin(again(by), name, announced)).answer

    async def write(self, upload: Upload, content: bytes = CONTENT, *, by: Call = ANN) -> Upload:
        async with self.uploads.writing(by, name_of(upload), epoch=upload.epoch) as stream:
            for start in range(upload.durable_bytes, len(content), MIB):
                await stream.append(start, content[start : start + MIB])
            return await stream.finish()

    async def send(self, upload: Upload, *pieces: tuple[int, bytes], then: str = "") -> None:
        """One stream of pieces with their offsets, broken off at the end when ``then`` says so."""
        async with self.uploads.writing(ANN, name_of(upload), epoch=upload.epoch) as stream:
            for offset, data in pieces:
                await stream.append(offset, data)
            if then:
                raise ConnectionError(then)

    async def hang(self, upload: Upload, is_open: asyncio.Event) -> None:
        """A stream that stays open, its client having gone silent."""
        async with self.uploads.writing(ANN, name_of(upload), epoch=upload.epoch) as stream:
            await stream.append(0, CONTENT[:MIB])
            is_open.set()
            await asyncio.Event().wait()

    async def durable_bytes(self, upload: Upload) -> int:
        """As the store knows it."""
        return (await self.uploads.get(ANN, name_of(upload))).answer.durable_bytes

    async def commit(self, upload: Upload, content: bytes = CONTENT, *, by: Call = ANN) -> File:
        made = await self.uploads.commit(
            again(by),
            name_of(upload),
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
        )
        return made.answer

    async def put(
        self, draft: DraftName, content: bytes, *, path: str = "model.bin", by: Call = ANN
    ) -> None:
        upload = await self.begin(draft, content, path=path, by=by)
        if upload.state is UploadState.OPEN:
            await self.write(upload, content, by=by)
            await self.commit(upload, content, by=by)

    async def read(self, name: DraftName | VersionName, wanted: Wanted, *, by: Call = ANN) -> bytes:
        download = await self.downloads.open(by, name, wanted)
        return b"".join([piece async for piece in download.pieces])


def name_of(upload: Upload) -> UploadName:
    return UploadName(upload.namespace_id, upload.model_id, upload.draft_id, upload.upload_id)
