"""What only SQLite can show: one server to a file, groups of commits, and a full disk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from assay_server.domain.calls import Page
from assay_server.domain.errors import AuditUnavailable, StorageFull
from assay_server.ports.metadata import Transaction
from assay_server.sqlstore.compiled import Catalogue
from assay_server.sqlstore.dialects import Sqlite
from assay_server.sqlstore.namespaces import SqlNamespaces
from assay_server.sqlstore.opening import Store, open_store
from assay_server.sqlstore.places import StoreNotOpened
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.sqlite_sessions import connect
from assay_server.sqlstore.sqlite_writer import SqliteWriter
from tests.contract.store.registries import (
    Database,
    TickingClock,
    add_model,
    add_namespace,
    change,
    make_empty,
    make_entry,
    make_model,
    make_namespace,
    read,
    trail,
)


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    found = Database(sqlite_url)
    yield found
    await found.close()


async def count(store: Store) -> int:
    """How many models there are."""
    found, page = 0, Page(1000)
    while True:
        listed = await read(store, lambda r, page=page: r.models.list(page, among=None))
        found += len(listed.items)
        if listed.next_after is None:
            return found
        page = Page(1000, listed.next_after)


async def test_a_second_server_is_told_that_the_first_has_the_file(database: Database) -> None:
    await database.open()

    with pytest.raises(StoreNotOpened, match=r"another server has .*assay\.db open"):
        await open_store(database.url, TickingClock())

    await database.close()
    await database.open()


def test_a_connection_syncs_every_commit_and_keeps_foreign_keys(tmp_path: Path) -> None:
    connection = connect(tmp_path / "assay.db", busy_timeout_ms=0)

    settings = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    connection.close()

    assert settings == ["wal", 2, 1]  # 2 is FULL: https://sqlite.org/pragma.html


async def test_changes_that_wait_together_share_commits(database: Database) -> None:
    seen: list[str] = []
    connection = connect(database.directory / "assay.db", busy_timeout_ms=0)
    connection.set_trace_callback(seen.append)
    dialect = Sqlite()
    writer = SqliteWriter(connection, Catalogue(dialect.core), dialect)

    async def add(session: Session, number: int) -> None:
        await SqlNamespaces(session).add(make_namespace(f"n{number}"))

    await asyncio.gather(
        *(writer.run(partial(add, number=number), lambda _: None) for number in range(200))
    )
    await writer.close()

    assert len([statement for statement in seen if statement.startswith("INSERT")]) == 200
    assert seen.count("COMMIT") == 1


async def test_a_reader_does_not_wait_for_the_writer(database: Database) -> None:
    store = await database.open()
    await add_namespace(store)

    async def look_meanwhile(tx: Transaction) -> None:
        await tx.models.add(make_model())
        assert await count(store) == 0

    await change(store, look_meanwhile)

    assert await count(store) == 1


async def test_a_tool_that_locks_the_file_for_a_moment_only_delays(database: Database) -> None:
    store = await database.open()
    tool = sqlite3.connect(database.directory / "assay.db", isolation_level=None)
    tool.execute("BEGIN IMMEDIATE")

    adding = asyncio.create_task(add_namespace(store))
    done, _ = await asyncio.wait({adding}, timeout=0.1)
    tool.execute("ROLLBACK")
    tool.close()

    assert not done
    assert await adding == 1


async def fill(store: Store) -> int:
    """Add models until the disk is full; returns how many were acknowledged."""
    for number in range(1000):
        model = make_model(f"m{number:04}", description="x" * 60_000)
        try:
            await change(store, lambda tx, model=model: tx.models.add(model))
        except StorageFull:
            return number
    raise AssertionError("the disk is too large")


async def record_many(store: Store) -> None:
    for _ in range(1000):
        await store.audit_sink.record(make_entry(reason="x" * 10_000))


async def test_a_full_disk_refuses_changes_loses_nothing_and_reads_on(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/assay.db"
    await make_empty(url)
    store = await open_store(url, TickingClock())
    await add_namespace(store)

    acknowledged = await fill(store)

    assert 0 < acknowledged == await count(store)
    with pytest.raises(AuditUnavailable):
        await record_many(store)
    assert await count(store) == acknowledged
    (small_disk / "ballast").unlink()
    assert await count(store) == acknowledged
    await add_model(store, make_model("after"))
    await store.audit_sink.record(make_entry(principal="after"))
    assert len(await trail(store, principal="after")) == 1
    await store.close()


async def test_a_group_that_fills_the_disk_is_refused_as_one(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/assay.db"
    await make_empty(url)
    store = await open_store(url, TickingClock())
    await change(store, lambda tx: tx.namespaces.add(make_namespace()))

    big = [make_model(f"m{number:03}", description="x" * 60_000) for number in range(100)]
    made = await asyncio.gather(
        *(change(store, lambda tx, model=model: tx.models.add(model)) for model in big),
        return_exceptions=True,
    )

    refused = [one for one in made if isinstance(one, BaseException)]
    assert {type(one) for one in refused} == {StorageFull}
    assert await count(store) == len(made) - len(refused)
    await store.close()
