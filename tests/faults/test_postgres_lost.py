"""PostgreSQL ends sessions, crashes and restarts under two servers: they go on by themselves."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from assay_server.app.clock import SystemClock
from assay_server.sqlstore.opening import open_store
from tests.faults.checking import problems
from tests.faults.evidence import gather
from tests.faults.histories import PersistentHistory, report
from tests.faults.serving import Nursery, Place
from tests.faults.watchers import Watcher
from tests.faults.workload import Crowd
from tests.postgres import PostgresCluster
from tests.wire.watching import Recording, history, require_promises

SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
LOSSES = int(os.environ.get("ASSAY_LOSSES", "4"))
CLIENTS = 12
ANSWERS = 30
"""Calls that must be answered after a loss before the next one comes."""
WAIT_S = 120.0


@pytest.fixture
def cluster(postgres_binaries: Path) -> Iterator[PostgresCluster]:
    """A PostgreSQL of this test's own, as durable as it is shipped."""
    one = PostgresCluster(postgres_binaries, durable=True)
    try:
        one.start()
        yield one
    finally:
        one.stop()


class Losses:
    """What a PostgreSQL does to those who are connected to it."""

    def __init__(self, cluster: PostgresCluster, database: str, chance: random.Random) -> None:
        self._cluster = cluster
        self._ours = f"datname = '{database}' and pid <> pg_backend_pid()"
        self._chance = chance
        self.kinds: tuple[Callable[[], None], ...] = (
            self.some_sessions_ended,
            self.all_sessions_ended,
            self.a_session_killed,
            self.restarted_at_once,
        )

    def some_sessions_ended(self) -> None:
        """As by an administrator: ``pg_terminate_backend``."""
        self._end("random() < 0.5")

    def all_sessions_ended(self) -> None:
        self._end("true")

    def a_session_killed(self) -> None:
        """Kill -9 of one: PostgreSQL ends all others and recovers from its log."""
        working = f"select pid from pg_stat_activity where {self._ours}"
        pids = self._cluster.psql(working).split()
        os.kill(int(self._chance.choice(pids)), signal.SIGKILL)

    def restarted_at_once(self) -> None:
        """An immediate stop, which is a crash, and a new start some seconds later."""
        self._cluster.crash()

    def _end(self, which: str) -> None:
        ending = "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        assert self._cluster.psql(f"{ending} where {self._ours} and {which}") != "0"


async def test_a_postgres_that_is_lost_costs_unavailable_and_nothing_else(
    nursery: Nursery, cluster: PostgresCluster, tmp_path: Path
) -> None:
    database = cluster.create_database()
    losses = Losses(cluster, database, random.Random(SEED))
    place = Place(cluster.url(database), tmp_path / "blobs")
    logs = [tmp_path / f"server-{number}.log" for number in range(2)]
    servers = [nursery.start(place, log) for log in logs]
    targets = [server.target for server in servers]
    told = PersistentHistory()
    crowd = Crowd(size=CLIENTS, seed=SEED, history=told)
    recordings: list[Recording] = []
    watchers = [Watcher(lambda to=to: to, "", recordings) for to in targets]
    stop, over = asyncio.Event(), [0]
    try:
        await crowd.found(targets[0])
        following = [
            asyncio.create_task(one.follow(lambda last: 0 < over[0] <= last)) for one in watchers
        ]
        working = asyncio.create_task(crowd.work(targets, stop))
        for number in range(LOSSES):
            await _answered(told, working)
            await asyncio.to_thread(losses.kinds[number % len(losses.kinds)])
        await _answered(told, working)
        stop.set()
        await working
        found = await gather(targets[1])
        over[0] = found.revision
        async with asyncio.timeout(WAIT_S):
            await asyncio.gather(*following)
    finally:
        for server in servers:
            server.kill()
    store = await open_store(place.url, SystemClock())
    try:
        delivered = require_promises(recordings, await history(store.metadata))
    finally:
        await store.close()
    report(
        f"seed {SEED}: PostgreSQL was lost {LOSSES} times under 2 servers, "
        f"{len(told.acknowledged())} calls acknowledged, {told.refusals.total()} told to come "
        f"again, {found.revision} revisions, {found.blobs} files read, {delivered} events "
        f"delivered by watches that broke {sum(one.breaks for one in watchers)} times"
    )
    others = {
        one: n for one, n in told.refusals.items() if one[1] is not grpc.StatusCode.UNAVAILABLE
    }
    assert not others, f"only UNAVAILABLE tells of a lost database: {others}"
    assert told.refusals.total() > 0, "nobody was in a call when PostgreSQL was lost"
    wrong = problems(told, crowd.known, found)
    assert not wrong, "\n".join(wrong)


async def _answered(told: PersistentHistory, working: "asyncio.Task[None]") -> None:
    """Wait until some calls more were answered, as after a loss that is over."""
    enough = told.answered + ANSWERS
    async with asyncio.timeout(WAIT_S):
        while told.answered < enough:
            assert not working.done(), working.result()
            await asyncio.sleep(0.05)
