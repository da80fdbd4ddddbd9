"""Whichever call of a store fails: a change is made whole or not at all, and once if repeated.

Every RPC that changes something is asked again and again under one request id, while the first,
the second, the third … thing that it asks of its stores goes wrong, until nothing does.
"""

import asyncio
import os
import random
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from assay_server.app import serving
from assay_server.config import Config
from assay_server.config.settings import StoreSection
from assay_server.domain.audit import AuditFilter
from assay_server.domain.calls import Page
from tests.faults.failing import Failing, Fault
from tests.faults.histories import report
from tests.pki import Authority
from tests.wire.calling import Heard, hear
from tests.wire.mutations import MUTATIONS, Case, Workshop
from tests.wire.publication import Team
from tests.wire.registry import Registry, Stubs, open_registry, settings
from tests.wire.transfers import Transfers

OK, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE
STEPS_MAX = 100
SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
SOME = int(os.environ.get("ASSAY_RPCS", "3"))
"""RPCs that are tried on PostgreSQL, which takes longer; on SQLite all are."""


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority) -> Config:
    """A registry on each database in turn."""
    made = settings(tmp_path, authority, access_fresh_s=0.0)
    if request.param == "sqlite":
        return made
    return replace(made, store=StoreSection(url=request.getfixturevalue("postgres_url")))


@dataclass
class Bench:
    """A registry that fails on demand."""

    registry: Registry
    channel: grpc.aio.Channel
    shop: Workshop
    failing: Failing

    async def newest(self) -> int:
        return await self.registry.stores.facts.wait_past(-1, 0)

    async def changes_audited(self, request_id: str) -> list[tuple[str, int]]:
        """Status and revision of the entries that speak of a change under this id."""
        found = await self.registry.stores.trail.list(AuditFilter(), Page(200))
        return [
            (entry.status, entry.revision)
            for entry in found.items
            if entry.request_id == request_id and entry.revision
        ]


@asynccontextmanager
async def opened(
    config: Config, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    failing = Failing()
    monkeypatch.setattr(serving, "open_stores", failing.open_stores)
    async with open_registry(config, authority) as registry, registry.channel() as channel:
        files, stubs = Transfers(channel), Stubs(channel)
        await files.found()
        shop = Workshop(stubs, Team(stubs, stubs, stubs, files))
        yield Bench(registry, channel, shop, failing)


async def test_whichever_call_fails_nothing_is_done_by_halves_and_a_retry_does_it_once(
    config: Config, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled = unheard = 0
    reached: set[str] = set()
    async with opened(config, authority, monkeypatch) as bench:
        for method, case in _cases(config):
            request = await case(bench.shop)
            request.request_id = str(uuid.uuid4())
            before = await bench.newest()
            for number in range(1, STEPS_MAX):
                since = await bench.newest()
                bench.failing.arm(number, Fault.ERROR)
                heard = await hear(bench.channel, method, request)
                bench.failing.disarm()
                if not bench.failing.reached:
                    break
                spoiled += 1
                reached.add(bench.failing.reached)
                at = (method, number, bench.failing.reached)
                assert heard.code is UNAVAILABLE, (at, heard)
                is_done = bench.failing.reached == "commit unheard of"
                unheard += is_done
                assert await bench.newest() == since + is_done, at
            assert number > 2, f"{method} asks nothing of its stores"
            assert heard.code is OK, (method, heard)
            await _require_once(bench, method, request, heard, before)
    report(f"seed {SEED}: {spoiled} calls of stores refused, {unheard} after the commit")
    assert unheard == len(_cases(config))
    assert {"commit refused", "blobs.commit", "uploads.save"} <= reached


async def test_a_caller_who_goes_away_leaves_nothing_by_halves(
    config: Config, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 0
    async with opened(config, authority, monkeypatch) as bench:
        for method, case in _cases(config):
            request = await case(bench.shop)
            request.request_id = str(uuid.uuid4())
            before = await bench.newest()
            for number in range(1, STEPS_MAX):
                bench.failing.arm(number, Fault.SLOW)
                calling = asyncio.create_task(hear(bench.channel, method, request))
                arriving = asyncio.create_task(bench.failing.arrived())
                await asyncio.wait((calling, arriving), return_when=asyncio.FIRST_COMPLETED)
                calling.cancel() if arriving.done() else arriving.cancel()
                await asyncio.wait((calling, arriving))
                bench.failing.release()
                bench.failing.disarm()
                left += calling.cancelled()
                if await bench.newest() > before or not bench.failing.reached:
                    break
            heard = await hear(bench.channel, method, request)
            assert heard.code is OK, (method, heard)
            await _require_once(bench, method, request, heard, before)
    report(f"seed {SEED}: {left} callers went away")
    assert left > len(_cases(config))


def _cases(config: Config) -> list[tuple[str, Case]]:
    if config.store.url.startswith("sqlite"):
        return list(MUTATIONS.items())
    names = random.Random(SEED).sample(sorted(MUTATIONS), min(SOME, len(MUTATIONS)))
    return [(name, MUTATIONS[name]) for name in {*names, "CommitUpload"}]


async def _require_once(bench: Bench, method: str, request: Any, heard: Heard, before: int) -> None:
    """The change was made once, has one entry, and whoever asks again gets the same answer."""
    again = await hear(bench.channel, method, request)
    assert again.answer == heard.answer, method
    assert heard.answer.revision == await bench.newest() == before + 1, (method, heard)
    audited = await bench.changes_audited(request.request_id)
    assert audited == [("OK", before + 1)], (method, audited)
