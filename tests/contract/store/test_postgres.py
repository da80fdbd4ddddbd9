"""What only several servers on one PostgreSQL can show, and a network that breaks."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from assay_server.domain.calls import Change, Page
from assay_server.domain.errors import StoreUnavailable
from assay_server.ports.metadata import Transaction
from assay_server.sqlstore.opening import Store
from tests.contract.store.registries import (
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


@pytest.fixture
async def database(emptied_url: str) -> AsyncIterator[Database]:
    found = Database(emptied_url)
    yield found
    await found.close()


class LossyProxy:
    """Passes everything on, until it is told to lose the answer to the next commit."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = parts.hostname, parts.port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self.loses_next_commit = False
        self.is_down = False
        self.url = url

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = self.url.replace(f":{self._target[1]}/", f":{port}/")

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._open:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._open |= {writer, far_writer}
        there = self._pass(reader, far_writer, back=writer)
        self._passing |= {
            asyncio.create_task(there),
            asyncio.create_task(self._pass(far_reader, writer)),
        }

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamWriter | None = None,
    ) -> None:
        while data := await reader.read(65536):
            if back and self.loses_next_commit and b"COMMIT" in data:
                self.loses_next_commit = False
                back.transport.abort()  # before the answer comes
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest.fixture
async def proxy(emptied_url: str) -> AsyncIterator[LossyProxy]:
    made = LossyProxy(emptied_url)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def lossy(proxy: LossyProxy) -> AsyncIterator[Store]:
    """A registry behind the proxy, with a namespace."""
    reached = Database(proxy.url)
    store = await reached.open()
    await add_namespace(store)
    yield store
    proxy.is_down = False
    await reached.close()


async def models(store: Store) -> list[str]:
    listed = await read(store, lambda r: r.models.list(Page(100), among=None))
    return [model.model_id for model in listed.items]


async def test_who_waits_is_woken_by_another_server(database: Database) -> None:
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
    proxy.loses_next_commit = True

    revision = await add_model(lossy, call=make_call(request_id="r1"))
    again = await lossy.metadata.change(make_call(request_id="r1"), str, never)

    assert revision == again.revision == 2
    assert again.is_replay
    assert await models(lossy) == ["digits"]
    assert len(await trail(lossy)) == 2


async def test_a_commit_whose_answer_is_lost_without_a_request_id_is_unknown(
    proxy: LossyProxy, lossy: Store
) -> None:
    proxy.loses_next_commit = True

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


async def never(_: Transaction) -> Change[str]:
    raise AssertionError("it was answered before")
