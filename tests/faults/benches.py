"""A whole registry in this process whose stores fail on demand, and what is known of its past."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from assay_server.app import serving
from assay_server.config import Config
from assay_server.domain.audit import AuditEntry, AuditFilter
from assay_server.domain.calls import Page
from tests.faults.failing import Failing
from tests.pki import Authority
from tests.wire.calling import Heard, hear
from tests.wire.mutations import Workshop
from tests.wire.publication import Team
from tests.wire.registry import Registry, Stubs, open_registry
from tests.wire.transfers import Transfers

WAIT_S = 60.0
NEWEST = 200
"""Entries that are looked at: more than one request ever leaves."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what tells nobody when it comes."""
    async with asyncio.timeout(WAIT_S):
        for wait_s in itertools.repeat(0.001):
            if condition():
                return
            await asyncio.sleep(wait_s)


@dataclass
class Bench:
    """A registry that fails on demand."""

    registry: Registry
    channel: grpc.aio.Channel
    shop: Workshop
    failing: Failing

    async def newest(self) -> int:
        return await self.registry.stores.facts.wait_past(-1, 0)

    async def entries_of(self, request_id: str, *, at_least: int = 1) -> list[AuditEntry]:
        """What is on record of the calls under this id: those of the cancelled come late."""
        async with asyncio.timeout(WAIT_S):
            for wait_s in itertools.repeat(0.01):
                found = await self.registry.stores.trail.list(AuditFilter(), Page(NEWEST))
                its_own = [entry for entry in found.items if entry.request_id == request_id]
                if len(its_own) >= at_least:
                    return its_own
                await asyncio.sleep(wait_s)
        raise AssertionError

    async def all_entries(self) -> list[AuditEntry]:
        entries: list[AuditEntry] = []
        after = None
        while True:
            found = await self.registry.stores.trail.list(AuditFilter(), Page(NEWEST, after))
            entries += found.items
            if (after := found.next_after) is None:
                return entries

    async def require_once(self, method: str, request: Any, heard: Heard, before: int) -> None:
        """The change was made once, has one entry, and who asks again gets the same answer."""
        again = await hear(self.channel, method, request)
        assert again.answer == heard.answer, method
        assert heard.answer.revision == await self.newest() == before + 1, (method, heard)
        audited = [
            (entry.status, entry.revision)
            for entry in await self.entries_of(request.request_id)
            if entry.revision
        ]
        assert audited == [("OK", before + 1)], (method, audited)


@asynccontextmanager
async def opened(
    config: Config, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    """Serve with stores that fail on demand, and make the model that the workshop works on."""
    failing = Failing()
    monkeypatch.setattr(serving, "open_stores", failing.open_stores)
    async with open_registry(config, authority) as registry, registry.channel() as channel:
        files, stubs = Transfers(channel), Stubs(channel)
        await files.found()
        shop = Workshop(stubs, Team(stubs, stubs, stubs, files))
        yield Bench(registry, channel, shop, failing)
