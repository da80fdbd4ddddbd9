"""Hostile clients, each bounded in count and time; to 127.0.0.1 only."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import grpc
import h2.exceptions

from assay.v1 import registry_service_pb2 as registry_api
from assay.v1 import watch_service_pb2 as watch_api
from assay.v1 import watch_service_pb2_grpc
from tests.abuse.victim import Victim
from tests.wire.raw_http2 import RawCall, framed, raw_connection
from tests.wire.scripted import secure_channel

GET_MODEL = "/assay.v1.RegistryService/GetModel"
WRITE_UPLOAD = "/assay.v1.ArtifactService/WriteUpload"
MIB = 1 << 20
PATIENCE_S = 60.0
BROKEN = (OSError, TimeoutError, h2.exceptions.ProtocolError)
Attack = Callable[[Victim, Path, int], Awaitable[int]]
"""Given how often; tells how often the server put an end to it, or how often it was done."""


async def rapid_reset(victim: Victim, directory: Path, count: int) -> int:
    """CVE-2023-44487: streams that are cancelled as soon as they are opened."""
    sent = 0
    while sent < count:
        with suppress(*BROKEN):
            async with raw_connection(
                victim.target, victim.authority, victim.credentials("greedy"), directory
            ) as raw:
                while sent < count:
                    sent += 1
                    await raw.reset(await raw.begin(GET_MODEL))
                await raw.ping()
    return sent


async def slow_loris(victim: Victim, directory: Path, count: int) -> int:
    """Uploads that begin and never go on; tells how many the server ended."""
    ended = 0
    async with raw_connection(
        victim.target, victim.authority, victim.credentials("greedy"), directory
    ) as raw:
        calls: list[RawCall] = []
        for _ in range(count):
            call = await raw.begin(WRITE_UPLOAD)
            await raw.send(call, framed(b"x", says=1 << 20))
            calls.append(call)
        for call in calls:
            async with asyncio.timeout(PATIENCE_S):
                await call.ended.wait()
            ended += 1
    return ended


async def stalled_watchers(victim: Victim, _directory: Path, count: int) -> int:
    """Watches that are opened and never read, while there is news."""
    greedy = victim.credentials("greedy")
    async with (
        secure_channel(victim.target, victim.authority, greedy) as channel,
        victim.client("greedy") as client,
    ):
        stub = watch_service_pb2_grpc.WatchServiceStub(channel)
        watches = [
            stub.Watch(watch_api.WatchRequest(start_revision=1)) for _ in range(min(count, 90))
        ]
        for number in range(count // 4):
            await client.update_model("vision/digits", description=f"news {number}" + "x" * 4000)
        for watch in watches:
            watch.cancel()
        return len(watches)


async def connection_flood(victim: Victim, _directory: Path, count: int) -> int:
    """Connections that never speak; tells how many the server closed."""
    port = int(victim.target.rpartition(":")[2])
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    closed = 0
    for reader, _ in opened:
        with suppress(OSError):
            async with asyncio.timeout(PATIENCE_S):
                while await reader.read(4096):
                    pass
        closed += 1
    for _, writer in opened:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return closed


async def large_metadata(victim: Victim, _directory: Path, count: int) -> int:
    """1 MiB of headers; tells how many were refused."""
    refused = 0
    greedy = victim.credentials("greedy")
    for _ in range(count):
        async with secure_channel(victim.target, victim.authority, greedy) as channel:
            raw = channel.unary_unary(GET_MODEL)
            try:
                await raw(b"", metadata=(("x-large", "a" * MIB),), timeout=PATIENCE_S)
            except grpc.aio.AioRpcError:
                refused += 1
    return refused


async def gzip_bomb(victim: Victim, directory: Path, count: int) -> int:
    """Messages of a few KiB that become 64 MiB; tells how many were refused."""
    bomb = gzip.compress(bytes(64 * MIB), compresslevel=9)
    refused = 0
    async with raw_connection(
        victim.target, victim.authority, victim.credentials("greedy"), directory
    ) as raw:
        for _ in range(count):
            call = await raw.begin(GET_MODEL, ("grpc-encoding", "gzip"))
            await raw.send(call, framed(bomb, flag=1), end=True)
            refused += await call.grpc_status() != 0
    return refused


async def ping_flood(victim: Victim, directory: Path, count: int) -> int:
    """Pings without end; tells on how many connections the server lost patience."""
    ended = 0
    for _ in range(count):
        with suppress(*BROKEN):
            async with raw_connection(
                victim.target, victim.authority, victim.credentials("greedy"), directory
            ) as raw:
                for _ping in range(1000):
                    async with asyncio.timeout(5):
                        await raw.ping()
                continue
        ended += 1
    return ended


async def call_flood(victim: Victim, _directory: Path, count: int) -> int:
    """Calls as fast as one connection takes them; tells how many were refused for that."""
    greedy, refused = victim.credentials("greedy"), 0
    request = registry_api.GetModelRequest(name="namespaces/vision/models/digits")
    async with secure_channel(victim.target, victim.authority, greedy) as channel:
        raw = channel.unary_unary(GET_MODEL)

        async def call() -> None:
            nonlocal refused
            try:
                await raw(request.SerializeToString(), timeout=PATIENCE_S)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                refused += 1

        for _ in range(count // 50):
            await asyncio.gather(*(call() for _ in range(50)))
    return refused
