"""The power is cut under load: what was acknowledged is on the disk, bytes and facts."""

import asyncio
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.checking import problems
from tests.faults.evidence import gather
from tests.faults.histories import History, Stubs, channel_to, report
from tests.faults.power import Rig, postgres, rig, sqlite
from tests.faults.serving import Nursery, Place
from tests.faults.workload import Crowd

SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
CUTS = int(os.environ.get("ASSAY_CUTS", "2"))
CUTS_IN_A_RUN = 6
CLIENTS = 8


@dataclass(frozen=True)
class Cut:
    """A copy of the disks, and what the clients knew when it was made."""

    name: str
    history: History


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_a_cut_of_power_loses_nothing_that_was_acknowledged(
    request: pytest.FixtureRequest, nursery: Nursery, tmp_path: Path, database: str
) -> None:
    facts, cuts = sqlite, CUTS
    if database == "postgres":  # which has to be started for every look
        facts, cuts = postgres(request.getfixturevalue("postgres_binaries")), (CUTS + 3) // 4
    with rig(facts) as machine:
        await _cut_and_look(nursery, machine, tmp_path / "server.log", cuts)


async def _cut_and_look(nursery: Nursery, rig: Rig, log: Path, cuts_wanted: int) -> None:
    crowd, chance = Crowd(size=CLIENTS, seed=SEED), random.Random(SEED)
    acknowledged = files = resolved = 0
    wrong: list[str] = []
    for done in range(0, cuts_wanted, CUTS_IN_A_RUN):
        with rig.running() as place:
            cuts = await _cut(
                nursery,
                rig,
                place,
                log,
                crowd,
                chance,
                count=min(CUTS_IN_A_RUN, cuts_wanted - done),
            )
        for cut in cuts:
            with rig.after(cut.name) as place:
                server = nursery.start(place, log)
                try:
                    async with channel_to(server.target) as channel:
                        resolved += await cut.history.resolve(Stubs(channel))
                    found = await gather(server.target)
                finally:
                    server.kill()
            acknowledged += len(cut.history.acknowledged())
            files += found.blobs
            wrong += [f"{cut.name}: {one}" for one in problems(cut.history, crowd.known, found)]
    report(
        f"seed {SEED}: {cuts_wanted} cuts of power, {acknowledged} answers held against them, "
        f"{resolved} resolved by their request id, {files} files read"
    )
    assert not wrong, "\n".join(wrong)


async def _cut(
    nursery: Nursery,
    rig: Rig,
    place: Place,
    log: Path,
    crowd: Crowd,
    chance: random.Random,
    *,
    count: int,
) -> list[Cut]:
    """Work, and cut the power some times: at random, or just after a version was acknowledged."""
    server = nursery.start(place, log)
    cuts = []
    try:
        if not crowd.history.operations:
            await crowd.found(server.target)
        for _ in range(count):
            stop = asyncio.Event()
            working = asyncio.create_task(crowd.work([server.target], stop))
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            if chance.random() < 0.5:
                stop.set()
                await working
                await crowd.push_one(server.target)
            began = time.monotonic()
            name = await asyncio.to_thread(rig.cut)
            cuts.append(Cut(name, crowd.history.cut(began, time.monotonic())))
            stop.set()
            await working
    finally:
        server.kill()
    return cuts
