"""A server stops and starts under load: who retries, resumes and goes on loses nothing.

``make abuse`` does it RESTARTS times.
"""

import asyncio
import itertools
import os
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from assay import AsyncClient, errors
from assay.v1 import access_service_pb2 as access_api
from tests.abuse.victim import Victim, standing
from tests.pki import Authority
from tests.wire.registry import settings

RESTARTS = int(os.environ.get("ASSAY_RESTARTS", "2"))
WRITERS = 4
MIB = 1 << 20
WORTH_REPEATING = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,  # by a server that stops (grpc/grpc#41785)
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
RETRY_S = 90.0
"""How long one call is tried again: a start on a busy machine takes its time."""


class Load:
    """Clients that go on until they are told to end, and what they were told."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.acknowledged: set[str] = set()
        self.retries = 0
        self.pushed = 0
        self.revisions: list[int] = []
        self.names: Counter[str] = Counter()

    async def write(self, client: AsyncClient, writer: int) -> None:
        """Make namespaces, each with one request id however often it is sent."""
        number = 0
        while not self.over.is_set():
            name = f"n-{writer}-{number}"
            request = access_api.CreateNamespaceRequest(
                namespace_id=name, request_id=str(uuid.uuid4())
            )
            await self._until_answered(client, request)
            self.acknowledged.add(f"namespaces/{name}")
            number += 1

    async def _until_answered(
        self, client: AsyncClient, request: access_api.CreateNamespaceRequest
    ) -> None:
        async with asyncio.timeout(RETRY_S):
            while True:
                try:
                    await client.stubs.access.CreateNamespace(request, timeout=10)
                except grpc.aio.AioRpcError as error:
                    if error.code() not in WORTH_REPEATING:
                        raise
                    self.retries += 1
                    await asyncio.sleep(0.1)
                else:
                    return

    async def push(self, client: AsyncClient, file: Path) -> None:
        """Send files; an upload that breaks off goes on by itself."""
        while not self.over.is_set():
            file.write_bytes(os.urandom(8 * MIB))
            await self._pushed(client, file)
            self.pushed += 1

    async def _pushed(self, client: AsyncClient, file: Path) -> None:
        async with asyncio.timeout(RETRY_S):
            while True:
                try:
                    await client.push(file, to="vision/digits", publish=True, bump="patch")
                except (errors.Unavailable, errors.DeadlinePassed, errors.TransferInterrupted):
                    self.retries += 1
                    await asyncio.sleep(0.1)
                else:
                    return

    async def watch(self, client: AsyncClient) -> None:
        """Follow everything from the beginning, through every restart."""
        async for change in client.watch(start_revision=1):
            self.revisions.append(change.revision)
            self.names.update(
                event.name for event in change.events if event.name.startswith("namespaces/n-")
            )


async def until(is_so: Callable[[], bool]) -> None:
    """Look again and again."""
    async with asyncio.timeout(RETRY_S):
        for wait_s in itertools.repeat(0.02):
            if is_so():
                return
            await asyncio.sleep(wait_s)


async def restart(victim: Victim, load: Load) -> int | None:
    """Stop the server in the middle of its work, and start it again at once."""
    before = len(load.acknowledged)
    await until(lambda: len(load.acknowledged) >= before + WRITERS)
    code = await asyncio.to_thread(victim.terminate)
    await asyncio.to_thread(victim.start)
    return code


async def test_restarts_under_load_fail_no_call_that_is_retried(
    authority: Authority, tmp_path: Path
) -> None:
    load = Load()
    config = settings(tmp_path, authority, watch_bookmark_s=0.5)
    with standing(config, authority) as victim:
        async with victim.client() as client, victim.client("greedy") as other:
            await client.create_namespace("vision")
            await client.create_model("vision/digits")
            watching = asyncio.create_task(load.watch(other))
            tasks = [asyncio.create_task(load.write(client, each)) for each in range(WRITERS)]
            tasks.append(asyncio.create_task(load.push(other, tmp_path / "model.bin")))
            codes = [await restart(victim, load) for _ in range(RESTARTS)]
            load.over.set()
            await asyncio.gather(*tasks)
            await until(lambda: load.acknowledged <= load.names.keys())
            watching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await watching
            versions = [version.number async for version in client.list_versions("vision/digits")]

    print(  # noqa: T201
        f"{RESTARTS} restarts: {len(load.acknowledged)} changes, {load.pushed} pushes, "
        f"{load.retries} retried by the caller, 0 failed; {len(load.revisions)} watch messages"
    )
    assert codes == [0] * RESTARTS
    assert set(load.names.values()) == {1}  # neither lost nor made twice
    assert load.names.keys() == load.acknowledged
    assert load.revisions == sorted(load.revisions)
    assert sorted(versions) == list(range(1, load.pushed + 1))
