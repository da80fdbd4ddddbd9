"""A small registry in memory that keeps the rules of transfer, and breaks when it is told to."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import google_crc32c
import grpc

from assay.manifest import manifest_digest
from assay.v1 import artifact_service_pb2 as artifacts
from assay.v1 import registry_service_pb2 as registry
from assay.v1.draft_pb2 import Draft
from assay.v1.file_pb2 import File
from assay.v1.upload_pb2 import Upload, UploadState
from assay.v1.version_pb2 import ModelVersion
from tests.clients.python.serving import Handler, refuse

MODEL = "namespaces/vision/models/digits"
DRAFT = f"{MODEL}/drafts/d1"
VERSION = f"{MODEL}/versions/1"


class Store:
    """One draft, one version."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.received: dict[str, bytearray] = {}
        self.uploads: dict[str, Upload] = {}
        self.known: set[str] = set()
        """Digests that need not be sent."""

        self.drafts: list[Draft] = []
        self.seals: list[registry.SealDraftRequest] = []
        self.created: list[registry.CreateVersionRequest] = []
        self.stream_starts: list[int] = []
        self.breaks_at: list[int] = []
        """Each upload stream ends with UNAVAILABLE once it holds so many bytes, the first first."""

        self.version = ModelVersion(name=VERSION, number=1)
        self.contents: dict[str, bytes] = {}
        self.reads: list[tuple[str, str, int]] = []
        """Who asked for which file, from where on."""

        self.sends_at_most: list[int] = []
        """Each download stream breaks after so many bytes, the first first."""

    def handlers(self) -> dict[str, Handler]:
        """What ``serving`` takes."""
        return {
            "CreateDraft": self.create_draft,
            "UpdateDraft": self.update_draft,
            "SealDraft": self.seal_draft,
            "CreateVersion": self.create_version,
            "ResolveVersion": self.resolve_version,
            "BeginUpload": self.begin_upload,
            "WriteUpload": self.write_upload,
            "CommitUpload": self.commit_upload,
            "AbortUpload": self.abort_upload,
            "ReadArtifact": self.read_artifact,
        }

    async def create_draft(self, request: Any, context: Any) -> registry.CreateDraftResponse:
        self.calls.append("CreateDraft")
        request.draft.name = DRAFT
        self.drafts.append(request.draft)
        return registry.CreateDraftResponse(draft=request.draft)

    async def update_draft(self, request: Any, context: Any) -> registry.UpdateDraftResponse:
        self.calls.append("UpdateDraft")
        self.drafts.append(request.draft)
        return registry.UpdateDraftResponse(draft=request.draft)

    async def seal_draft(self, request: Any, context: Any) -> registry.SealDraftResponse:
        self.calls.append("SealDraft")
        self.seals.append(request)
        return registry.SealDraftResponse(version=self.version)

    async def create_version(self, request: Any, context: Any) -> registry.CreateVersionResponse:
        self.calls.append("CreateVersion")
        if missing := [f.path for f in request.version.files if f.digest not in self.known]:
            await refuse(
                context,
                grpc.StatusCode.FAILED_PRECONDITION,
                "FILES_MISSING",
                paths=",".join(missing),
            )
        self.created.append(request)
        return registry.CreateVersionResponse(version=self.version)

    async def resolve_version(self, request: Any, context: Any) -> registry.ResolveVersionResponse:
        return registry.ResolveVersionResponse(version=self.version, warnings=["old"])

    async def begin_upload(self, request: Any, context: Any) -> artifacts.BeginUploadResponse:
        self.calls.append("BeginUpload")
        upload = self.uploads.setdefault(request.upload.name, request.upload)
        upload.epoch += 1
        upload.durable_bytes = len(self.received.setdefault(upload.path, bytearray()))
        upload.state = UploadState.UPLOAD_STATE_OPEN
        if upload.digest in self.known:
            upload.state = UploadState.UPLOAD_STATE_COMPLETE
        return artifacts.BeginUploadResponse(upload=upload)

    async def write_upload(
        self, requests: AsyncIterator[Any], context: Any
    ) -> artifacts.WriteUploadResponse:
        self.calls.append("WriteUpload")
        break_at = self.breaks_at.pop(0) if self.breaks_at else None
        upload = None
        async for message in requests:
            if upload is None:
                upload = self.uploads[message.upload]
                assert message.epoch == upload.epoch
                self.stream_starts.append(message.offset)
            held = self.received[upload.path]
            assert message.offset == len(held)
            assert message.crc32c == google_crc32c.value(message.data)
            held += message.data
            if break_at is not None and len(held) >= break_at:
                del held[break_at:]
                await refuse(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert upload is not None
        upload.durable_bytes = len(self.received[upload.path])
        return artifacts.WriteUploadResponse(upload=upload)

    async def commit_upload(self, request: Any, context: Any) -> artifacts.CommitUploadResponse:
        self.calls.append("CommitUpload")
        upload = self.uploads[request.name]
        if digest_of(bytes(self.received[upload.path])) != request.digest:
            await refuse(context, grpc.StatusCode.DATA_LOSS, "DIGEST_MISMATCH", "other bytes")
        return artifacts.CommitUploadResponse(file=File(path=upload.path))

    async def abort_upload(self, request: Any, context: Any) -> artifacts.AbortUploadResponse:
        self.calls.append("AbortUpload")
        del self.received[self.uploads.pop(request.name).path]
        return artifacts.AbortUploadResponse()

    def hold(self, contents: dict[str, bytes]) -> None:
        """Make a version of these files."""
        self.contents = contents
        self.version.files.extend(
            File(
                path=path,
                size_bytes=len(content),
                digest=digest_of(content),
                media_type="application/octet-stream",
            )
            for path, content in sorted(contents.items())
        )
        self.version.file_count = len(contents)
        self.version.manifest_digest = manifest_digest(self.version.files)

    async def read_artifact(
        self, request: Any, context: Any
    ) -> AsyncIterator[artifacts.ReadArtifactResponse]:
        self.calls.append("ReadArtifact")
        self.reads.append((context.peer(), request.path, request.offset))
        content = self.contents[request.path]
        wanted = request.offset + request.length if request.length else len(content)
        if wanted > len(content):
            await refuse(context, grpc.StatusCode.OUT_OF_RANGE, "RANGE_PAST_END")
        most = self.sends_at_most.pop(0) if self.sends_at_most else len(content)
        yield artifacts.ReadArtifactResponse(file=File(path=request.path))
        end = min(wanted, request.offset + most)
        for offset in range(request.offset, end, 1024):
            data = content[offset : min(offset + 1024, end)]
            yield artifacts.ReadArtifactResponse(
                offset=offset, data=data, crc32c=google_crc32c.value(data)
            )
        if end < wanted:
            await refuse(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")


def digest_of(content: bytes) -> str:
    """As the contract writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
