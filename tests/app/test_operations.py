"""The operations port answers three questions over HTTP and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter

from assay_server.web.operations import CONNECTIONS_MAX, OperationsPort


@asynccontextmanager
async def listening(*, is_ready: bool = True) -> AsyncIterator[int]:
    registry = CollectorRegistry()
    Counter("bakes_total", "Loaves.", registry=registry).inc(3)
    port = OperationsPort(registry, lambda: is_ready)
    bound = await port.start("127.0.0.1", 0)
    try:
        yield bound
    finally:
        await port.stop()


async def said(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    except ConnectionResetError:  # hung up on with unread bytes
        return b""
    return answer


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/metrics", 200, b"bakes_total 3.0"),
        ("/metrics?x=1", 200, b"bakes_total 3.0"),
        ("/healthz", 200, b"alive"),
        ("/readyz", 200, b"ready"),
        ("/", 404, b"there are"),
        ("/../etc/passwd", 404, b"there are"),
    ],
)
async def test_each_question_has_its_answer(target: str, status: int, body: bytes) -> None:
    async with listening() as port:
        answer = await said(port, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert body in answer


async def test_a_server_that_takes_no_calls_is_alive_but_not_ready() -> None:
    async with listening(is_ready=False) as port:
        ready = await said(port, b"GET /readyz HTTP/1.1\r\n\r\n")
        alive = await said(port, b"GET /healthz HTTP/1.1\r\n\r\n")

    assert ready.startswith(b"HTTP/1.1 503 ")
    assert alive.startswith(b"HTTP/1.1 200 ")


async def test_nothing_but_reading_is_allowed() -> None:
    async with listening() as port:
        answer = await said(port, b"POST /metrics HTTP/1.1\r\n\r\n")
        head = await said(port, b"HEAD /healthz HTTP/1.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 405 ")
    assert head.endswith(b"\r\n\r\n")


async def test_a_request_that_is_too_long_or_none_gets_no_answer() -> None:
    async with listening() as port:
        assert await said(port, b"GET /" + b"x" * 20_000) == b""
        assert b"200 OK" in await said(port, b"GET /healthz HTTP/1.1\r\n\r\n")


async def test_only_so_many_connections_are_held_open() -> None:
    async with listening() as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_MAX)]
        one_more = await said(port, b"GET /healthz HTTP/1.1\r\n\r\n")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()

    assert one_more == b""
