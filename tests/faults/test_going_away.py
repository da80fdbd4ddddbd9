"""A caller goes away at whatever its change is doing: it is made once or not at all, and on record.

Every RPC that changes something is asked while the first, the second, the third … thing that it
asks of its stores hangs, commits among them. Meanwhile its client hangs up, or its deadline
passes, or the server loses patience and ends the call. Its request id tells what came of it.
"""

import asyncio
import os
import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import grpc
import pytest

from assay_server.config import Config
from assay_server.transport.interceptors import around
from tests.faults.benches import Bench, opened, until
from tests.faults.failing import Fault
from tests.faults.histories import report
from tests.pki import Authority
from tests.wire.calling import CALL_S, Heard, hear
from tests.wire.mutations import MUTATIONS

OK = grpc.StatusCode.OK
LATE = grpc.StatusCode.DEADLINE_EXCEEDED
SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
SOME = int(os.environ.get("ASSAY_RPCS", "3"))
"""RPCs that are tried, beside the one with most steps."""
STEPS_MAX = 100
DEADLINE_S = 0.05
ENDED = around._ended


class Leaving(StrEnum):
    """How a call loses its caller."""

    HANGS_UP = "the client cancels"
    IS_LATE = "the deadline passes"
    IS_ENDED = "the client cancels, and the server waits for nothing"


@dataclass
class Server:
    """What the server knows of the caller of the call that hangs."""

    bench: Bench
    is_patient: bool
    _knows: bool = False

    async def ended(self, task: "asyncio.Future[Any]", *, within_s: float) -> None:
        """In the place of what a server does with a change whose caller went away."""
        self._knows = True
        await ENDED(task, within_s=within_s if self.is_patient else 0.0)

    async def knows(self) -> None:
        """Wait until it knows that nobody waits, and has acted upon it."""
        await until(self._has_acted)
        self._knows = False

    def _has_acted(self) -> bool:
        caller = self.bench.failing.caller
        assert caller is not None
        return bool(caller.done() or caller.cancelling() or (self._knows and self.is_patient))


@dataclass(frozen=True)
class Left:
    """A call, and what was heard of it; None where its caller went away."""

    request: Any
    before: int
    heard: Heard | None


@pytest.mark.parametrize("leaving", Leaving)
async def test_whenever_a_caller_goes_away_its_change_is_made_once_or_not_at_all(
    config: Config, authority: Authority, monkeypatch: pytest.MonkeyPatch, leaving: Leaving
) -> None:
    reached: Counter[str] = Counter()
    asked: dict[str, int] = {}
    done = 0
    async with opened(config, authority, monkeypatch) as bench:
        server = Server(bench, is_patient=leaving is not Leaving.IS_ENDED)
        monkeypatch.setattr(around, "_ended", server.ended)
        for method in _methods():
            for number in range(1, STEPS_MAX):
                left = await _left(server, method, number, leaving)
                at = (method, number, bench.failing.reached)
                again = await hear(bench.channel, method, left.request)
                assert again.code is OK, (at, again)
                await bench.require_once(method, left.request, again, left.before)
                if left.heard is not None:
                    assert left.heard == again, at
                    break
                reached[bench.failing.reached] += 1
                asked[left.request.request_id] = 3
                done += await _was_done(bench, left.request.request_id)
            assert number > 2, f"{method} asks nothing of its stores"
        await _each_is_on_record_once(bench, asked)
    report(
        f"seed {SEED}: {leaving}, at {reached.total()} calls of stores: {done} changes were "
        f"made all the same, {reached.total() - done} by the retry"
    )
    assert reached["commit refused"] == reached["commit unheard of"] == len(_methods())
    assert done >= len(_methods())


def _methods() -> list[str]:
    names = random.Random(SEED).sample(sorted(MUTATIONS), min(SOME, len(MUTATIONS)))
    return sorted({*names, "CommitUpload"})


async def _left(server: Server, method: str, number: int, leaving: Leaving) -> Left:
    """Ask for a change whose ``number``-th step hangs, and leave it there."""
    within_s = DEADLINE_S if leaving is Leaving.IS_LATE else CALL_S
    while True:
        bench = server.bench
        request = await MUTATIONS[method](bench.shop)
        request.request_id = str(uuid.uuid4())
        before = await bench.newest()
        bench.failing.arm(number, Fault.SLOW)
        calling = asyncio.create_task(hear(bench.channel, method, request, within_s=within_s))
        arriving = asyncio.create_task(bench.failing.arrived())
        await asyncio.wait((calling, arriving), return_when=asyncio.FIRST_COMPLETED)
        heard = await _gone(server, calling, leaving) if arriving.done() else await calling
        arriving.cancel()
        bench.failing.disarm()
        bench.failing.release()
        if heard is None or heard.code is not LATE:
            return Left(request, before, heard)
        # The machine is slow: it was late before anything hung. What was begun ends first.
        within_s *= 2
        assert (await hear(bench.channel, method, request)).code is OK


async def _gone(server: Server, calling: "asyncio.Task[Heard]", leaving: Leaving) -> None:
    """Go away, and wait until the server has noticed."""
    if leaving is not Leaving.IS_LATE:
        calling.cancel()
    await asyncio.wait((calling,))
    await server.knows()


async def _was_done(bench: Bench, request_id: str) -> bool:
    """Whether the call that was left made the change, and not the one after it."""
    entries = await bench.entries_of(request_id, at_least=3)
    return all(entry.status == "OK" for entry in entries)


async def _each_is_on_record_once(bench: Bench, asked: dict[str, int]) -> None:
    """As many entries as calls, each of another call: none is missing, none came twice."""
    entries = [entry for entry in await bench.all_entries() if entry.request_id in asked]
    assert Counter(entry.request_id for entry in entries) == asked
    assert len({entry.call_id for entry in entries}) == len(entries)
