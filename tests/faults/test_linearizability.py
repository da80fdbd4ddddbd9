"""32 clients at once, on one server or on two: every answer fits one order, that of time."""

import asyncio
import os
import time
from pathlib import Path

from assay.v1 import watch_service_pb2 as watch_api
from tests.faults.checking import MAKERS, problems
from tests.faults.evidence import gather
from tests.faults.histories import Outcome, Stubs, channel_to, report
from tests.faults.serving import Nursery, Place
from tests.faults.workload import Crowd

SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
SECONDS = float(os.environ.get("ASSAY_HISTORY_S", "1.5"))
CLIENTS = 32


async def test_every_history_is_linearizable_and_every_watch_tells_all_of_it(
    nursery: Nursery, place: Place, tmp_path: Path
) -> None:
    crowd = Crowd(size=CLIENTS, seed=SEED)
    count = 2 if place.url.startswith("postgresql") else 1
    servers = [nursery.start(place, tmp_path / f"server-{n}.log") for n in range(count)]
    targets = [server.target for server in servers]
    try:
        await crowd.found(targets[0])
        watched = [_Watched() for _ in targets]
        watching = [
            asyncio.create_task(one.watch(target))
            for one, target in zip(watched, targets, strict=True)
        ]
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(SECONDS, stop.set)
        await crowd.work(targets, stop)
        found = await gather(targets[0])
        for one in watched:
            await one.until(found.revision)
            found.watches.append(one.told)
        for task in watching:
            task.cancel()
        await asyncio.wait(watching)
    finally:
        for server in servers:
            server.kill()
    report(
        f"seed {SEED}: {CLIENTS} clients on {count} servers, "
        f"{len(crowd.history.operations)} calls, {found.revision} revisions, "
        f"{sum(map(len, found.moves.values()))} alias moves, "
        f"{sum(map(len, found.versions.values()))} versions"
    )
    refused = {
        (one.method, one.status)
        for one in crowd.history.operations
        if one.outcome is not Outcome.ACKNOWLEDGED and one.method in MAKERS
    }
    assert not refused, f"no version has a reason to be refused: {refused}"
    wrong = problems(crowd.history, crowd.known, found)
    assert not wrong, "\n".join(wrong)


class _Watched:
    """The revisions that one watch told, as they came."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self._through = 0
        self._news = asyncio.Event()

    async def watch(self, target: str) -> None:
        async with channel_to(target) as channel:
            request = watch_api.WatchRequest(start_revision=1)
            async for message in Stubs(channel).watch.Watch(request):
                if message.events and self.told[-1:] != [message.revision]:
                    self.told.append(message.revision)
                self._through = message.revision
                self._news.set()

    async def until(self, revision: int) -> None:
        async with asyncio.timeout(60):
            while self._through < revision:
                self._news.clear()
                await self._news.wait()
