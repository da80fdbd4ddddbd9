"""Sending files to a draft: resumed from what the server holds for certain, never blindly."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc

from assay import retries
from assay.calls import Calls
from assay.errors import (
    AssayError,
    ChecksumMismatch,
    ConnectionFailed,
    ContentMismatch,
    DeadlinePassed,
    DigestMismatch,
    TooManyCalls,
    TooManyUploads,
    Unavailable,
    UploadInterrupted,
    UploadNotOpen,
    UploadOffsetWrong,
)
from assay.retries import Patience
from assay.transfer.envelope import PAYLOAD_BYTES, write_message
from assay.transfer.hashing import sha256_hex
from assay.transfer.local_files import LocalFile, open_regular, reading
from assay.transfer.parallel import Streams
from assay.transfer.progress import OnProgress, Progress, Step
from assay.transfer.sent_status import SentStatus
from assay.transfer.threads import in_thread
from assay.v1.artifact_service_pb2 import (
    AbortUploadRequest,
    BeginUploadRequest,
    CommitUploadRequest,
    WriteUploadResponse,
)
from assay.v1.file_pb2 import File
from assay.v1.upload_pb2 import Upload, UploadState

STREAM_BYTES_MAX = 1024 * 1024 * 1024
"""A stream ends after so much and a new one goes on, so that servers can shed old connections."""

COMMIT_BYTES_PER_S = 200 * 1024 * 1024
"""A server may have to read a file again to hash it; the deadline of a commit allows for that."""

_GIVEN_UP_MAX = 10
"""A file that changes so often while it is pushed is not going to arrive."""

_WORTH_RESUMING = (
    Unavailable,
    DeadlinePassed,
    ChecksumMismatch,
    UploadOffsetWrong,
    TooManyCalls,
    TooManyUploads,
)


@dataclass(slots=True)
class Outgoing:
    """An open file on its way, with the digest that it had when it was hashed."""

    handle: int
    file: File
    failure: Exception | None = None
    """What stopped the reading. gRPC swallows it and cancels the call, as if a caller had."""

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset`` on.

        Raises:
            ContentMismatch: The file is shorter than when it was hashed.
        """
        with reading(self.file.path):
            payload = os.pread(self.handle, size, offset)
        if len(payload) < size:
            raise ContentMismatch(f"{self.file.path} became shorter while it was being sent.")
        return payload


class Uploads:
    """Sends files to one draft."""

    def __init__(
        self, calls: Calls, draft: str, *, patience_s: float, on_progress: OnProgress
    ) -> None:
        self._calls = calls
        self._draft = draft
        self._patience_s = patience_s
        self._streams = Streams()
        self._on_progress = on_progress

    async def send(self, local: LocalFile) -> File:
        """Hash one file, and send what the server does not have of it.

        Raises:
            UploadInterrupted: Nothing moved for longer than the client's patience.
            ContentMismatch: The file changed while it was sent; its upload is given up.
        """
        handle = open_regular(local.source)
        try:
            outgoing = Outgoing(handle, await _described(local, handle, self._on_progress))
            await self._deliver(outgoing)
            self._report(outgoing.file, outgoing.file.size_bytes, Step.DONE)
            return outgoing.file
        finally:
            os.close(handle)

    async def _deliver(self, outgoing: Outgoing) -> None:
        """Begin, write, commit; after a break begin again and go on from what is durable."""
        patience = Patience(self._patience_s)
        durable_bytes = 0
        while True:
            try:
                upload = await self._begin(outgoing.file)
                if upload.durable_bytes > durable_bytes:
                    durable_bytes = upload.durable_bytes
                    patience.renew()
                if upload.state != UploadState.UPLOAD_STATE_COMPLETE:
                    await self._fill(upload, outgoing)
                return
            except _WORTH_RESUMING as failure:
                if not await patience.pause(failure):
                    raise self._interrupted(outgoing.file, durable_bytes, failure) from failure

    async def _fill(self, upload: Upload, outgoing: Outgoing) -> None:
        try:
            await self._write(upload, outgoing)
            await self._commit(upload, outgoing.file)
        except ContentMismatch:
            # What arrived is no prefix of any file that is here: the next push would go on from it.
            with contextlib.suppress(AssayError):
                await self._calls.write(
                    self._calls.stubs.artifacts.AbortUpload, AbortUploadRequest(name=upload.name)
                )
            raise

    async def _begin(self, file: File) -> Upload:
        """Begin, or find what was begun. One that was given up keeps its id: take another."""
        refusal: UploadNotOpen | None = None
        for given_up in range(_GIVEN_UP_MAX):
            try:
                return await self._begin_under(upload_id(self._draft, file, given_up), file)
            except UploadNotOpen as error:
                refusal = error
        assert refusal is not None
        raise refusal

    async def _begin_under(self, identity: str, file: File) -> Upload:
        request = BeginUploadRequest(
            upload=Upload(
                name=f"{self._draft}/uploads/{identity}",
                path=file.path,
                size_bytes=file.size_bytes,
                digest=file.digest,
                media_type=file.media_type,
                role=file.role,
            )
        )
        begin = self._calls.stubs.artifacts.BeginUpload
        return (await self._calls.write(begin, request, goes_on=True)).upload

    async def _write(self, upload: Upload, outgoing: Outgoing) -> None:
        offset = upload.durable_bytes
        while offset < outgoing.file.size_bytes:
            end = min(offset + STREAM_BYTES_MAX, outgoing.file.size_bytes)
            offset = await self._stream(upload, outgoing, range(offset, end))

    async def _stream(self, upload: Upload, outgoing: Outgoing, span: range) -> int:
        """Send one stream; says how far the file is durable then. gRPC never repeats it."""
        try:
            async with (
                self._streams.one() as carrier,
                asyncio.timeout(retries.SILENCE_S) as silence,
            ):
                messages = self._messages(upload, outgoing, span, silence)
                stubs = self._calls.connection.carrier(carrier)
                return await self._answer(stubs.write_upload(messages))
        except asyncio.CancelledError:
            if outgoing.failure is not None:
                raise outgoing.failure from None
            raise
        except TimeoutError:
            raise ConnectionFailed(
                f"The server took nothing of {outgoing.file.path} for {retries.SILENCE_S:g} s."
            ) from None

    async def _answer(self, call: "grpc.aio.StreamUnaryCall[bytes, WriteUploadResponse]") -> int:
        sent_status = SentStatus(call)
        try:
            return (await call).upload.durable_bytes
        except grpc.aio.AioRpcError as error:
            sent = await sent_status.instead_of(error)
            raise self._calls.connection.error_of(sent) from sent

    async def _messages(
        self, upload: Upload, outgoing: Outgoing, span: range, silence: asyncio.Timeout
    ) -> AsyncIterator[bytes]:
        """The messages of one stream. gRPC asks for the next only when there is room to send."""
        loop = asyncio.get_running_loop()
        name, epoch = upload.name, upload.epoch
        try:
            for offset in range(span.start, span.stop, PAYLOAD_BYTES):
                size = min(PAYLOAD_BYTES, span.stop - offset)
                payload = await in_thread(outgoing.read, offset, size)
                yield write_message(payload, offset=offset, upload=name, epoch=epoch)
                name, epoch = "", 0
                silence.reschedule(loop.time() + retries.SILENCE_S)
                self._report(outgoing.file, offset + size, Step.SENDING)
        except Exception as error:
            outgoing.failure = error
            raise

    async def _commit(self, upload: Upload, file: File) -> None:
        request = CommitUploadRequest(
            name=upload.name, digest=file.digest, size_bytes=file.size_bytes
        )
        extra_s = file.size_bytes / COMMIT_BYTES_PER_S
        try:
            commit = self._calls.stubs.artifacts.CommitUpload
            await self._calls.write(commit, request, extra_s=extra_s, goes_on=True)
        except DigestMismatch as error:
            raise ContentMismatch(
                f"{file.path} changed while it was being sent: push again when it stays as it is."
            ) from error

    def _interrupted(self, file: File, durable_bytes: int, failure: AssayError) -> AssayError:
        return UploadInterrupted(
            f"{file.path} stands at {durable_bytes} of {file.size_bytes} bytes and nothing moved "
            f"for {self._patience_s:g} s: {failure} Nothing is lost: push again with "
            f"draft={self._draft!r} to go on from there.",
            draft=self._draft,
        )

    def _report(self, file: File, done_bytes: int, step: Step) -> None:
        self._on_progress(Progress(file.path, done_bytes, file.size_bytes, step))


async def described(local: LocalFile, on_progress: OnProgress) -> File:
    """A file as a version names it, with its digest."""
    handle = open_regular(local.source)
    try:
        return await _described(local, handle, on_progress)
    finally:
        os.close(handle)


async def _described(local: LocalFile, handle: int, on_progress: OnProgress) -> File:
    file = File(path=local.path, media_type=local.media_type, role=local.role)
    file.size_bytes = os.fstat(handle).st_size

    def hashed(done_bytes: int) -> None:
        on_progress(Progress(file.path, done_bytes, file.size_bytes, Step.HASHING))

    with reading(local.source):
        digest, file.size_bytes = await sha256_hex(handle, hashed)
    file.digest = f"sha256:{digest}"
    return file


def upload_id(draft: str, file: File, given_up: int = 0) -> str:
    """Always the same for the same content at the same place: so another process can resume it.

    Args:
        given_up: How many uploads of this content to this place were given up before.
    """
    again = f"/{given_up}" if given_up else ""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{draft}/{file.path}/{file.digest}{again}"))
