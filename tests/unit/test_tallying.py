"""Refusals past a rate are counted, and the count is on record: none is lost, none told twice."""

import asyncio
from collections import Counter

import pytest

from assay_server.domain.audit import AuditEntry, Phase
from assay_server.domain.errors import AuditUnavailable
from assay_server.domain.rates import Rate
from assay_server.transport.interceptors import tallying
from assay_server.transport.interceptors.tallying import Tallied
from tests.contract.store.registries import TickingClock, make_entry
from tests.services.registry import CountingIds

BURST = 10


class Trail:
    """What was recorded; it can be full."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.is_full = False
        self.is_late = False

    async def record(self, entry: AuditEntry) -> None:
        await asyncio.sleep(0)
        if self.is_full:
            raise AuditUnavailable
        if entry.entry_id not in {known.entry_id for known in self.entries}:
            self.entries.append(entry)
        if self.is_late:
            raise AuditUnavailable

    def counts(self) -> Counter[tuple[str, str]]:
        """How many entries there were, or are stood for, by certificate and reason."""
        found: Counter[tuple[str, str]] = Counter()
        for entry in self.entries:
            found[entry.certificate_sha256, entry.reason] += entry.entry_count
        return found


class Bench:
    def __init__(self) -> None:
        self.trail = Trail()
        self.now_s = 0.0
        self.tallied = Tallied(
            self.trail,
            TickingClock(),
            CountingIds(),
            singly=Rate(1, BURST),
            seconds=lambda: self.now_s,
        )

    async def refuse(self, times: int, certificate: str = "a", reason: str = "DENIED") -> None:
        for _ in range(times):
            entry = make_entry(certificate_sha256=certificate, reason=reason)
            await self.tallied.record_refusal([entry])


async def test_a_flood_of_one_certificate_is_a_few_entries_that_add_up() -> None:
    bench = Bench()

    await bench.refuse(500)
    await bench.refuse(3, "b")
    await bench.tallied.tell()
    await bench.tallied.tell()

    assert bench.trail.counts() == {("a", "DENIED"): 500, ("b", "DENIED"): 3}
    assert len(bench.trail.entries) == BURST + 1 + 3
    last = bench.trail.entries[-1]
    assert (last.entry_count, last.method, last.call_id) == (500 - BURST, "", "")
    assert len({entry.entry_id for entry in bench.trail.entries}) == len(bench.trail.entries)


async def test_reasons_are_counted_apart_and_the_bucket_fills_again() -> None:
    bench = Bench()

    await bench.refuse(BURST + 2)
    await bench.refuse(4, reason="EXPIRED")
    await bench.tallied.tell()
    bench.now_s += 3
    await bench.refuse(5)
    await bench.tallied.tell()

    assert bench.trail.counts() == {("a", "DENIED"): BURST + 7, ("a", "EXPIRED"): 4}
    assert [entry.entry_count for entry in bench.trail.entries[BURST:]] == [2, 4, 1, 1, 1, 2]


async def test_a_count_that_cannot_be_recorded_is_kept_and_grows() -> None:
    bench = Bench()
    await bench.refuse(BURST + 20)

    bench.trail.is_full = True
    await asyncio.gather(bench.tallied.tell(), bench.refuse(30))
    bench.trail.is_full = False
    await bench.tallied.tell()

    assert bench.trail.counts() == {("a", "DENIED"): BURST + 50}


async def test_a_count_that_came_too_late_to_be_sure_of_is_not_counted_again() -> None:
    bench = Bench()
    await bench.refuse(BURST + 20)

    bench.trail.is_late = True
    await asyncio.gather(bench.tallied.tell(), bench.refuse(30))
    await bench.tallied.tell()
    bench.trail.is_late = False
    await bench.tallied.tell()
    await bench.tallied.tell()

    assert bench.trail.counts() == {("a", "DENIED"): BURST + 50}
    assert len(bench.trail.entries) == BURST + 2


async def test_a_telling_that_is_cancelled_loses_no_count() -> None:
    bench = Bench()
    await bench.refuse(BURST + 20)
    bench.trail.is_full = True

    telling = asyncio.create_task(bench.tallied.tell())
    await asyncio.sleep(0)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    bench.trail.is_full = False
    await bench.tallied.tell()

    assert bench.trail.counts() == {("a", "DENIED"): BURST + 20}


async def test_the_two_entries_of_a_stream_are_one_call() -> None:
    bench = Bench()

    for _ in range(BURST + 20):
        opened, closed = (
            make_entry(certificate_sha256="a", reason=reason, phase=phase)
            for reason, phase in (("", Phase.OPENED), ("DENIED", Phase.CLOSED))
        )
        await bench.tallied.record_refusal([opened, closed])
    await bench.tallied.tell()

    *pairs, rest = bench.trail.entries
    assert [entry.phase for entry in pairs] == [Phase.OPENED, Phase.CLOSED] * BURST
    assert (rest.entry_count, rest.reason) == (20, "DENIED")


async def test_more_certificates_than_are_remembered_are_on_record_singly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tallying, "HOLDERS_REMEMBERED", 2)
    bench = Bench()

    for certificate in "abc":
        await bench.refuse(BURST + 5, certificate)
    before = len(bench.trail.entries)
    await bench.tallied.tell()

    assert bench.trail.counts() == {(name, "DENIED"): BURST + 5 for name in "abc"}
    assert before == 3 * BURST + 5
