"""Peers that neither send nor take: their place is given up, whichever way the stream flows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from assay.v1 import artifact_service_pb2 as api
from assay.v1 import artifact_service_pb2_grpc
from assay_server.domain.audit import Phase
from tests.pki import Authority
from tests.wire.scripted import info_of, refusal, serving

NAME = "namespaces/vision/models/digits/drafts/d/uploads/u"
PIECE = bytes(1 << 20)


async def _take_all(requests: AsyncIterator[Any], _context: Any) -> api.WriteUploadResponse:
    async for _ in requests:
        pass
    return api.WriteUploadResponse()


async def test_an_upload_that_falls_silent_is_closed(authority: Authority) -> None:
    async def silent() -> AsyncIterator[api.WriteUploadRequest]:
        yield api.WriteUploadRequest(upload=NAME)
        await asyncio.Event().wait()

    async with serving(authority, {"WriteUpload": _take_all}, stall_s=0.2) as running:
        async with running.channel() as channel:
            stub = artifact_service_pb2_grpc.ArtifactServiceStub(channel)
            error = await refusal(stub.WriteUpload(silent()))

        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert info_of(error).reason == "STREAM_STALLED"
        closing = (await running.trail.settled(2))[-1]
        assert (closing.phase, closing.reason) == (Phase.CLOSED, "STREAM_STALLED")


async def test_a_call_without_any_message_is_closed(authority: Authority) -> None:
    async def nothing() -> AsyncIterator[api.WriteUploadRequest]:
        await asyncio.Event().wait()
        yield api.WriteUploadRequest()

    async with serving(authority, {"WriteUpload": _take_all}, stall_s=0.2) as running:
        async with running.channel() as channel:
            stub = artifact_service_pb2_grpc.ArtifactServiceStub(channel)
            error = await refusal(stub.WriteUpload(nothing()))

        assert info_of(error).reason == "STREAM_STALLED"


async def test_a_download_that_nobody_takes_is_given_up(authority: Authority) -> None:
    is_released = asyncio.Event()

    async def give_much(_request: Any, _context: Any) -> AsyncIterator[api.ReadArtifactResponse]:
        try:
            for _ in range(200):
                yield api.ReadArtifactResponse(data=PIECE)
        finally:
            is_released.set()

    name = "namespaces/vision/models/digits/versions/1"
    async with (
        serving(authority, {"ReadArtifact": give_much}, stall_s=0.2) as running,
        running.channel() as channel,
    ):
        stub = artifact_service_pb2_grpc.ArtifactServiceStub(channel)
        call = stub.ReadArtifact(api.ReadArtifactRequest(name=name, path="a"))
        await call.read()

        closing = (await running.trail.settled(2))[-1]
        assert closing.reason == "STREAM_STALLED"
        assert closing.bytes_out < 100 * len(PIECE)
        assert is_released.is_set()

        error = await refusal(_drained(call))
        assert info_of(error).reason == "STREAM_STALLED"


async def _drained(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass
