"""What surrounds every call, whatever kind it is and however it ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from assay.v1 import access_service_pb2 as access
from assay.v1 import (
    access_service_pb2_grpc,
    artifact_service_pb2_grpc,
    watch_service_pb2,
    watch_service_pb2_grpc,
)
from assay.v1 import artifact_service_pb2 as artifacts
from assay_server.domain.audit import Decision, Phase
from assay_server.domain.errors import NotFound
from tests.pki import Authority
from tests.wire.scripted import (
    ADMIN,
    details_of,
    info_of,
    refusal,
    serving,
)

SECRET = "postgres://user:hunter2@db"
GET_NAMESPACE = "assay.v1.AccessService/GetNamespace"


async def gives_namespace(request: Any, _context: Any) -> access.GetNamespaceResponse:
    return access.GetNamespaceResponse(revision=7)


async def raises_secret(_request: Any, _context: Any) -> Any:
    raise ValueError(SECRET)


async def test_a_call_is_answered_and_leaves_one_entry(authority: Authority) -> None:
    async with serving(authority, {"GetNamespace": gives_namespace}) as running:
        async with running.channel() as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            answer = await stub.GetNamespace(access.GetNamespaceRequest(name="namespaces/vision"))

        [entry] = running.trail.entries
        assert answer.revision == 7
        assert entry.principal == ADMIN
        assert entry.method == GET_NAMESPACE
        assert entry.resource == "namespaces/vision"
        assert entry.namespace_id == "vision"
        assert (entry.decision, entry.status, entry.phase) == (Decision.ALLOWED, "OK", Phase.CALL)
        assert len(entry.certificate_sha256) == 64
        assert entry.duration_us > 0


async def test_no_text_of_an_exception_reaches_the_client(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(authority, {"GetNamespace": raises_secret}) as running:
        async with running.channel() as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            error = await refusal(
                stub.GetNamespace(access.GetNamespaceRequest(name="namespaces/vision"))
            )

        [entry] = running.trail.entries
    request_info = error_details_pb2.RequestInfo()
    assert details_of(error).details[1].Unpack(request_info)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert info_of(error).reason == "INTERNAL"
    assert SECRET not in repr(error) + str(details_of(error)) + repr(entry)
    assert request_info.request_id == entry.call_id
    faults = [r for r in caplog.records if r.name == "assay.faults"]
    assert [f.exc_info is not None and SECRET in str(f.exc_info[1]) for f in faults] == [True]
    assert faults[0].fields["call_id"] == entry.call_id  # type: ignore[attr-defined]


async def test_an_unreadable_message_is_refused_and_on_record(authority: Authority) -> None:
    async with serving(authority, {"GetNamespace": gives_namespace}) as running:
        async with running.channel() as channel:
            raw = channel.unary_unary(f"/{GET_NAMESPACE}")
            error = await refusal(raw(b"\x0a\xff\xff\xff\xff\x0fnonsense"))

        [entry] = running.trail.entries
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(error).reason == "MESSAGE_UNDECODABLE"
    assert entry.reason == "MESSAGE_UNDECODABLE"
    assert entry.principal == ADMIN
    assert entry.decision is Decision.UNDECIDED


async def test_a_message_over_our_limit_is_refused_and_on_record(authority: Authority) -> None:
    async with serving(authority, {"GetNamespace": gives_namespace}) as running:
        async with running.channel() as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            huge = access.GetNamespaceRequest(name="n" * (5 * 1024 * 1024))
            error = await refusal(stub.GetNamespace(huge))

        [entry] = running.trail.entries
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert info_of(error).reason == "MESSAGE_TOO_LARGE"
    assert info_of(error).metadata["limit_bytes"] == str(4 * 1024 * 1024)
    assert entry.status == "RESOURCE_EXHAUSTED"


async def test_an_unknown_method_is_refused_and_on_record(authority: Authority) -> None:
    async with serving(authority, {}) as running:
        async with running.channel() as channel:
            unary = await refusal(channel.unary_unary("/assay.v1.AccessService/Nonsense")(b""))
            stream = channel.stream_stream("/other.Service/Nonsense")(iter([b""]))
            streamed = await refusal(stream.read())

        entries = running.trail.entries
    for error in (unary, streamed):
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert info_of(error).reason == "METHOD_UNKNOWN"
    assert info_of(unary).metadata["method"] == "assay.v1.AccessService/Nonsense"
    assert [e.method for e in entries] == [
        "assay.v1.AccessService/Nonsense",
        "other.Service/Nonsense",
    ]


async def test_a_cancelled_call_is_on_record_once(authority: Authority) -> None:
    started = asyncio.Event()

    async def waits(_request: Any, _context: Any) -> Any:
        started.set()
        await asyncio.Event().wait()

    async with serving(authority, {"GetNamespace": waits}) as running:
        async with running.channel() as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            call = stub.GetNamespace(access.GetNamespaceRequest(name="namespaces/vision"))
            await started.wait()
            call.cancel()

            [entry] = await running.trail.settled(1)
        assert (entry.status, entry.reason) == ("CANCELLED", "")


async def test_a_passed_deadline_is_on_record_with_its_reason(authority: Authority) -> None:
    async def waits(_request: Any, context: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            # The client hangs up by its own clock, which is ahead of ours on a busy machine.
            await asyncio.sleep(context.time_remaining())

    async with serving(authority, {"GetNamespace": waits}) as running:
        async with running.channel() as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            request = access.GetNamespaceRequest(name="namespaces/vision")
            error = await refusal(stub.GetNamespace(request, timeout=0.5))

            [entry] = await running.trail.settled(1)
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert (entry.status, entry.reason) == ("DEADLINE_EXCEEDED", "DEADLINE_PASSED")


async def test_a_cancellation_inside_a_handler_is_answered_as_a_fault(
    authority: Authority,
) -> None:
    async def cancels_its_own_task(_request: Any, _context: Any) -> Any:
        inner = asyncio.create_task(asyncio.sleep(60))
        asyncio.get_running_loop().call_soon(inner.cancel)
        await inner

    async with serving(authority, {"GetNamespace": cancels_its_own_task}) as running:
        async with running.channel() as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            request = access.GetNamespaceRequest(name="namespaces/vision")
            error = await refusal(stub.GetNamespace(request, timeout=10))

        assert error.code() is grpc.StatusCode.INTERNAL


async def test_a_change_runs_to_its_end_when_its_caller_goes_away(authority: Authority) -> None:
    started, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def changes(_request: Any, _context: Any) -> access.UpdateNamespaceResponse:
        started.set()
        await may_end.wait()
        ended.set()
        return access.UpdateNamespaceResponse()

    async with serving(authority, {"UpdateNamespace": changes}) as running:
        async with running.channel() as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            request = access.UpdateNamespaceRequest()
            request.namespace.name = "namespaces/vision"
            call = stub.UpdateNamespace(request)
            await started.wait()
            call.cancel()
            await asyncio.sleep(0.05)
            may_end.set()

            [entry] = await running.trail.settled(1)
        assert ended.is_set()
        assert entry.status == "CANCELLED"


async def test_nothing_is_answered_when_it_cannot_be_recorded(authority: Authority) -> None:
    async with serving(authority, {"GetNamespace": gives_namespace}) as running:
        running.trail.is_broken = True
        async with running.channel() as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            request = access.GetNamespaceRequest(name="namespaces/vision")
            error = await refusal(stub.GetNamespace(request))

        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert info_of(error).reason == "AUDIT_UNAVAILABLE"


async def test_a_stream_has_an_opening_and_a_closing_entry(authority: Authority) -> None:
    async def counts(requests: Any, _context: Any) -> artifacts.WriteUploadResponse:
        total = 0
        async for request in requests:
            total += len(request.data)
        response = artifacts.WriteUploadResponse()
        response.upload.durable_bytes = total
        return response

    name = "namespaces/vision/models/digits/drafts/d/uploads/u"
    async with serving(authority, {"WriteUpload": counts}) as running:
        async with running.channel() as channel:
            stub = artifact_service_pb2_grpc.ArtifactServiceStub(channel)
            parts = [artifacts.WriteUploadRequest(upload=name, data=b"x" * 1000) for _ in range(3)]
            answer = await stub.WriteUpload(iter(parts))

        opened, closed = running.trail.entries
    assert answer.upload.durable_bytes == 3000
    assert (opened.phase, closed.phase) == (Phase.OPENED, Phase.CLOSED)
    assert opened.call_id == closed.call_id
    assert opened.resource == name
    assert opened.bytes_in == 0
    assert closed.bytes_in == sum(part.ByteSize() for part in parts)


async def test_a_refusal_in_mid_stream_ends_it_with_a_reason(authority: Authority) -> None:
    closed = asyncio.Event()

    async def stumbles(_request: Any, _context: Any) -> AsyncIterator[Any]:
        try:
            yield watch_service_pb2.WatchResponse(revision=1)
            raise NotFound("namespaces/vision")
        finally:
            closed.set()

    async with serving(authority, {"Watch": stumbles}) as running:
        async with running.channel() as channel:
            stub = watch_service_pb2_grpc.WatchServiceStub(channel)
            call = stub.Watch(watch_service_pb2.WatchRequest(name_prefix="namespaces/vision"))
            first = await call.read()
            error = await refusal(call.read())

        opened, closing = running.trail.entries
    assert first.revision == 1
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert closed.is_set()
    assert (opened.status, closing.status) == ("OK", "NOT_FOUND")
    assert closing.bytes_out == first.ByteSize()


async def test_an_abandoned_stream_stops_its_handler_and_is_closed_in_the_trail(
    authority: Authority,
) -> None:
    closed = asyncio.Event()

    async def goes_on(_request: Any, _context: Any) -> AsyncIterator[Any]:
        try:
            while True:
                yield watch_service_pb2.WatchResponse(revision=1)
                await asyncio.sleep(0.01)
        finally:
            closed.set()

    async with serving(authority, {"Watch": goes_on}) as running:
        async with running.channel() as channel:
            stub = watch_service_pb2_grpc.WatchServiceStub(channel)
            call = stub.Watch(watch_service_pb2.WatchRequest())
            await call.read()
            call.cancel()

            entries = await running.trail.settled(2)
        assert closed.is_set()
        assert [e.status for e in entries] == ["OK", "CANCELLED"]
        assert not running.around.running()


async def test_draining_ends_watches_with_a_status_that_says_resume(
    authority: Authority,
) -> None:
    async def waits(_request: Any, _context: Any) -> AsyncIterator[Any]:
        yield watch_service_pb2.WatchResponse(revision=41)
        await asyncio.Event().wait()

    async with serving(authority, {"Watch": waits}) as running:
        async with running.channel() as channel:
            stub = watch_service_pb2_grpc.WatchServiceStub(channel)
            call = stub.Watch(watch_service_pb2.WatchRequest())
            await call.read()
            stopping = asyncio.create_task(running.server.stop())
            error = await refusal(call.read())
            await stopping

        retry = error_details_pb2.RetryInfo()
        assert details_of(error).details[1].Unpack(retry)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert info_of(error).reason == "SERVER_DRAINING"
        assert retry.retry_delay.seconds >= 1
        assert running.trail.entries[-1].reason == "SERVER_DRAINING"
