"""The audit trail: durable before the answer, read as one, found by every field."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from assay_server.domain.audit import AuditEntry, AuditFilter, Decision, Phase
from assay_server.domain.calls import Page
from assay_server.domain.errors import AuditUnavailable
from assay_server.sqlstore.audit import KEPT, SWEPT_MAX
from assay_server.sqlstore.audit_sink import BatchingSink
from assay_server.sqlstore.opening import Store
from tests.contract.store.registries import (
    NOON,
    Database,
    add_model,
    add_namespace,
    make_entry,
    make_model,
    trail,
)


async def test_what_is_recorded_is_read_back_as_written_after_a_restart(
    database: Database,
) -> None:
    store = await database.open()
    entry = make_entry(
        decision=Decision.DENIED,
        phase=Phase.CLOSED,
        reason="ODD 'reason' \"日本\"\t",
        duration_us=2**62,
        bytes_in=1,
        bytes_out=2,
        role="admin,auditor",
        revision=3,
        time=NOON + timedelta(microseconds=1),
    )

    await store.audit_sink.record(entry)
    await database.close()

    assert await trail(await database.open()) == (entry,)


async def test_many_at_once_are_all_recorded(registry: Store) -> None:
    entries = [make_entry() for _ in range(200)]

    await asyncio.gather(*(registry.audit_sink.record(entry) for entry in entries))

    assert sorted(await trail(registry), key=lambda entry: entry.entry_id) == entries


async def test_what_is_recorded_again_is_there_once(registry: Store) -> None:
    first, second = make_entry(), make_entry()

    await registry.audit_sink.record(first)
    await asyncio.gather(*(registry.audit_sink.record(one) for one in (second, first, second)))

    assert sorted(await trail(registry), key=lambda entry: entry.entry_id) == [first, second]


async def test_changes_and_reads_are_one_trail_newest_first(registry: Store) -> None:
    await add_namespace(registry)
    late = make_entry(time=NOON + timedelta(hours=1))
    early = make_entry(time=NOON - timedelta(hours=1))
    for entry in (late, early):
        await registry.audit_sink.record(entry)
    await add_model(registry)

    entries = await trail(registry)

    assert entries[0] == late
    assert [entry.revision for entry in entries[1:3]] == [2, 1]
    assert entries[3] == early


async def test_one_entry_a_page_shows_each_entry_once_while_more_come(registry: Store) -> None:
    await add_namespace(registry)
    for number in range(6):
        await registry.audit_sink.record(make_entry(time=NOON + timedelta(hours=number // 2)))
        await add_model(registry, make_model(f"m{number}"))
    before = await trail(registry)
    seen: list[AuditEntry] = []
    page: Page | None = Page(1)

    while page is not None:
        listed = await registry.audit_reads.list(AuditFilter(), page)
        seen.extend(listed.items)
        await registry.audit_sink.record(make_entry(time=NOON + timedelta(days=1)))
        page = Page(1, listed.next_after) if listed.next_after else None

    assert tuple(seen) == before


async def test_pages_that_end_for_their_length_show_each_entry_once(registry: Store) -> None:
    await add_namespace(registry)
    await add_model(registry)
    long = [
        make_entry(time=NOON + timedelta(hours=1 - 2 * (number % 2)), reason="x" * 50_000)
        for number in range(60)
    ]
    for entry in long:
        await registry.audit_sink.record(entry)
    seen: list[str] = []
    page: Page | None = Page(1000)

    while page is not None:
        listed = await registry.audit_reads.list(AuditFilter(), page)
        seen.extend(entry.entry_id for entry in listed.items)
        page = Page(1000, listed.next_after) if listed.next_after else None

    assert len(seen) == len(set(seen)) == 62
    assert set(seen) > {entry.entry_id for entry in long}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"principal": "bob"}, "b"),
        ({"method": "assay.v1.RegistryService/GetModel"}, "cba"),
        ({"method": "GetModel"}, "cba"),
        ({"method": "ListModels"}, "d"),
        ({"method": "getmodel"}, ""),
        ({"method": "Model"}, ""),
        ({"resource_prefix": "namespaces/vision/models/d"}, "dba"),
        ({"resource_prefix": "namespaces/vision/models/%"}, ""),
        ({"namespace_id": "audio"}, "c"),
        ({"decision": Decision.DENIED}, "b"),
        ({"status": "NOT_FOUND"}, "d"),
        ({"since": NOON + timedelta(minutes=1)}, "dcb"),
        ({"until": NOON + timedelta(minutes=2)}, "ba"),
        ({"since": NOON + timedelta(minutes=1), "until": NOON + timedelta(minutes=2)}, "b"),
        ({"method": "GetModel", "namespace_id": "vision", "principal": "bob"}, "b"),
        ({}, "dcba"),
    ],
)
async def test_every_filter_finds_what_fits(
    registry: Store, wanted: dict[str, Any], expected: str
) -> None:
    differing: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {"principal": "bob", "decision": Decision.DENIED},
        "c": {"namespace_id": "audio", "resource": "namespaces/audio/models/x"},
        "d": {"method": "assay.v1.RegistryService/ListModels", "status": "NOT_FOUND"},
    }
    for minute, (entry_id, changes) in enumerate(differing.items()):
        entry = make_entry(entry_id=entry_id, time=NOON + timedelta(minutes=minute), **changes)
        await registry.audit_sink.record(entry)

    found = await trail(registry, **wanted)

    assert "".join(entry.entry_id for entry in found) == expected


async def test_an_entry_of_a_month_nobody_foresaw_is_kept(registry: Store) -> None:
    entries = [make_entry(time=NOON + timedelta(days=days)) for days in (4000, 370, -20)]

    for entry in entries:
        await registry.audit_sink.record(entry)
    await registry.keep(NOON + timedelta(days=370))

    assert await trail(registry) == tuple(entries)


async def test_old_entries_go_in_batches_and_young_ones_stay(registry: Store) -> None:
    await add_namespace(registry)  # whose entry is of NOON, in the transaction's own place
    later = NOON + timedelta(days=40)
    old = [make_entry(time=NOON - timedelta(days=days)) for days in (4000, 1)]
    old += [make_entry(time=NOON + timedelta(microseconds=n)) for n in range(2 * SWEPT_MAX + 1)]
    young = make_entry(time=later)
    await asyncio.gather(*(registry.audit_sink.record(entry) for entry in [*old, young]))

    # Two entries, and the event of the namespace.
    assert await registry.keep(NOON + KEPT - timedelta(hours=1)) == 3
    assert len(await trail(registry, until=later)) == 1000  # a page: there are more
    assert await registry.keep(later + KEPT - timedelta(hours=1)) >= 2 * SWEPT_MAX + 2

    assert await trail(registry) == (young,)
    await registry.audit_sink.record(make_entry(time=later + KEPT))
    assert len(await trail(registry)) == 2


async def test_what_cannot_be_written_is_refused_and_the_next_is_taken(registry: Store) -> None:
    good = make_entry()
    bad = replace(good, entry_id="bad", phase="NEVER")  # type: ignore[arg-type]

    with pytest.raises(AuditUnavailable):
        await registry.audit_sink.record(bad)
    await registry.audit_sink.record(good)

    assert await trail(registry) == (good,)


async def test_a_trail_that_hangs_refuses_calls_instead_of_stalling_them() -> None:
    release = asyncio.Event()

    async def hang(_: Sequence[AuditEntry]) -> None:
        await release.wait()

    sink = BatchingSink(hang, write_max_s=0.01)

    with pytest.raises(AuditUnavailable):
        await sink.record(make_entry())
    release.set()
    await sink.record(make_entry())


async def test_what_arrives_during_a_write_is_the_next_batch() -> None:
    batches: list[int] = []

    async def write(entries: Sequence[AuditEntry]) -> None:
        batches.append(len(entries))
        await asyncio.sleep(0)

    sink = BatchingSink(write)
    await asyncio.gather(*(sink.record(make_entry()) for _ in range(50)))

    assert sum(batches) == 50
    assert len(batches) <= 2


async def test_calls_that_came_together_are_written_together_again() -> None:
    """Each write of a batch of its own would cost as much as all of them in one."""
    batches: list[int] = []

    async def write(entries: Sequence[AuditEntry]) -> None:
        batches.append(len(entries))

    async def calls(count: int) -> None:
        """Some calls that are through one after another, each a turn of the loop later."""
        recording = []
        for _ in range(count):
            recording.append(asyncio.create_task(sink.record(make_entry())))
            await asyncio.sleep(0)
        await asyncio.gather(*recording)

    sink = BatchingSink(write)
    await asyncio.gather(*(sink.record(make_entry()) for _ in range(5)))
    await calls(5)

    assert batches == [5, 5]


async def test_who_comes_alone_after_a_crowd_does_not_wait_for_it() -> None:
    batches: list[int] = []

    async def write(entries: Sequence[AuditEntry]) -> None:
        batches.append(len(entries))

    sink = BatchingSink(write)
    await asyncio.gather(*(sink.record(make_entry()) for _ in range(5)))

    await sink.record(make_entry())

    assert batches == [5, 1]
