"""Registries over real stores: SQLite for most, both databases where locks decide."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from assay_server.sqlstore.opening import open_store
from tests.postgres import PostgresCluster
from tests.services.registry import Registry, SteppingClock


async def _make(url: str) -> None:
    store = await open_store(url, SteppingClock(), bring_up_to_date=True)
    await store.close()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an empty registry, to be copied: faster than making each anew."""
    directory = tmp_path_factory.mktemp("empty") / "registry"
    directory.mkdir()
    asyncio.run(_make(f"sqlite:///{directory}/registry.db"))
    return directory


@pytest.fixture(scope="session")
def empty_postgres(postgres: PostgresCluster) -> Iterator[str]:
    """The name of a database with an empty registry, to be copied."""
    name = postgres.create_database()
    asyncio.run(_make(postgres.url(name)))
    yield name
    postgres.drop_database(name)


@pytest.fixture
def sqlite_url(empty_sqlite: Path, tmp_path: Path) -> str:
    """The URL of an empty registry of this test's own."""
    shutil.copytree(empty_sqlite, tmp_path / "registry")
    return f"sqlite:///{tmp_path}/registry/registry.db"


@pytest.fixture
async def registry(sqlite_url: str) -> AsyncIterator[Registry]:
    """A registry over SQLite."""
    store = await open_store(sqlite_url, SteppingClock())
    try:
        yield await Registry(store.metadata).begin()
    finally:
        await store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def each_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty registry, first in SQLite, then in PostgreSQL."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    create_database: Callable[..., str] = request.getfixturevalue("create_database")
    return create_database(request.getfixturevalue("empty_postgres"))


@pytest.fixture
async def each_registry(each_url: str) -> AsyncIterator[Registry]:
    """A registry over SQLite, and one over PostgreSQL."""
    store = await open_store(each_url, SteppingClock())
    try:
        yield await Registry(store.metadata).begin()
    finally:
        await store.close()
