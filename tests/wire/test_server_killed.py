"""A server is killed under load; its clients ask another one again, and nothing happens twice."""

import asyncio
import os
import random
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from assay.v1 import registry_service_pb2 as api
from assay_server.config import Config
from assay_server.config.settings import StoreSection
from tests.pki import Authority
from tests.wire.calling import Heard, hear
from tests.wire.registry import Registry, open_registry, settings
from tests.wire.scripted import ADMIN, secure_channel
from tests.wire.transfers import DIGITS, Transfers

SERVER = Path(sys.executable).with_name("assay-server")
CALLERS = 8
SEED = 20260501
ROUNDS = int(os.environ.get("ASSAY_ROUNDS", "1"))
"""Seeds counted up from SEED; each kills a server."""

Told = dict[str, Heard]
"""What was answered by the first server, by request id."""


@asynccontextmanager
async def another(config: Config, directory: Path) -> AsyncIterator[tuple[Any, str]]:
    """A second server of the same registry, in a process of its own, and where it serves."""
    directory.mkdir()
    file = directory / "server.toml"
    tls = config.tls
    file.write_text(
        f"""
        [server]
        listen = "127.0.0.1:0"
        [tls]
        certificate = "{tls.certificate}"
        private_key = "{tls.private_key}"
        client_authorities = "{tls.client_authorities}"
        [store]
        url = "{config.store.url}"
        [blobs]
        directory = "{directory / "blobs"}"
        [operations]
        listen = ""
        [paging]
        key_file = "{config.paging.key_file}"
        """
    )
    with (directory / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            SERVER, "serve", "--config", file, stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        ready = (await process.stdout.readline()).decode().split()
        assert ready[:1] == ["ready"], (directory / "log").read_text()
        yield process, f"localhost:{ready[1].rpartition(':')[2]}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
async def test_after_kill_9_a_retry_on_another_server_tells_the_truth(
    registry_url: str, tmp_path: Path, authority: Authority, seed: int
) -> None:
    config = replace(settings(tmp_path, authority), store=StoreSection(url=registry_url))
    async with (
        open_registry(config, authority) as registry,
        registry.channel() as channel,
    ):
        await Transfers(channel).found()
        before = await registry.stores.facts.wait_past(-1, 0)
        async with another(config, tmp_path / "other") as (process, target):
            asked, told = await _load_until_killed(
                process, target, authority, acknowledged=random.Random(seed).randrange(5, 60)
            )
        again = dict(
            zip(
                asked,
                await asyncio.gather(
                    *(hear(channel, "CreateDraft", request) for request in asked.values())
                ),
                strict=True,
            )
        )
        await _nothing_happened_twice(registry, before, asked)

    for request_id, heard in again.items():
        assert heard.code is grpc.StatusCode.OK, heard
        if told[request_id].code is grpc.StatusCode.OK:
            assert heard.answer == told[request_id].answer
        else:
            assert told[request_id].code is grpc.StatusCode.UNAVAILABLE
    assert Counter(heard.code for heard in told.values())[grpc.StatusCode.UNAVAILABLE] >= 1


async def _load_until_killed(
    process: Any, target: str, authority: Authority, *, acknowledged: int
) -> tuple[dict[str, Any], Told]:
    """Ask for drafts until so many were made; kill the server with others under way."""
    asked: dict[str, Any] = {}
    told: Told = {}
    credentials = authority.issue_client(ADMIN)

    async def ask() -> None:
        async with secure_channel(target, authority, credentials) as channel:
            while process.returncode is None:
                request = api.CreateDraftRequest(parent=DIGITS, request_id=str(uuid.uuid4()))
                asked[request.request_id] = request
                heard = told[request.request_id] = await hear(channel, "CreateDraft", request)
                if heard.code is not grpc.StatusCode.OK:
                    return
                if len(told) == acknowledged:
                    process.kill()

    await asyncio.gather(*(ask() for _ in range(CALLERS)))
    return asked, told


async def _nothing_happened_twice(registry: Registry, before: int, asked: dict[str, Any]) -> None:
    newest = await registry.stores.facts.wait_past(-1, 0)
    async with registry.stores.facts.read() as reader:
        events, _ = await reader.events.since(
            before + 1, name_prefix="", among=None, limit=len(asked) + CALLERS
        )
    assert newest - before == len(asked) == len(events)
    assert len({event.name for event in events}) == len(asked)
