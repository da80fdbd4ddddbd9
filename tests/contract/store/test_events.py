"""Events come in revision order, whole and without loss, however many write."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from assay_server.domain.events import Event
from assay_server.sqlstore import forgetting
from assay_server.sqlstore.events import OLDEST
from assay_server.sqlstore.opening import Store, open_store
from tests.contract.store.registries import (
    NOON,
    Database,
    add_model,
    add_namespace,
    change,
    happened,
    make_model,
    newest_revision,
    read,
)

WRITERS = 16
CHANGES_EACH = 12
EVENTS_EACH = 3


async def nothing(_: object) -> None:
    """Only the events matter."""


async def since(store: Store, revision: int, **wanted: object) -> tuple[tuple[Event, ...], int]:
    asked = {"name_prefix": "", "among": None, "limit": 1000} | wanted
    return await read(store, lambda r: r.events.since(revision, **asked))  # type: ignore[arg-type]


async def test_a_watcher_beside_sixteen_writers_misses_nothing(database: Database) -> None:
    store = await database.open()
    other = await database.open() if database.is_shared else store
    seen: list[Event] = []
    following, writing = 1, True

    async def write(writer: int) -> None:
        for number in range(CHANGES_EACH):
            models = [make_model(f"w{writer}-{number}-{place}") for place in range(EVENTS_EACH)]
            happenings = [happened(model, model.name) for model in models]
            await change((store, other)[writer % 2], nothing, *happenings)

    async def watch() -> None:
        nonlocal following
        while writing or following <= await newest_revision(store):
            events, through = await since(store, following, limit=7)
            seen.extend(events)
            following = through + 1
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    writing = False
    await watching

    revisions = [event.revision for event in seen]
    total = WRITERS * CHANGES_EACH
    assert revisions == sorted(revisions)
    assert revisions == [n for n in range(1, total + 1) for _ in range(EVENTS_EACH)]
    assert len({event.name for event in seen}) == total * EVENTS_EACH


async def test_the_events_of_a_revision_are_never_parted(registry: Store) -> None:
    for number in range(3):
        models = [make_model(f"m{number}-{place}") for place in range(5)]
        await change(registry, nothing, *(happened(model, model.name) for model in models))

    found = []
    for limit in (1, 5, 6, 14, 15):
        events, through = await since(registry, 1, limit=limit)
        found.append((limit, len(events), through))

    assert found == [(1, 5, 1), (5, 5, 1), (6, 5, 1), (14, 10, 2), (15, 15, 3)]


async def test_events_without_any_are_complete_up_to_now(registry: Store) -> None:
    assert await since(registry, 1) == ((), 0)

    await add_namespace(registry)

    assert await since(registry, 2) == ((), 1)
    assert await since(registry, 99) == ((), 1)
    assert await read(registry, lambda r: r.events.oldest()) == 1


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ["vision", "audio", "digits", "digits2"]),
        ("namespaces/vision", ["vision", "digits", "digits2"]),
        ("namespaces/vision/models/digits", ["digits"]),
        ("namespaces/vis", []),
    ],
)
async def test_a_prefix_finds_a_name_and_what_lies_below(
    registry: Store, prefix: str, expected: list[str]
) -> None:
    await add_namespace(registry, "vision")
    await add_namespace(registry, "audio")
    for model_id in ("digits", "digits2"):
        await add_model(registry, make_model(model_id))

    events, through = await since(registry, 1, name_prefix=prefix)

    assert [event.name.rpartition("/")[2] for event in events] == expected
    assert through == 4


async def test_events_are_limited_to_namespaces(registry: Store) -> None:
    for namespace_id in ("vision", "audio", "text"):
        await add_namespace(registry, namespace_id)
    everywhere = happened(make_model(), "roleBindings/x", namespace_id="")
    await change(registry, nothing, everywhere)

    some, _ = await since(registry, 1, among={"vision", "text"})
    none, through = await since(registry, 1, among=set())
    every, _ = await since(registry, 1)

    assert [event.namespace_id for event in some] == ["vision", "text"]
    assert (none, through) == ((), 4)
    assert [event.namespace_id for event in every] == ["vision", "audio", "text", ""]


async def test_who_waits_is_woken_by_the_next_revision(registry: Store) -> None:
    waiting = asyncio.create_task(registry.metadata.wait_past(0, 30))
    await asyncio.sleep(0)

    await add_namespace(registry)

    assert await waiting == 1
    assert await registry.metadata.wait_past(0, 30) == 1


async def test_who_waits_long_enough_is_told_the_newest(registry: Store) -> None:
    await add_namespace(registry)

    assert await registry.metadata.wait_past(1, 0.01) == 1
    assert await registry.metadata.wait_past(-1, 0) == 1


async def test_a_reader_sees_one_moment_however_long_it_looks(registry: Store) -> None:
    await add_namespace(registry)

    async with registry.metadata.read() as reader:
        before = await reader.events.since(1, name_prefix="", among=None, limit=10)
        await add_model(registry)
        after = await reader.events.since(1, name_prefix="", among=None, limit=10)
        revision = reader.revision

    assert before == after
    assert revision == 1
    assert await newest_revision(registry) == 2


async def test_events_are_kept_as_long_as_asked_and_no_longer(database_url: str) -> None:
    clock = SetClock()
    store = await open_store(database_url, clock, events_kept=timedelta(days=10))
    try:
        for day in range(20):
            clock.time = NOON + timedelta(days=day)
            model = make_model(f"m{day}")
            await change(store, nothing, happened(model, model.name))
        now = NOON + timedelta(days=20)

        assert await store.keep(now) == 10
        assert await store.keep(now) == 0
        assert await read(store, lambda r: r.events.oldest()) == 11
        events, through = await since(store, 11)
        assert [event.revision for event in events] == list(range(11, 21))
        assert through == 20

        assert await store.keep(now + timedelta(days=30)) == 10
        assert await read(store, lambda r: r.events.oldest()) == 21
        assert await since(store, 21) == ((), 20)
    finally:
        await store.close()


async def test_old_events_go_in_batches_that_never_part_a_revision(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "SWEPT_MAX", 4)
    clock = SetClock()
    store = await open_store(database_url, clock, events_kept=timedelta(days=10))
    seen: list[tuple[int, list[int]]] = []
    forget = forgetting.sweep

    async def watched(session: Any, *, before: datetime) -> int:
        swept = await forget(session, before=before)
        oldest = (await session.rows(OLDEST))[0][0]
        rows = await session.rows(forgetting.OLDEST_ROWS, since=oldest, size=100)
        seen.append((oldest, [row[0] for row in rows]))
        return swept

    monkeypatch.setattr(forgetting, "sweep", watched)
    try:
        for count in (1, 3, 3, 7, 1, 2):
            models = [make_model(f"m{number}") for number in range(count)]
            await change(store, nothing, *(happened(model, model.name) for model in models))
        clock.time = NOON + timedelta(days=20)
        await change(store, nothing, happened(models[0], "young"))

        await store.keep(clock.time)
    finally:
        await store.close()

    assert len(seen) > 4
    assert seen[-1] == (7, [7])
    sizes = {1: 1, 2: 3, 3: 3, 4: 7, 5: 1, 6: 2, 7: 1}
    for oldest, left in seen:
        assert left == [n for n in range(oldest, 8) for _ in range(sizes[n])]


class SetClock:
    """Shows what it was set to."""

    time = NOON

    def now(self) -> datetime:
        return self.time
