"""Whichever call of a store fails: a change is made whole or not at all, and once if repeated.

Every RPC that changes something is asked again and again under one request id, while the first,
the second, the third … thing that it asks of its stores goes wrong, until nothing does.
"""

import os
import random
import time
import uuid

import grpc
import pytest

from assay_server.config import Config
from tests.faults.benches import opened
from tests.faults.failing import Fault
from tests.faults.histories import report
from tests.pki import Authority
from tests.wire.calling import hear
from tests.wire.mutations import MUTATIONS, Case

OK, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE
STEPS_MAX = 100
SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
SOME = int(os.environ.get("ASSAY_RPCS", "3"))
"""RPCs that are tried on PostgreSQL, which takes longer; on SQLite all are."""


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
            await bench.require_once(method, request, heard, before)
    report(f"seed {SEED}: {spoiled} calls of stores refused, {unheard} after the commit")
    assert unheard == len(_cases(config))
    assert {"commit refused", "blobs.commit", "uploads.save"} <= reached


def _cases(config: Config) -> list[tuple[str, Case]]:
    if config.store.url.startswith("sqlite"):
        return list(MUTATIONS.items())
    names = random.Random(SEED).sample(sorted(MUTATIONS), min(SOME, len(MUTATIONS)))
    return [(name, MUTATIONS[name]) for name in {*names, "CommitUpload"}]
