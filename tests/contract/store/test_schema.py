"""The schema: what migrations make is what the code expects, and nothing else is opened."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from assay_server.domain.errors import RevisionCompacted
from assay_server.sqlstore.opening import Store, open_store
from assay_server.sqlstore.places import StoreNotOpened
from assay_server.sqlstore.schema import SchemaDoesNotFit, current, migrate
from assay_server.sqlstore.tables import metadata
from tests.contract.store.lives import Life, seen
from tests.contract.store.registries import TickingClock, add_model, add_namespace, make_model

_NOT_REFLECTED = pytest.mark.filterwarnings(
    "ignore:Skipped unsupported reflection of expression-based index",
    "ignore:autogenerate skipping metadata-specified expression-based index",
)
"""Of SQLite's indexes of expressions SQLAlchemy says that it cannot read them back."""


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where nothing is yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/assay.db"
    create: Callable[..., str] = request.getfixturevalue("create_database")
    return create()


def look(url: str, see: Callable[[Connection], Any]) -> Any:
    """What ``see`` sees on a connection of SQLAlchemy's."""
    if url.startswith("sqlite"):
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            return see(connection)

    async def run() -> Any:
        engine = create_async_engine(
            url.replace("postgresql:", "postgresql+asyncpg:"), poolclass=NullPool
        )
        async with engine.begin() as connection:
            found = await connection.run_sync(see)
        await engine.dispose()
        return found

    return asyncio.run(run())


def is_compared(_object: object, name: str | None, kind: str, *_: object) -> bool:
    if kind == "index":  # of an expression, which Alembic does not compare: see test_releases.py
        return name != "ix_versions_release"
    return kind != "table" or not (name or "").startswith("audit_entries_")


def differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "include_object": is_compared}
    found: list[Any] = compare_metadata(
        MigrationContext.configure(connection, opts=options), metadata
    )
    return found


@_NOT_REFLECTED
def test_migrations_make_the_schema_that_the_code_expects(empty_url: str) -> None:
    asyncio.run(migrate(empty_url))

    assert look(empty_url, differences) == []


def test_constraints_are_made_too(empty_url: str) -> None:
    asyncio.run(migrate(empty_url))

    def checks(connection: Connection) -> set[str]:
        inspector = inspect(connection)
        tables = metadata.tables.keys()
        return {str(c["name"]) for t in tables for c in inspector.get_check_constraints(t)}

    expected = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if type(constraint).__name__ == "CheckConstraint"
    }
    assert look(empty_url, checks) == expected != set()


@_NOT_REFLECTED
def test_the_schema_goes_up_and_down_and_up_again(empty_url: str) -> None:
    asyncio.run(migrate(empty_url))
    assert asyncio.run(current(empty_url)) == "0008"

    asyncio.run(migrate(empty_url, "base"))
    left = look(empty_url, lambda connection: inspect(connection).get_table_names())
    assert asyncio.run(current(empty_url)) is None
    asyncio.run(migrate(empty_url))

    assert left == ["alembic_version"]
    assert look(empty_url, differences) == []


def test_migrating_again_keeps_what_is_there(empty_url: str) -> None:
    async def fill() -> None:
        store = await open_store(empty_url, TickingClock(), bring_up_to_date=True)
        await add_namespace(store)
        await store.close()
        await migrate(empty_url)
        store = await open_store(empty_url, TickingClock(), bring_up_to_date=True)
        async with store.metadata.read() as reader:
            await reader.namespaces.get("vision")
        await store.close()

    asyncio.run(fill())


def test_the_history_begins_with_what_is_there_when_it_is_made(empty_url: str) -> None:
    """A registry from before the history: its past is refused, its present is the first of it."""

    async def fill() -> tuple[int, Any]:
        store = await open_store(empty_url, TickingClock(), bring_up_to_date=True)
        revision = await add_life(store)
        async with store.metadata.read() as reader:
            found = await seen(reader)
        await store.close()
        return revision, found

    async def look_back(revision: int) -> Any:
        store = await open_store(empty_url, TickingClock())
        await add_model(store, make_model("later"))
        with pytest.raises(RevisionCompacted):
            async with store.metadata.read(revision - 1):
                pass
        async with store.metadata.read(revision) as reader:
            found = await seen(reader)
        await store.close()
        return found

    revision, found = asyncio.run(fill())
    asyncio.run(migrate(empty_url, "0001"))
    asyncio.run(migrate(empty_url))

    assert found["live"] or found["all"]
    assert asyncio.run(look_back(revision)) == found


def test_of_bindings_that_are_there_twice_the_oldest_stays(empty_url: str) -> None:
    asyncio.run(migrate(empty_url))
    asyncio.run(migrate(empty_url, "0003"))
    rows = [
        ("", "b", "admin", "ann", 2),
        ("", "a", "admin", "ann", 2),
        ("", "c", "admin", "ann", 3),
        ("", "d", "admin", "bob", 3),
        ("", "e", "auditor", "ann", 3),
        ("namespaces/x", "f", "admin", "ann", 3),
    ]
    add = "INSERT INTO role_bindings VALUES ('{}', '{}', '{}', '{}', 'eve', {})"
    for row in rows:
        look(empty_url, lambda c, row=row: c.execute(text(add.format(*row))) and None)  # type: ignore[misc]

    asyncio.run(migrate(empty_url))

    every = text("SELECT binding_id FROM role_bindings ORDER BY binding_id")
    assert look(empty_url, lambda c: [*c.execute(every).scalars()]) == ["a", "d", "e", "f"]
    with pytest.raises(IntegrityError):
        look(empty_url, lambda c: c.execute(text(add.format(*rows[2]))))


async def add_life(store: Store) -> int:
    await add_namespace(store)
    await add_namespace(store, "speech")
    life = Life(store, random.Random(3))
    return max([await life.step() for _ in range(30)])


def test_a_newer_schema_is_neither_opened_nor_migrated(empty_url: str) -> None:
    asyncio.run(migrate(empty_url))
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    look(empty_url, lambda connection: connection.execute(newer) and None)

    for attempt in (open_store(empty_url, TickingClock()), migrate(empty_url)):
        with pytest.raises(SchemaDoesNotFit, match="schema 9999, which this server does not know"):
            asyncio.run(attempt)  # type: ignore[arg-type]


def test_a_database_without_a_schema_is_not_opened(empty_url: str) -> None:
    with pytest.raises(SchemaDoesNotFit, match=r"has no schema yet\. Run: assay-server migrate"):
        asyncio.run(open_store(empty_url, TickingClock()))  # type: ignore[arg-type]


def test_a_postgresql_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreNotOpened, match="does not answer"):
        asyncio.run(open_store("postgresql://nobody@127.0.0.1:1/x", TickingClock()))  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "assay.db", ""])
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(StoreNotOpened, match="must be sqlite:///path or postgresql://"):
        asyncio.run(open_store(url, TickingClock()))  # type: ignore[arg-type]
