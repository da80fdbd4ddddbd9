"""kill -9 of the whole server under load: what was acknowledged is there, and nothing by halves."""

import asyncio
import os
import random
import time
from pathlib import Path

from tests.faults.checking import problems
from tests.faults.evidence import gather
from tests.faults.histories import Stubs, channel_to, report
from tests.faults.serving import Nursery, Place, ServerProcess
from tests.faults.workload import Crowd

SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
KILLS = int(os.environ.get("ASSAY_KILLS", "2"))
CLIENTS = 12


async def test_kill_9_loses_nothing_that_was_acknowledged(
    nursery: Nursery, place: Place, tmp_path: Path
) -> None:
    crowd, chance = Crowd(size=CLIENTS, seed=SEED), random.Random(SEED)
    resolved = 0
    server = nursery.start(place, tmp_path / "server.log")
    try:
        await crowd.found(server.target)
        for _ in range(KILLS):
            await _killed_at_random(server, crowd, chance)
            server = nursery.start(place, tmp_path / "server.log")
            async with channel_to(server.target) as channel:
                resolved += await crowd.history.resolve(Stubs(channel))
        found = await gather(server.target)
    finally:
        server.kill()
    report(
        f"seed {SEED}: {KILLS} kills, {len(crowd.history.acknowledged())} calls acknowledged, "
        f"{resolved} resolved by their request id, {found.revision} revisions, "
        f"{len(found.entries)} audit entries, {found.blobs} files read"
    )
    assert resolved > 0, "no call was in flight when the server was killed"
    wrong = problems(crowd.history, crowd.known, found)
    assert not wrong, "\n".join(wrong)


async def _killed_at_random(server: ServerProcess, crowd: Crowd, chance: random.Random) -> None:
    working = asyncio.create_task(crowd.work([server.target], asyncio.Event()))
    await asyncio.sleep(chance.uniform(0.3, 1.2))
    server.kill()
    await working
