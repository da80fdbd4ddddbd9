"""One call that breaks the core's server ends nobody's service."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from assay.v1 import access_service_pb2 as access
from assay.v1 import access_service_pb2_grpc, watch_service_pb2, watch_service_pb2_grpc
from tests.pki import Authority
from tests.wire.raw_http2 import PATIENCE_S, raw_connection
from tests.wire.registry import open_registry, principal, settings
from tests.wire.scripted import ADMIN, refusal, serving

UNREADABLE = b"/\xff\xfe/x"


async def gives_namespace(_request: Any, _context: Any) -> Any:
    return access.GetNamespaceResponse(revision=7)


async def waits(_request: Any, _context: Any) -> AsyncIterator[Any]:
    yield watch_service_pb2.WatchResponse(revision=1)
    await asyncio.Event().wait()


async def served(channel: grpc.aio.Channel) -> int:
    """The revision in an answer, once there is one: a broken server cancels calls for a while."""
    stub = access_service_pb2_grpc.AccessServiceStub(channel)
    request = access.GetNamespaceRequest(name="namespaces/vision")
    async with asyncio.timeout(PATIENCE_S):
        for wait_s in itertools.repeat(0.05):
            try:
                answer = await stub.GetNamespace(request, wait_for_ready=True)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(wait_s)
            else:
                return int(answer.revision)
    raise AssertionError


async def test_after_a_path_that_is_no_text_everyone_is_served_again(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handlers = {"GetNamespace": gives_namespace, "Watch": waits}
    async with serving(authority, handlers) as running, running.channel() as channel:
        watch = watch_service_pb2_grpc.WatchServiceStub(channel).Watch(
            watch_service_pb2.WatchRequest()
        )
        await watch.read()

        for round_ in range(2):
            async with raw_connection(
                running.target, authority, authority.issue_client(ADMIN), tmp_path
            ) as connection:
                call = await connection.ask(UNREADABLE, b"")
                assert await call.grpc_status() != 0
            if round_ == 0:
                await refusal(watch.read())
            assert await served(channel) == 7

        assert running.server.is_serving
        entries = [(e.phase.value, e.status) for e in await running.trail.settled(4)]
    assert entries.count(("OPENED", "OK")) == entries.count(("CLOSED", "CANCELLED")) == 1
    assert entries.count(("CALL", "OK")) == 2
    assert "the gRPC server broke and is replaced" in caplog.text


async def test_a_server_whose_certificates_may_rotate_is_served_again_too(
    authority: Authority, tmp_path: Path
) -> None:
    async with open_registry(settings(tmp_path, authority), authority) as registry:
        holder = authority.issue_client(principal("ann"))
        async with raw_connection(
            registry.running.target, authority, holder, tmp_path
        ) as connection:
            call = await connection.ask(UNREADABLE, b"")
            assert await call.grpc_status() != 0

        async with registry.channel() as channel:
            stub: Any = access_service_pb2_grpc.AccessServiceStub(channel)
            async with asyncio.timeout(PATIENCE_S):
                for wait_s in itertools.repeat(0.05):
                    try:
                        await stub.WhoAmI(access.WhoAmIRequest(), wait_for_ready=True)
                    except grpc.aio.AioRpcError:
                        await asyncio.sleep(wait_s)
                    else:
                        break
        assert registry.running.server.is_serving


async def test_a_server_that_breaks_as_it_stops_has_stopped_all_the_same(
    authority: Authority, tmp_path: Path
) -> None:
    async with (
        serving(authority, {"GetNamespace": gives_namespace}) as running,
        raw_connection(
            running.target, authority, authority.issue_client(ADMIN), tmp_path
        ) as connection,
    ):
        await connection.ask(UNREADABLE, b"")
        await running.server.stop()

    assert not running.server.is_serving
