"""Watches while servers and clients are killed and paused: nothing lost, nothing twice."""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from assay.v1 import access_service_pb2, access_service_pb2_grpc
from assay_server.app.clock import SystemClock
from assay_server.domain.events import Event
from assay_server.sqlstore.opening import open_store
from tests.faults.histories import channel_to, report
from tests.faults.serving import NAMESPACE, Nursery, Place, ServerProcess
from tests.faults.watchers import Watcher
from tests.wire.watching import (
    Recording,
    history,
    require_promises,
)

SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
KILLS = min(int(os.environ.get("ASSAY_KILLS", "1")), 20)
"""Of each server; a round has pauses too, and takes some ten seconds where others work."""
WATCHED = f"namespaces/{NAMESPACE}"
SCOPES = ("", WATCHED, "")
"""Of those who watch from the first revision; one more begins with the state."""
WAIT_S = 60.0

CLIENT = """
import json, sys
from assay import Client
with Client(sys.argv[1], tls=None) as client:
    for change in client.watch(start_revision=int(sys.argv[2])):
        print(json.dumps([change.revision, [event.name for event in change.events]]), flush=True)
"""


class Fleet:
    """The servers of one registry: writers ask the first, watchers the last."""

    def __init__(self, nursery: Nursery, place: Place, log: Path) -> None:
        self._nursery = nursery
        self._place = place
        self._log = log
        count = 2 if place.url.startswith("postgresql") else 1
        self.servers = [self._started() for _ in range(count)]

    def replace(self, number: int) -> None:
        """Kill a server and start another one in its place."""
        self.servers[number].kill()
        self.servers[number] = self._started()

    def close(self) -> None:
        for server in self.servers:
            server.kill()

    async def truth(self) -> tuple[Event, ...]:
        """All that happened, read from the store itself."""
        store = await open_store(self._place.url, SystemClock())
        try:
            return await history(store.metadata)
        finally:
            await store.close()

    def _started(self) -> ServerProcess:
        return self._nursery.start(self._place, self._log)


class Writer:
    """Changes the watched namespace and makes others, whatever becomes of the server."""

    def __init__(self, target: Callable[[], str]) -> None:
        self._target = target
        self.newest = 0
        self.acknowledged = 0
        self.is_over = False
        self._news = asyncio.Event()

    async def has_written(self, count: int) -> None:
        """Wait until so many changes more were acknowledged."""
        until_now = self.acknowledged
        while self.acknowledged < until_now + count:
            self._news.clear()
            await self._news.wait()

    async def write(self) -> None:
        while not self.is_over:
            with contextlib.suppress(grpc.aio.AioRpcError):
                async with channel_to(self._target()) as channel:
                    await self._until_it_breaks(channel)
            await asyncio.sleep(0.02)

    async def _until_it_breaks(self, channel: Any) -> None:
        stub: Any = access_service_pb2_grpc.AccessServiceStub(channel)
        while not self.is_over:
            change = access_service_pb2.UpdateNamespaceRequest()
            change.namespace.name = WATCHED
            change.namespace.description = str(self.acknowledged)
            change.update_mask.paths.append("description")
            changed = await stub.UpdateNamespace(change, timeout=WAIT_S)
            made = await stub.CreateNamespace(
                access_service_pb2.CreateNamespaceRequest(
                    namespace_id=f"{NAMESPACE}-{self.acknowledged}-{changed.revision}"
                ),
                timeout=WAIT_S,
            )
            self.newest = made.revision
            self.acknowledged += 2
            self._news.set()


async def test_watches_survive_servers_that_are_killed_and_paused(
    nursery: Nursery, place: Place, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    fleet = Fleet(nursery, place, tmp_path / "server.log")
    writer = Writer(lambda: fleet.servers[0].target)
    recordings: list[Recording] = []
    watchers = [Watcher(lambda: fleet.servers[-1].target, scope, recordings) for scope in SCOPES]
    watchers.append(Watcher(lambda: fleet.servers[-1].target, "", recordings, with_state=True))

    def is_enough(last: int) -> bool:
        return writer.is_over and last >= writer.newest

    try:
        writing = asyncio.create_task(writer.write())
        following = [asyncio.create_task(watcher.follow(is_enough)) for watcher in watchers]
        for _ in range(KILLS):
            for number in range(len(fleet.servers)):
                await asyncio.sleep(chance.uniform(0.2, 0.6))
                fleet.servers[number].pause()
                await asyncio.sleep(chance.uniform(0.1, 0.5))
                fleet.servers[number].go_on()
                await asyncio.sleep(chance.uniform(0.2, 0.6))
                fleet.replace(number)
        async with asyncio.timeout(WAIT_S):
            await writer.has_written(10)
            writer.is_over = True
            await asyncio.gather(writing, *following)
    finally:
        fleet.close()
    truth = await fleet.truth()

    count = require_promises(recordings, truth)
    breaks = sum(watcher.breaks for watcher in watchers)
    report(
        f"seed {SEED}: {KILLS} kills and pauses of {len(fleet.servers)} servers, "
        f"{writer.acknowledged} changes acknowledged, {len(truth)} events, {len(recordings)} "
        f"watches that broke {breaks} times, {count} events delivered"
    )
    assert breaks >= KILLS
    assert writer.acknowledged > 20


class ClientProcess:
    """The Python client in a process of its own, which prints a line for each change."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[tuple[int, list[str]]] = []

    async def read_until(self, revision: int) -> None:
        """Read what it prints until it has received this revision."""
        assert self._process.stdout
        while not self.lines or self.lines[-1][0] < revision:
            line = await self._process.stdout.readline()
            assert line.endswith(b"\n"), "the client ended by itself"
            self.lines.append(tuple(json.loads(line)))

    async def rest(self) -> None:
        """What was printed before it was killed; half a line does not count."""
        assert self._process.stdout
        async for line in self._process.stdout:
            if line.endswith(b"\n"):
                self.lines.append(tuple(json.loads(line)))

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)


@asynccontextmanager
async def client_process(target: str, start_revision: int) -> AsyncIterator[ClientProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, target, str(start_revision), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield ClientProcess(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_client_that_is_killed_and_paused_goes_on_where_it_was(
    nursery: Nursery, tmp_path: Path
) -> None:
    fleet = Fleet(nursery, Place.below(tmp_path), tmp_path / "server.log")
    writer = Writer(lambda: fleet.servers[0].target)
    target, received = fleet.servers[0].target, []
    try:
        writing = asyncio.create_task(writer.write())
        async with asyncio.timeout(WAIT_S), client_process(target, 1) as client:
            await client.read_until(20)
            client.signal(signal.SIGSTOP)
            await asyncio.sleep(0.5)
            client.signal(signal.SIGCONT)
            await client.read_until(client.lines[-1][0] + 20)
            client.signal(signal.SIGKILL)
            await client.rest()
            received += client.lines
        async with asyncio.timeout(WAIT_S), client_process(target, received[-1][0] + 1) as client:
            await client.read_until(received[-1][0] + 20)
            fleet.servers[0].pause()
            await asyncio.sleep(0.5)
            fleet.servers[0].go_on()
            await client.read_until(client.lines[-1][0] + 20)
            writer.is_over = True
            await writing
            await client.read_until(writer.newest)
            received += client.lines
    finally:
        fleet.close()
    truth: dict[int, list[str]] = {}
    for event in await fleet.truth():
        truth.setdefault(event.revision, []).append(event.name)

    report(f"{len(received)} changes delivered to a client that was paused and killed")
    assert received == list(truth.items())
