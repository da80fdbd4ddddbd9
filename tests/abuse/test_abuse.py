"""Hostile clients beside polite ones, who notice nothing. ``make abuse`` does it for longer."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.abuse import attacks
from tests.abuse.attacks import Attack
from tests.abuse.victim import Victim, politely, standing
from tests.pki import Authority
from tests.wire.registry import settings

FACTOR = int(os.environ.get("ASSAY_ABUSE", "1"))
POLITE = 4
GROWTH_MIB_MAX = 64
"""A bomb alone would be 64 MiB; what the allocator keeps of many small things is less."""


@dataclass(frozen=True)
class Case:
    """An attack: how often in a short run, how often at most, and how many the server must end.

    ``each_kib`` is what each holds that is open at the same time as all others.
    """

    attack: Attack
    count: int
    count_max: int
    is_counted: bool = True
    each_kib: int = 0


CASES = (
    Case(attacks.rapid_reset, 2000, 100_000),
    Case(attacks.slow_loris, 40, 90),
    Case(attacks.stalled_watchers, 40, 400),
    Case(attacks.connection_flood, 100, 2000, each_kib=64),  # a handshake that waits
    Case(attacks.large_metadata, 3, 100),
    Case(attacks.gzip_bomb, 5, 200),
    Case(attacks.ping_flood, 2, 20),
    Case(attacks.call_flood, 1000, 50_000, is_counted=False),
)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Victim]:
    """One server for all attacks: what one leaves behind, the next finds."""
    config = settings(
        tmp_path_factory.mktemp("victim"),
        authority,
        upload_idle_s=1.0,
        handshake_timeout_s=1.0,
        calls_per_principal_per_s=200,
        calls_at_once_per_principal_max=400,
    )
    with standing(config, authority) as running:
        asyncio.run(_found(running))
        yield running


async def _found(victim: Victim) -> None:
    async with victim.client() as client:
        await client.create_namespace("vision")
        await client.create_model("vision/digits")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.attack.__name__)
async def test_polite_clients_notice_nothing_of(case: Case, victim: Victim, tmp_path: Path) -> None:
    count = min(case.count * FACTOR, case.count_max)
    over = asyncio.Event()
    cpu_s, resident_mib = victim.cpu_s, victim.resident_mib
    clients = [victim.client() for _ in range(POLITE)]
    polite = [asyncio.create_task(politely(client, over)) for client in clients]
    try:
        done = await case.attack(victim, tmp_path, count)
    finally:
        over.set()
    calls = await asyncio.gather(*polite)
    for client in clients:
        await client.close()

    growth_mib = victim.resident_mib - resident_mib
    print(  # noqa: T201
        f"{case.attack.__name__}: {count} tried, {done} counted, {sum(calls)} polite calls, "
        f"0 errors, server CPU {victim.cpu_s - cpu_s:.1f} s, "
        f"RSS {resident_mib:.0f} -> {resident_mib + growth_mib:.0f} MiB"
    )
    assert sum(calls) > 0
    assert growth_mib < GROWTH_MIB_MAX + count * case.each_kib / 1024
    if case.is_counted:
        assert done >= min(count, 90)
    else:
        assert 0 < done < count
