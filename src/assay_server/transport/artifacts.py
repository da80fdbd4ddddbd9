"""ArtifactService: translate, call, translate. Payload goes through ``envelope``."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from assay.v1 import artifact_service_pb2 as api
from assay_server.domain.errors import ChecksumMismatch, InvalidField, MessageTooLarge
from assay_server.domain.names import (
    DraftName,
    VersionName,
    parse_draft,
    parse_upload,
    parse_version,
)
from assay_server.services.downloads import DownloadService, Wanted
from assay_server.services.uploads import UploadService
from assay_server.transport.caller import current_call
from assay_server.transport.envelope import (
    ReadMessage,
    WriteMessage,
    decode_write,
    encode_read,
    is_intact,
)
from assay_server.transport.messages import file, upload
from assay_server.transport.messages.file import sha256_of

_SERVICE = api.DESCRIPTOR.services_by_name["ArtifactService"].full_name


class ArtifactServicer:
    """Answers the RPCs of ArtifactService."""

    def __init__(self, uploads: UploadService, downloads: DownloadService) -> None:
        self._uploads = uploads
        self._downloads = downloads

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register, with the hand codec for the messages that carry payload."""
        write_upload = grpc.stream_unary_rpc_method_handler(
            self.WriteUpload,
            request_deserializer=decode_write,
            response_serializer=api.WriteUploadResponse.SerializeToString,
        )
        read_artifact = grpc.unary_stream_rpc_method_handler(
            self.ReadArtifact,
            request_deserializer=api.ReadArtifactRequest.FromString,
            response_serializer=encode_read,
        )
        unary = (
            (self.GetTransferLimits, api.GetTransferLimitsRequest, api.GetTransferLimitsResponse),
            (self.BeginUpload, api.BeginUploadRequest, api.BeginUploadResponse),
            (self.GetUpload, api.GetUploadRequest, api.GetUploadResponse),
            (self.CommitUpload, api.CommitUploadRequest, api.CommitUploadResponse),
            (self.AbortUpload, api.AbortUploadRequest, api.AbortUploadResponse),
        )
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            behaviour.__name__: grpc.unary_unary_rpc_method_handler(
                behaviour,
                request_deserializer=request.FromString,
                response_serializer=response.SerializeToString,
            )
            for behaviour, request, response in unary
        }
        handlers |= {"WriteUpload": write_upload, "ReadArtifact": read_artifact}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))

    async def GetTransferLimits(
        self, _request: api.GetTransferLimitsRequest, _context: object
    ) -> api.GetTransferLimitsResponse:
        limits = self._uploads.limits
        return api.GetTransferLimitsResponse(
            message_bytes_max=limits.payload_bytes_max,
            message_bytes_preferred=limits.payload_bytes_max,
            file_bytes_max=limits.file_bytes_max,
            files_per_draft_max=limits.files_per_draft_max,
            upload_idle_s=round(limits.idle_s),
            upload_ttl_s=round(limits.ttl.total_seconds()),
        )

    async def BeginUpload(
        self, request: api.BeginUploadRequest, _context: object
    ) -> api.BeginUploadResponse:
        name = parse_upload(request.upload.name, field="upload.name")
        announced = upload.from_message(request.upload)
        made = await self._uploads.begin(current_call(), name, announced)
        return api.BeginUploadResponse(upload=upload.to_message(made.answer))

    async def WriteUpload(
        self, requests: AsyncIterator[WriteMessage], _context: object
    ) -> api.WriteUploadResponse:
        first = await anext(requests)
        name = parse_upload(first.upload, field="upload")
        async with self._uploads.writing(current_call(), name, epoch=first.epoch) as stream:
            self._require_sound(first)
            await stream.append(first.offset, first.data)
            async for message in requests:
                self._require_sound(message)
                if message.upload not in {"", first.upload}:
                    raise InvalidField("upload", "names another upload than the first message")
                await stream.append(message.offset, message.data)
            done = await stream.finish()
        return api.WriteUploadResponse(upload=upload.to_message(done))

    async def GetUpload(
        self, request: api.GetUploadRequest, _context: object
    ) -> api.GetUploadResponse:
        found = await self._uploads.get(current_call(), parse_upload(request.name))
        return api.GetUploadResponse(upload=upload.to_message(found.answer))

    async def CommitUpload(
        self, request: api.CommitUploadRequest, _context: object
    ) -> api.CommitUploadResponse:
        made = await self._uploads.commit(
            current_call(),
            parse_upload(request.name),
            sha256=sha256_of(request.digest, field="digest"),
            size_bytes=request.size_bytes,
        )
        return api.CommitUploadResponse(file=file.to_message(made.answer), revision=made.revision)

    async def AbortUpload(
        self, request: api.AbortUploadRequest, _context: object
    ) -> api.AbortUploadResponse:
        await self._uploads.abort(current_call(), parse_upload(request.name))
        return api.AbortUploadResponse()

    async def ReadArtifact(
        self, request: api.ReadArtifactRequest, _context: object
    ) -> AsyncGenerator[ReadMessage, None]:
        wanted = Wanted(
            path=request.path,
            offset=request.offset,
            length=request.length,
            if_sha256=sha256_of(request.if_digest, field="if_digest") if request.if_digest else "",
        )
        download = await self._downloads.open(current_call(), _holder(request.name), wanted)
        yield ReadMessage(b"", download.offset, file.to_message(download.file))
        offset = download.offset
        async with aclosing(download.pieces) as pieces:
            async for piece in pieces:
                yield ReadMessage(piece, offset)
                offset += len(piece)

    def _require_sound(self, message: WriteMessage) -> None:
        payload_bytes_max = self._uploads.limits.payload_bytes_max
        if len(message.data) > payload_bytes_max:
            raise MessageTooLarge(len(message.data), payload_bytes_max)
        if not is_intact(message):
            raise ChecksumMismatch(message.offset)


def _holder(name: str) -> VersionName | DraftName:
    """The version or draft whose file is wanted."""
    return parse_draft(name) if "/drafts/" in name else parse_version(name)
