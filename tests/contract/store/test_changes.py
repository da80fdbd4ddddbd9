"""A change is all or nothing, happens once, and leaves exactly one entry in the trail."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from assay_server.domain.calls import Change, Page
from assay_server.domain.errors import AlreadyExists, Conflict, NotFound, RequestIdReused
from assay_server.domain.models import Model
from assay_server.ports.metadata import Transaction
from assay_server.sqlstore import postgres, requests, sqlite
from assay_server.sqlstore.opening import Store
from assay_server.sqlstore.requests import KEPT
from assay_server.sqlstore.session import Session
from tests.contract.store.registries import (
    NOON,
    Database,
    add_model,
    add_namespace,
    change,
    happened,
    make_call,
    make_model,
    newest_revision,
    read,
    settled,
    trail,
)
from tests.unit.making import make_version


@pytest.fixture
async def store(registry: Store) -> Store:
    await add_namespace(registry)
    return registry


async def models(store: Store) -> list[str]:
    listed = await read(store, lambda r: r.models.list(Page(1000), among=None))
    return [model.model_id for model in listed.items]


async def test_a_body_that_raises_leaves_no_trace(store: Store) -> None:
    before = await newest_revision(store), len(await trail(store))

    async def fail(tx: Transaction) -> Change[str]:
        await tx.models.add(make_model())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.metadata.change(make_call(request_id="r1"), str, fail)

    assert await models(store) == []
    assert (await newest_revision(store), len(await trail(store))) == before


async def test_a_body_that_raised_may_be_tried_again_under_its_request_id(store: Store) -> None:
    call = make_call(request_id="r1")
    await add_model(store)
    with pytest.raises(AlreadyExists):
        await add_model(store, call=call)

    await add_model(store, make_model("other"), call=call)

    assert await models(store) == ["digits", "other"]


async def test_a_transaction_sees_what_it_wrote(store: Store) -> None:
    model = make_model()
    seen: list[Model] = []

    async def add_and_look(tx: Transaction) -> None:
        await tx.models.add(model)
        seen.append(await tx.models.get("vision", "digits"))
        await tx.models.save(replace(model, task="other"))
        seen.append(await tx.models.lock("vision", "digits"))

    await change(store, add_and_look)

    assert seen == [model, replace(model, task="other")]


async def test_a_taken_name_is_told_as_such_whatever_follows_in_the_transaction(
    store: Store,
) -> None:
    await add_model(store)

    async def add_and_look(tx: Transaction) -> None:
        await tx.models.add(make_model())
        await tx.models.add(make_model("other"))
        await tx.namespaces.get("vision")

    with pytest.raises(AlreadyExists, match="models/digits exists already"):
        await change(store, add_and_look)

    assert await models(store) == ["digits"]


async def test_a_change_has_one_revision_one_entry_and_its_events(store: Store) -> None:
    model = make_model()
    other = make_model("other")

    async def add_both(tx: Transaction) -> None:
        await tx.models.add(model)
        await tx.models.add(other)

    revision = await change(
        store,
        add_both,
        happened(model, model.name),
        happened(other, other.name),
        call=make_call(method="assay.v1.RegistryService/CreateModel"),
    )
    events, through = await read(
        store, lambda r: r.events.since(revision, name_prefix="", among=None, limit=10)
    )
    entries = [entry for entry in await trail(store) if entry.revision == revision]

    assert revision == through == 2
    assert [event.subject for event in events] == [model, other]
    assert {(event.action, event.actor) for event in events} == {
        ("CreateModel", "spiffe://lab/ann")
    }
    assert len(entries) == 1
    assert entries[0].time == events[0].time


async def test_a_change_in_which_nothing_happened_uses_no_revision(store: Store) -> None:
    async def look(tx: Transaction) -> None:
        await tx.namespaces.get("vision")

    revision = await change(store, look, call=make_call(request_id="r1"))
    entries = await trail(store)

    assert revision == await newest_revision(store) == 1
    assert entries[0].revision == 0
    assert len(entries) == 2


async def test_a_retry_gets_the_first_answer_and_does_nothing(store: Store) -> None:
    call = make_call(request_id="r1")
    model = make_model(tags={"a": "b"})
    ran = 0

    async def add(tx: Transaction) -> Change[Model]:
        nonlocal ran
        await tx.namespaces.get("vision")
        ran += 1
        await tx.models.add(model)
        return Change(model, (happened(model, model.name),))

    first = await store.metadata.change(call, Model, add)
    await add_model(store, make_model("other"))
    again = await store.metadata.change(replace(call, entry=make_call().entry), Model, add)

    assert (ran, first.is_replay, again.is_replay) == (1, False, True)
    assert again.answer == first.answer == model
    assert again.revision == first.revision
    assert len(await trail(store)) == 3


async def test_a_retry_of_what_only_wrote_does_nothing(store: Store) -> None:
    revision = await add_model(store, call=make_call(request_id="r1"))

    again = await add_model(store, call=make_call(request_id="r1"))

    assert again == revision == await newest_revision(store)
    assert len(await trail(store)) == 2


async def test_a_retry_after_many_writes_leaves_none_of_them(store: Store) -> None:
    async def add_many_and_look(tx: Transaction) -> None:
        for number in range(3):
            await tx.models.add(make_model(f"m{number}"))
        await tx.namespaces.get("vision")
        await tx.models.add(make_model("last"))

    call = make_call(request_id="r1")
    revision = await change(store, add_many_and_look, call=call)
    again = await change(store, add_many_and_look, call=call)

    assert again == revision
    assert await models(store) == ["last", "m0", "m1", "m2"]


async def test_what_is_asked_together_is_what_each_gives_alone(store: Store) -> None:
    await add_model(store, make_model("digits", tags={"k": 'ü\n"$1'}))
    await add_model(store, make_model("letters"))
    seen: list[Any] = []

    async def both(tx: Transaction) -> tuple[Model, Model]:
        return await tx.together(
            tx.models.lock("vision", "letters"), tx.models.get("vision", "digits")
        )

    async def look(tx: Transaction) -> None:
        await tx.models.add(make_model("new"))
        seen.append(await tx.together(both(tx), tx.models.get("vision", "new")))
        digits = await tx.models.get("vision", "digits")
        letters = await tx.models.get("vision", "letters")
        seen.append(((letters, digits), await tx.models.get("vision", "new")))

    await change(store, look, call=make_call(request_id="r1"))

    assert seen[0] == seen[1]
    assert seen[0][0][1].tags == {"k": 'ü\n"$1'}


async def test_of_what_is_asked_together_the_first_that_fails_is_told(store: Store) -> None:
    async def look(tx: Transaction) -> None:
        await tx.together(
            tx.namespaces.get("vision"),
            tx.models.get("vision", "first"),
            tx.models.get("vision", "second"),
        )

    with pytest.raises(NotFound, match="first"):
        await change(store, look)
    await add_model(store)


async def test_a_request_id_with_another_payload_is_refused(store: Store) -> None:
    await add_model(store, call=make_call(request_id="r1"))

    with pytest.raises(RequestIdReused):
        await add_model(
            store, make_model("other"), call=make_call(request_id="r1", payload_sha256="b" * 64)
        )

    assert await models(store) == ["digits"]


@pytest.mark.parametrize("differing", [{"principal": "bob"}, {"method": "S/Other"}])
async def test_a_request_id_is_its_callers_and_its_methods(
    store: Store, differing: dict[str, str]
) -> None:
    await add_model(store, call=make_call(request_id="r1"))

    await add_model(store, make_model("other"), call=make_call(request_id="r1", **differing))

    assert await models(store) == ["digits", "other"]


async def test_the_same_request_many_times_at_once_happens_once(store: Store) -> None:
    ran = 0

    async def add(tx: Transaction) -> Change[str]:
        nonlocal ran
        await tx.namespaces.get("vision")
        ran += 1
        model = make_model()
        await tx.models.add(model)
        return Change("made", (happened(model, model.name),))

    made = await asyncio.gather(
        *(store.metadata.change(make_call(request_id="r1"), str, add) for _ in range(12))
    )

    assert ran == 1
    assert sorted(one.is_replay for one in made) == [False] + [True] * 11
    assert {one.revision for one in made} == {2}


async def test_old_requests_are_forgotten_and_younger_ones_are_not(store: Store) -> None:
    await add_model(store, call=make_call(request_id="r1"))

    assert await store.keep(NOON + KEPT) == 0
    assert await store.keep(NOON + KEPT + KEPT) == 1
    await add_model(store, make_model("other"), call=make_call(request_id="r1"))

    assert await models(store) == ["digits", "other"]


async def test_old_requests_are_forgotten_in_batches_that_hold_up_nobody_for_long(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []

    async def counted(session: Session, *, now: datetime) -> int:
        batches.append(await requests.sweep(session, now=now))
        return batches[-1]

    monkeypatch.setattr(requests, "SWEPT_MAX", 3)
    for module in (sqlite, postgres):
        monkeypatch.setattr(module, "sweep", counted)
    for number in range(7):
        await add_model(store, make_model(f"m{number}"), call=make_call(request_id=f"r{number}"))

    assert await store.keep(NOON + KEPT + KEPT) == 7
    assert batches == [3, 3, 1, 0]


async def test_writers_racing_for_a_number_each_get_their_own_without_a_retry(
    store: Store,
) -> None:
    await add_model(store)
    ran = 0

    async def seal(tx: Transaction) -> Change[int]:
        nonlocal ran
        ran += 1
        model = await tx.models.lock("vision", "digits")
        number = model.version_high_water + 1
        await tx.models.save(replace(model, version_high_water=number))
        version = make_version(
            number=number, version_uid=f"uid {number}", record_digest=f"sha256:{number}"
        )
        await tx.versions.add(version)
        return Change(number, (happened(version, f"{model.name}/versions/{number}"),))

    made = await asyncio.gather(
        *(store.metadata.change(make_call(), int, seal) for _ in range(32 * 4))
    )

    assert sorted(one.answer for one in made) == list(range(1, 129))
    assert ran == 128
    by_revision = sorted(made, key=lambda one: one.revision)
    assert [one.answer for one in by_revision] == list(range(1, 129))


async def test_one_that_fails_harms_none_that_is_committed_with_it(store: Store) -> None:
    async def add(number: int) -> int:
        if number % 5 == 0:
            return await add_model(store, make_model("same"))
        return await add_model(store, make_model(f"m{number}"))

    made = await asyncio.gather(*(add(number) for number in range(40)), return_exceptions=True)
    refused = [one for one in made if isinstance(one, BaseException)]
    revisions = sorted(one for one in made if isinstance(one, int))

    assert [type(one) for one in refused] == [AlreadyExists] * 7
    assert revisions == list(range(2, 35))
    assert len(await models(store)) == 33
    assert len(await trail(store)) == 34


async def test_a_caller_who_leaves_harms_nobody_and_leaves_all_or_nothing(
    database: Database,
) -> None:
    store = await database.open()
    await add_namespace(store)
    tasks = [
        asyncio.create_task(add_model(store, make_model(f"m{number:02}"))) for number in range(40)
    ]
    for place in range(0, 40, 4):
        await asyncio.sleep(0)
        tasks[place].cancel()
    await settled(*tasks)
    await database.close()
    store = await database.open()

    names = await models(store)
    events, _ = await read(
        store, lambda r: r.events.since(2, name_prefix="", among=None, limit=1000)
    )

    assert {f"m{number:02}" for number in range(40) if number % 4} <= set(names)
    assert sorted(event.subject.model_id for event in events) == names  # type: ignore[union-attr]
    assert len(await trail(store)) == len(names) + 1


async def test_a_row_that_breaks_uniqueness_unseen_is_a_conflict(store: Store) -> None:
    await add_model(store)
    version = make_version()
    await change(store, lambda tx: tx.versions.add(version))

    with pytest.raises(Conflict):
        await change(store, lambda tx: tx.versions.add(replace(version, number=8)))
