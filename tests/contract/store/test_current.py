"""What was current at a revision: told from events alone, however many of them are forgotten."""

import os
import random
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from assay_server.domain.events import Event, EventType, is_over
from assay_server.domain.versions import DraftState
from assay_server.sqlstore import events as sql
from assay_server.sqlstore import forgetting
from assay_server.sqlstore.opening import Store, open_store
from tests.contract.store.counting import rows_read, run, steps
from tests.contract.store.registries import (
    NOON,
    Database,
    change,
    happened,
    make_model,
    make_namespace,
    read,
)
from tests.contract.store.test_events import SetClock, nothing
from tests.unit.making import make_draft

SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
EVERY = ("", "~")
NAMES = ("a", "a-b", "a/models/x", "a/models/x-y", "a/models/x/drafts/d", "b", "b/models/x")


DOUBLE = (
    "INSERT INTO events SELECT revision + (SELECT max(revision) FROM events), position, "
    "event_type, name, namespace_id, action, actor, time, kind, subject "
    "FROM events WHERE position < 20"
)
"""All that happened to some names happens once more."""


async def current(
    store: Store, revision: int, *, limit: int = 100, first: str = "", past: str = "~"
) -> list[Event]:
    """All that was current at ``revision``, in parts of ``limit`` names."""
    found: list[Event] = []
    while True:
        at = first
        events, first = await read(
            store,
            lambda r, at=at: r.events.current(revision, first=at, past=past, limit=limit),  # type: ignore[misc]
        )
        found += events
        if not first:
            return found
        assert first > at, "it does not move on"


async def step(store: Store, *steps: tuple[str, EventType]) -> int:
    """Changes of things of these names, all at one revision."""
    told = [
        happened(make_namespace(name), f"namespaces/{name}", event_type=event_type)
        for name, event_type in steps
    ]
    return await change(store, nothing, *told)


async def test_of_each_name_the_newest_event_counts_and_what_is_over_does_not(
    registry: Store,
) -> None:
    created, updated, deleted = EventType.CREATED, EventType.UPDATED, EventType.DELETED
    await step(registry, ("a", created), ("b", created), ("c", created))
    await step(registry, ("b", updated), ("b", updated), ("c", deleted))
    await step(registry, ("a", deleted), ("c", created), ("d", created))

    at = [[(e.name[11:], e.revision) for e in await current(registry, n)] for n in range(4)]

    assert at == [
        [],
        [("a", 1), ("b", 1), ("c", 1)],
        [("a", 1), ("b", 2)],
        [("b", 2), ("c", 3), ("d", 3)],
    ]


async def test_drafts_are_current_while_they_are_open(registry: Store) -> None:
    for draft_id, state in (("d1", DraftState.OPEN), ("d2", DraftState.SEALED)):
        draft = replace(make_draft(), draft_id=draft_id, state=state)
        await change(registry, nothing, happened(draft, f"namespaces/vision/drafts/{draft_id}"))

    assert [event.name[-2:] for event in await current(registry, 2)] == ["d1"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_parts_come_by_name_and_leave_out_nothing(registry: Store, limit: int) -> None:
    await step(registry, *((name, EventType.CREATED) for name in NAMES))
    await step(registry, ("a-b", EventType.DELETED), ("zz", EventType.CREATED))

    found = [event.name[11:] for event in await current(registry, 2, limit=limit)]
    below = await current(registry, 2, limit=limit, first="namespaces/a/", past="namespaces/a0")

    assert found == [*sorted({*NAMES, "zz"} - {"a-b"})]
    assert [event.name[11:] for event in below] == sorted(n for n in NAMES if n[:2] == "a/")


async def test_a_part_holds_no_more_than_a_page_of_text(registry: Store) -> None:
    for number in range(5):
        model = make_model(f"m{number}", description="x" * 400_000)
        await change(registry, nothing, happened(model, model.name))

    events, first = await read(
        registry, lambda r: r.events.current(5, first="", past="~", limit=100)
    )

    assert [event.name[-2:] for event in events] == ["m0", "m1"]
    assert [event.name[-2:] for event in await current(registry, 5)] == [
        f"m{number}" for number in range(5)
    ]
    assert first


async def test_whatever_is_forgotten_what_was_current_is_still_told(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random histories and sweeps, against all events in a list."""
    chance = random.Random(SEED)
    monkeypatch.setattr(forgetting, "SWEPT_MAX", chance.choice([2, 5, 1000]))
    clock, all_of_them = SetClock(), list[Event]()
    store = await open_store(database_url, clock, events_kept=timedelta(days=10))
    try:
        for day in range(60):
            clock.time = NOON + timedelta(days=day)
            names = chance.choices(NAMES, k=chance.randint(1, 3))
            revision = await step(store, *((n, chance.choice([*EventType])) for n in names))
            seen, _ = await read(
                store,
                lambda r, at=revision: r.events.since(at, name_prefix="", among=None, limit=99),  # type: ignore[misc]
            )
            all_of_them += seen
            if chance.random() < 0.3:
                await store.keep(clock.time)
            oldest = await read(store, lambda r: r.events.oldest())
            asked = chance.randint(oldest - 1, revision)
            found = await current(store, asked, limit=chance.choice([1, 3, 100]))
            assert found == folded(all_of_them, asked), f"seed {SEED}, revision {asked}"
        await store.keep(clock.time + timedelta(days=30))
        rows = await current(store, revision)
        assert rows == folded(all_of_them, revision)
    finally:
        await store.close()
    assert oldest > 30, "nothing was forgotten"


def folded(events: list[Event], revision: int) -> list[Event]:
    """What is current after all events up to ``revision``."""
    newest = {event.name: event for event in events if event.revision <= revision}
    return [event for _, event in sorted(newest.items()) if not is_over(event)]


async def test_what_is_over_and_what_was_overtaken_leave_no_row(database_url: str) -> None:
    clock = SetClock()
    store = await open_store(database_url, clock, events_kept=timedelta(days=10))
    try:
        for _ in range(5):
            await step(store, ("a", EventType.UPDATED), ("b", EventType.UPDATED))
        await step(store, ("b", EventType.DELETED))
        await store.keep(NOON + timedelta(days=20))
        left = await rows_of(store)
    finally:
        await store.close()

    assert left == [(5, "namespaces/a")]


async def rows_of(store: Store) -> list[tuple[int, str]]:
    async with store.metadata.read() as reader:
        found, _ = await reader.events.since(0, name_prefix="", among=None, limit=1000)
    return [(event.revision, event.name) for event in found]


async def test_a_part_costs_the_same_whatever_happened_before(database: Database) -> None:
    """Some names have been still for long: they are found without looking at the others."""
    store, looked = await database.open(), list[int]()
    await step(store, *((f"n{number}", EventType.CREATED) for number in range(50)))
    for doublings in (0, 11):
        for _ in range(doublings):
            await run(database.url, DOUBLE)
        asked = {"first": "", "past": "~", "as_of": 10**6, "size": 100}
        if database.is_shared:
            looked.append(await rows_read(database.url, sql.CURRENT, **asked))
        else:
            looked.append(steps(database.directory / "assay.db", sql.CURRENT, **asked))

    assert looked[0] > 100
    assert looked[1] < 2 * looked[0], looked
