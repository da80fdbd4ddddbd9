"""What one principal may take, on the wire: refused with a reason and a hint, others untouched."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.rpc import error_details_pb2

from assay import TLS, AsyncClient
from assay.v1 import access_service_pb2 as access
from assay.v1 import access_service_pb2_grpc, watch_service_pb2, watch_service_pb2_grpc
from assay_server.domain.access import Role
from assay_server.domain.rates import Rate
from assay_server.transport.interceptors.limiting import Share
from tests.pki import Authority
from tests.wire.scripted import ADMIN, binding, details_of, info_of, refusal, serving

OTHER = "spiffe://assay.test/other"
BOUND = (binding(ADMIN, Role.ADMIN), binding(OTHER, Role.ADMIN))
WANTED = access.GetNamespaceRequest(name="namespaces/vision")


async def gives_namespace(_request: Any, _context: Any) -> access.GetNamespaceResponse:
    return access.GetNamespaceResponse(revision=7)


async def watches(_request: Any, _context: Any) -> AsyncIterator[watch_service_pb2.WatchResponse]:
    yield watch_service_pb2.WatchResponse(revision=1)
    await asyncio.Event().wait()


async def test_who_calls_too_often_is_told_when_to_come_back_and_others_go_on(
    authority: Authority,
) -> None:
    share = Share(calls=Rate(0.001, 3), streams_max=1, under_way_max=9)
    handlers = {"GetNamespace": gives_namespace}
    async with serving(authority, handlers, bindings=BOUND, share=share) as running:
        async with running.channel() as greedy, running.channel(OTHER) as polite:
            for _ in range(3):
                await access_service_pb2_grpc.AccessServiceStub(greedy).GetNamespace(WANTED)
            error = await refusal(
                access_service_pb2_grpc.AccessServiceStub(greedy).GetNamespace(WANTED)
            )
            answer = await access_service_pb2_grpc.AccessServiceStub(polite).GetNamespace(WANTED)

        entries = [(entry.principal, entry.reason) for entry in running.trail.entries]
    hint = error_details_pb2.RetryInfo()
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert info_of(error).reason == "TOO_MANY_CALLS"
    assert info_of(error).metadata["calls_per_s"] == "0.001"
    assert details_of(error).details[1].Unpack(hint)
    assert 900 < hint.retry_delay.seconds <= 1000
    assert answer.revision == 7
    assert entries == [(ADMIN, "")] * 3 + [(ADMIN, "TOO_MANY_CALLS"), (OTHER, "")]


async def test_a_share_is_of_the_principal_not_of_the_connection(authority: Authority) -> None:
    share = Share(calls=Rate(0.001, 3), streams_max=1, under_way_max=9)
    async with serving(authority, {"GetNamespace": gives_namespace}, share=share) as running:
        outcomes = []
        for _ in range(4):
            async with running.channel() as channel:
                stub = access_service_pb2_grpc.AccessServiceStub(channel)
                try:
                    await stub.GetNamespace(WANTED)
                except grpc.aio.AioRpcError as error:
                    outcomes.append(info_of(error).reason)
                else:
                    outcomes.append("")

    assert outcomes == ["", "", "", "TOO_MANY_CALLS"]


async def test_a_stream_too_many_is_refused_until_another_ends(authority: Authority) -> None:
    share = Share(calls=Rate(0, 1), streams_max=2, under_way_max=9)
    async with (
        serving(authority, {"Watch": watches}, share=share) as running,
        running.channel() as channel,
    ):
        stub = watch_service_pb2_grpc.WatchServiceStub(channel)
        open_watches = [stub.Watch(watch_service_pb2.WatchRequest()) for _ in range(2)]
        for watch in open_watches:
            await watch.read()

        error = await refusal(stub.Watch(watch_service_pb2.WatchRequest()).read())
        open_watches[0].cancel()
        await running.trail.settled(5)  # two opened, one refused (a pair), one closed
        third = stub.Watch(watch_service_pb2.WatchRequest())

        assert (await third.read()).revision == 1
        assert info_of(error).reason == "TOO_MANY_UPLOADS"
        assert "2 of your streams are under way" in (error.details() or "")


async def test_a_call_too_many_at_once_is_refused_until_another_ends(authority: Authority) -> None:
    goes_on = asyncio.Event()

    async def waits(_request: Any, _context: Any) -> Any:
        await goes_on.wait()
        return access.GetNamespaceResponse(revision=7)

    share = Share(calls=Rate(0, 1), streams_max=1, under_way_max=2)
    async with (
        serving(authority, {"GetNamespace": waits}, share=share) as running,
        running.channel() as channel,
    ):
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        calls = [stub.GetNamespace(WANTED) for _ in range(3)]
        done, waiting = await asyncio.wait(
            [asyncio.ensure_future(_ended(call)) for call in calls],
            return_when=asyncio.FIRST_COMPLETED,
        )
        goes_on.set()

        assert [task.result() for task in done] == [
            "TOO_MANY_CALLS: you call too often: 2 of your calls are under way"
        ]
        assert [await task for task in waiting] == ["", ""]
        assert await _ended(stub.GetNamespace(WANTED)) == ""


async def _ended(call: Any) -> str:
    """Why a call was refused; nothing when it was answered."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return f"{info_of(error).reason}: {(error.details() or '').partition(',')[0]}"
    return ""


async def test_the_python_client_waits_as_long_as_it_is_told_and_notices_nothing(
    authority: Authority,
) -> None:
    calls = 0

    async def creates(_request: Any, _context: Any) -> access.CreateNamespaceResponse:
        nonlocal calls
        calls += 1
        return access.CreateNamespaceResponse(revision=calls)

    holder = authority.issue_client(ADMIN)
    share = Share(calls=Rate(1, 2), streams_max=1, under_way_max=9)
    async with serving(authority, {"CreateNamespace": creates}, share=share) as running:
        tls = TLS(ca=authority.certificate, cert=holder.certificate, key=holder.private_key)
        async with AsyncClient(running.target, tls=tls) as client:
            await asyncio.gather(*(client.create_namespace(f"n-{each}") for each in range(4)))

        reasons = {entry.reason for entry in running.trail.entries}
    assert calls == 4
    assert reasons == {"", "TOO_MANY_CALLS"}
