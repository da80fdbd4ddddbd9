"""A registry for tests of the wire."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.store.registries import make_empty
from tests.pki import Authority
from tests.postgres import PostgresCluster
from tests.wire.registry import Registry, open_registry, settings


@pytest_asyncio.fixture
async def registry(tmp_path: Path, authority: Authority) -> AsyncIterator[Registry]:
    """A registry of this test's own."""
    async with open_registry(settings(tmp_path, authority), authority) as running:
        yield running


@pytest.fixture(scope="session")
def empty_registry(postgres: PostgresCluster) -> Iterator[str]:
    """The name of a PostgreSQL database with the schema, to be copied."""
    name = postgres.create_database()
    asyncio.run(make_empty(postgres.url(name)))
    yield name
    postgres.drop_database(name)


@pytest.fixture
def registry_url(create_database: Callable[..., str], empty_registry: str) -> str:
    """Where an empty registry of this test's own is in PostgreSQL."""
    return create_database(empty_registry)
