"""Certificates of the server and authorities of clients are replaced under load, unnoticed."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest_asyncio

from assay.v1 import access_service_pb2 as access
from assay.v1 import access_service_pb2_grpc
from tests.pki import Authority, Credentials
from tests.wire.registry import Registry, open_registry, principal, settings

ROTATIONS = 100
ROOT_EVERY = 10
CLIENTS = 3
PATIENCE_S = 60.0


@dataclass
class Load:
    """Calls, each on a connection and so a handshake of its own, until someone says stop."""

    target: str
    trusted: bytes
    credentials: Credentials
    answered: int = 0
    is_over: bool = False
    in_use: list[Credentials] = field(default_factory=list)

    async def call(self) -> None:
        held = self.credentials
        self.in_use.append(held)
        async with grpc.aio.secure_channel(
            self.target,
            grpc.ssl_channel_credentials(self.trusted, held.private_key, held.certificate),
            options=[("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)],
        ) as channel:
            stub: Any = access_service_pb2_grpc.AccessServiceStub(channel)
            await stub.WhoAmI(access.WhoAmIRequest(), timeout=PATIENCE_S)
        self.in_use.remove(held)
        self.answered += 1

    async def go_on(self) -> None:
        while not self.is_over:
            await self.call()

    async def more(self, count: int) -> None:
        """Wait until so many more were answered."""
        wanted = self.answered + count
        await _until(lambda: self.answered >= wanted)

    async def change(self, credentials: Credentials) -> None:
        """Use these from now on, and wait for the calls that are made with others."""
        self.credentials = credentials
        await _until(lambda: all(held is credentials for held in self.in_use))


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for wait_s in itertools.repeat(0.001):
            if is_so():
                return
            await asyncio.sleep(wait_s)


@pytest_asyncio.fixture
async def registry(tmp_path: Path, authority: Authority) -> AsyncIterator[Registry]:
    async with open_registry(settings(tmp_path, authority), authority) as running:
        yield running


async def test_no_call_fails_while_leaves_and_roots_are_replaced(
    registry: Registry, authority: Authority, tmp_path: Path
) -> None:
    authorities = [authority, Authority.create("The next authority")]
    tls = registry.config.tls
    assert tls.certificate is not None
    assert tls.private_key is not None
    assert tls.client_authorities is not None
    everyone = b"".join(one.certificate for one in authorities)
    load = Load(registry.running.target, everyone, authority.issue_client(principal("ann")))
    calling = [asyncio.create_task(load.go_on()) for _ in range(CLIENTS)]

    for rotation in range(1, ROTATIONS + 1):
        generation = (rotation // ROOT_EVERY) % 2
        if rotation % ROOT_EVERY == 0:
            tls.client_authorities.write_bytes(everyone)
            # One of so many began after that, so that its handshake has read the file: below,
            # half a certificate keeps what was read last in force.
            await load.more(CLIENTS + 1)
            await load.change(authorities[generation].issue_client(principal("ann")))
            tls.client_authorities.write_bytes(authorities[generation].certificate)
        leaf = authorities[generation].issue_server()
        tls.certificate.write_bytes(leaf.certificate[: len(leaf.certificate) // 2])
        await load.more(1)
        tls.certificate.write_bytes(leaf.certificate)
        tls.private_key.write_bytes(leaf.private_key)
        await load.more(1)
        assert not any(task.done() for task in calling)

    load.is_over = True
    await asyncio.gather(*calling)
    assert load.answered >= 2 * ROTATIONS
