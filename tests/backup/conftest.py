"""Registries to back up, and empty places to restore to, on both databases."""

import asyncio
import shutil
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


async def fill(place: Place) -> None:
    """Two published versions; ``champion`` was moved twice."""
    await migrate(place.url)
    async with place.open() as working:
        await working.found()
        await working.publish("one")
        await working.publish("two")


@pytest.fixture(scope="session")
def sound_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry in SQLite, to be copied."""
    directory = tmp_path_factory.mktemp("sound")
    asyncio.run(fill(Place(f"sqlite:///{directory}/assay.db", directory / "blobs")))
    return directory


@pytest.fixture(scope="session")
def sound_database(
    postgres: PostgresCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """A registry in PostgreSQL, to be copied: the name of its database, and its blobs."""
    name, blobs = postgres.create_database(), tmp_path_factory.mktemp("sound") / "blobs"
    asyncio.run(fill(Place(postgres.url(name), blobs)))
    yield name, blobs
    postgres.drop_database(name)


@pytest.fixture
def on_sqlite(sound_files: Path, tmp_path: Path) -> Place:
    shutil.copytree(sound_files, tmp_path / "registry")
    directory = tmp_path / "registry"
    return Place(f"sqlite:///{directory}/assay.db", directory / "blobs")


@pytest.fixture(params=["sqlite", "postgres"])
def sound(request: pytest.FixtureRequest) -> Place:
    """A registry that agrees with itself."""
    if request.param == "sqlite":
        place: Place = request.getfixturevalue("on_sqlite")
        return place
    name, blobs = request.getfixturevalue("sound_database")
    return Place(request.getfixturevalue("create_database")(name), blobs)
