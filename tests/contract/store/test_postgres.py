"""What only several servers on one PostgreSQL can show, and a network that breaks."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from assay_server.domain.calls import Change, Page
from assay_server.domain.errors import StoreUnavailable
from assay_server.ports.metadata import Transaction
from assay_server.sqlstore.audit import KEPT
from assay_server.sqlstore.opening import Store
from assay_server.sqlstore.postgres_listening import Listener
from tests.contract.store.registries import (
    NOON,
    Database,
    add_model,
    add_namespace,
    change,
    happened,
    make_call,
    make_model,
    read,
    trail,
)
from tests.lossy import COMMIT, LossyProxy, address_in, through


@pytest.fixture
async def database(emptied_url: str) -> AsyncIterator[Database]:
    found = Database(emptied_url)
    yield found
    await found.close()


@pytest.fixture
async def proxy(emptied_url: str) -> AsyncIterator[LossyProxy]:
    async with LossyProxy(address_in(emptied_url)) as made:
        yield made


@pytest.fixture
async def lossy(emptied_url: str, proxy: LossyProxy) -> AsyncIterator[Store]:
    """A registry behind the proxy, with a namespace."""
    reached = Database(through(emptied_url, proxy))
    store = await reached.open()
    await add_namespace(store)
    yield store
    proxy.is_down = False
    await reached.close()


async def models(store: Store) -> list[str]:
    listed = await read(store, lambda r: r.models.list(Page(100), among=None))
    return [model.model_id for model in listed.items]


async def test_who_waits_is_woken_by_another_server(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its notification: the look now and then, which is the net below, is taken away."""

    async def look_nowhere(_listener: Listener) -> None:
        pass

    monkeypatch.setattr(Listener, "_look", look_nowhere)
    store, other = await database.open(), await database.open()
    waiting = asyncio.create_task(store.metadata.wait_past(0, 30))
    await asyncio.sleep(0)

    await add_namespace(other)

    assert await waiting == 1


async def test_who_asks_without_waiting_is_told_what_other_servers_did(
    database: Database,
) -> None:
    store, other = await database.open(), await database.open()

    await add_namespace(other)

    assert await store.metadata.wait_past(-1, 0) == 1


async def test_gates_may_be_held_by_many_and_are_locked_by_one(database: Database) -> None:
    store, other = await database.open(), await database.open()
    await add_namespace(store)
    holding, leave = asyncio.Barrier(3), asyncio.Event()
    order: list[str] = []

    async def hold(tx: Transaction) -> None:
        await tx.gates.hold("vision")
        await holding.wait()
        await leave.wait()
        order.append("held")

    async def lock(tx: Transaction) -> None:
        await tx.gates.lock("vision")
        order.append("locked")

    holders = [asyncio.create_task(change(each, hold)) for each in (store, other)]
    await holding.wait()
    locker = asyncio.create_task(change(store, lock))
    done, _ = await asyncio.wait({locker}, timeout=0.2)
    leave.set()
    await asyncio.gather(*holders, locker)

    assert not done
    assert order == ["held", "held", "locked"]


async def test_racing_servers_neither_deadlock_nor_fail_to_serialize(database: Database) -> None:
    stores = [await database.open() for _ in range(3)]
    await add_namespace(stores[0])
    await add_model(stores[0])

    async def lock(tx: Transaction) -> None:
        model = await tx.models.lock("vision", "digits")
        await tx.models.save(model)

    model = make_model()
    await asyncio.gather(
        *(change(stores[number % 3], lock, happened(model, model.name)) for number in range(96))
    )

    connection = await asyncpg.connect(database.url)
    failures = await connection.fetchrow(
        "SELECT deadlocks, conflicts FROM pg_stat_database WHERE datname = current_database()"
    )
    await connection.close()
    assert tuple(failures) == (0, 0)


async def test_a_commit_whose_answer_is_lost_is_looked_up_by_its_request_id(
    proxy: LossyProxy, lossy: Store
) -> None:
    proxy.loses_commit = True

    revision = await add_model(lossy, call=make_call(request_id="r1"))
    again = await lossy.metadata.change(make_call(request_id="r1"), str, never)

    assert revision == again.revision == 2
    assert again.is_replay
    assert await models(lossy) == ["digits"]
    assert len(await trail(lossy)) == 2


async def test_a_commit_that_is_still_on_its_way_is_waited_for(
    proxy: LossyProxy, lossy: Store
) -> None:
    held = proxy.held_commit = asyncio.Event()

    adding = asyncio.create_task(add_model(lossy, call=make_call(request_id="r1")))
    done, _ = await asyncio.wait({adding}, timeout=0.5)
    nobody_knew_yet = not done and await models(lossy) == []
    held.set()

    assert nobody_knew_yet
    assert await adding == 2
    again = await lossy.metadata.change(make_call(request_id="r1"), str, never)
    assert (again.is_replay, again.revision) == (True, 2)
    assert await models(lossy) == ["digits"]
    assert len(await trail(lossy)) == 2


async def test_a_commit_that_never_arrives_did_not_happen(proxy: LossyProxy, lossy: Store) -> None:
    proxy.drops = COMMIT

    with pytest.raises(StoreUnavailable):
        await add_model(lossy, call=make_call(request_id="r1"))

    assert await models(lossy) == []
    assert await add_model(lossy, call=make_call(request_id="r1")) == 2


async def test_a_commit_whose_answer_is_lost_without_a_request_id_is_unknown(
    proxy: LossyProxy, lossy: Store
) -> None:
    proxy.loses_commit = True

    with pytest.raises(StoreUnavailable):
        await add_model(lossy)

    assert await models(lossy) == ["digits"]


async def test_a_connection_lost_before_the_commit_leaves_no_trace(
    proxy: LossyProxy, lossy: Store
) -> None:
    async def cut(tx: Transaction) -> None:
        await tx.models.add(make_model())
        proxy.cut()
        await tx.namespaces.get("vision")

    with pytest.raises(StoreUnavailable):
        await change(lossy, cut, call=make_call(request_id="r1"))

    assert await models(lossy) == []
    assert len(await trail(lossy)) == 1


async def test_the_store_comes_back_with_the_database(proxy: LossyProxy, lossy: Store) -> None:
    proxy.is_down = True
    proxy.cut()
    with pytest.raises(StoreUnavailable):
        await lossy.ping()
    with pytest.raises(StoreUnavailable):
        await add_model(lossy)

    proxy.is_down = False

    await lossy.ping()
    await add_model(lossy)
    assert await models(lossy) == ["digits"]


async def test_a_connection_that_breaks_while_it_is_opened_is_no_fault_of_ours(
    proxy: LossyProxy, lossy: Store
) -> None:
    async def meanwhile(_: Transaction) -> None:
        with pytest.raises(StoreUnavailable):
            await add_model(lossy)

    proxy.drops = b"BEGIN ISOLATION LEVEL READ COMMITTED"
    await change(lossy, meanwhile)

    assert proxy.drops == b""
    await add_model(lossy)


async def never(tx: Transaction) -> Change[str]:
    await tx.namespaces.get("vision")
    raise AssertionError("it was answered before")


async def test_an_old_month_that_someone_holds_waits_and_keeps_no_server_from_starting(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    first = await database.open()
    month = f"audit_entries_{NOON:%Y_%m}"
    later = NOON + timedelta(days=31) + KEPT
    holder = await asyncpg.connect(database.url)
    async with holder.transaction():
        await holder.execute(f"LOCK TABLE {month} IN ACCESS EXCLUSIVE MODE")

        await first.keep(later)
        await database.open()

    assert f"{month} is old and stays for now: LockNotAvailableError" in caplog.text
    await first.keep(later)
    assert await holder.fetchval("SELECT to_regclass($1)", month) is None
    await holder.close()
