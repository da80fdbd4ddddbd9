"""What a client sent, counted by itself, is what the trail holds: no call more, no call less."""

import asyncio
import itertools
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from assay_server.config.settings import StoreSection
from assay_server.domain.audit import AuditFilter
from assay_server.domain.calls import Page
from tests.pki import Authority
from tests.wire.odd_calls import KINDS, NEVER, Kind
from tests.wire.raw_http2 import PATIENCE_S, RawCall, RawConnection, raw_connection
from tests.wire.registry import Registry, open_registry, settings

ROUNDS = int(os.environ.get("ASSAY_COUNT_ROUNDS", "1"))
SEED = int(os.environ.get("ASSAY_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
STATUS_OF = {code.value[0]: code.name for code in grpc.StatusCode}

Entries = Counter[tuple[str, str, str, str]]


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def registry(
    request: pytest.FixtureRequest, tmp_path: Path, authority: Authority
) -> AsyncIterator[Registry]:
    """A registry on each database in turn, with a namespace."""
    config = settings(tmp_path, authority)
    if request.param == "postgres":
        config = replace(config, store=StoreSection(url=request.getfixturevalue("postgres_url")))
    async with open_registry(config, authority) as running:
        async with running.stubs() as admin:
            await admin.create_namespace("vision")
        yield running


async def metrics(registry: Registry) -> dict[str, float]:
    """Each counter of calls, over all methods."""
    reader, writer = await asyncio.open_connection("127.0.0.1", registry.running.operations_port)
    writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    return {
        family.name: sum(s.value for s in family.samples if s.name.endswith("_total"))
        for family in text_string_to_metric_families(answer.partition("\r\n\r\n")[2])
    }


async def until_all(registry: Registry, what: str, count: float) -> None:
    """Wait until the server started or handled so many calls."""
    async with asyncio.timeout(PATIENCE_S):
        for wait_s in itertools.repeat(0.02):
            if (await metrics(registry))[f"grpc_server_{what}"] >= count:
                return
            await asyncio.sleep(wait_s)


async def trail(registry: Registry) -> Entries:
    """The whole trail, by principal, method, phase and status."""
    found: Entries = Counter()
    page: Page | None = Page(1000)
    while page is not None:
        listed = await registry.stores.trail.list(AuditFilter(), page)
        found.update((e.principal, e.method, e.phase.value, e.status) for e in listed.items)
        page = Page(1000, listed.next_after) if listed.next_after else None
    return found


async def answered(call: RawCall, kind: Kind) -> None:
    if kind.answered is not NEVER:
        status = await call.grpc_status()
        assert status is not None, f"{kind.name}: no status, reset with {call.reset_with}"
        assert STATUS_OF[status] == kind.answered, f"{kind.name}: {call.headers}"


async def make_all(
    connections: dict[str, RawConnection], kinds: Sequence[Kind], registry: Registry
) -> Entries:
    """Make a call of each kind, all at once; give the entries that they must leave."""
    before = await metrics(registry)
    calls = await asyncio.gather(*(kind.act(connections[kind.caller]) for kind in kinds))
    # A call that is taken back before the server took it up is no call to it.
    await until_all(registry, "started", before["grpc_server_started"] + len(kinds))
    for call, kind in zip(calls, kinds, strict=True):
        if kind.answered is NEVER:
            await connections[kind.caller].reset(call)
    await asyncio.gather(*map(answered, calls, kinds))
    await until_all(registry, "handled", before["grpc_server_handled"] + len(kinds))
    return Counter(entry for kind in kinds for entry in kind.entries)


async def test_the_trail_has_an_entry_for_each_call_sent_and_for_no_other(
    registry: Registry, authority: Authority, tmp_path: Path
) -> None:
    sys.stdout.write(f"ASSAY_SEED={SEED}: {ROUNDS} x {len(KINDS)} calls\n")
    chance, kinds, expected = random.Random(SEED), list(KINDS), await trail(registry)
    handled = (await metrics(registry))["grpc_server_handled"]
    async with AsyncExitStack() as stack:
        connections = {
            caller: await stack.enter_async_context(
                raw_connection(
                    registry.running.target, authority, authority.issue_client(caller), tmp_path
                )
            )
            for caller in sorted({kind.caller for kind in KINDS})
        }
        for _ in range(ROUNDS):
            chance.shuffle(kinds)
            expected += await make_all(connections, kinds, registry)

    assert await trail(registry) == expected
    assert (await metrics(registry))["grpc_server_handled"] == handled + ROUNDS * len(KINDS)
