"""Registries to back up, and empty places to restore to, on both databases."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assay_server.sqlstore.schema import migrate
from tests.backup.busy import Place
from tests.postgres import PostgresCluster

MakePlace = Callable[..., Place]


@pytest.fixture(params=["sqlite", "postgres"])
def make_place(request: pytest.FixtureRequest, tmp_path: Path) -> MakePlace:
    """A function that gives a place where nothing is yet."""

    def make(name: str, *, with_schema: bool = False) -> Place:
        directory = tmp_path / name
        directory.mkdir()
        if request.param == "sqlite":
            place = Place(f"sqlite:///{directory}/assay.db", directory / "blobs")
            if with_schema:
                asyncio.run(migrate(place.url))
            return place
        create: Callable[..., str] = request.getfixturevalue("create_database")
        template = request.getfixturevalue("empty_database") if with_schema else "template1"
        return Place(create(template), directory / "blobs")

    return make


@pytest.fixture(scope="session")
def empty_database(postgres: PostgresCluster) -> Iterator[str]:
    """The name of a database with the schema, to be copied: faster than making it anew."""
    name = postgres.create_database()
    asyncio.run(migrate(postgres.url(name)))
    yield name
    postgres.drop_database(name)


@pytest.fixture
def place(make_place: MakePlace) -> Place:
    """A place with the schema of a registry."""
    return make_place("registry", with_schema=True)


@pytest.fixture
def elsewhere(make_place: MakePlace) -> Place:
    """A place where nothing is."""
    return make_place("elsewhere")
