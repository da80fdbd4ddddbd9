"""Registries on every database, empty for each test."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from assay_server.sqlstore.opening import Store
from assay_server.sqlstore.tables import metadata
from tests.absence import absent
from tests.contract.store.registries import Database, make_empty
from tests.postgres import PostgresCluster

FULL_DISK_BYTES = 8 * 1024 * 1024
DATABASES = ("sqlite", "postgres")
EMPTY = (
    f"TRUNCATE {', '.join(table for table in metadata.tables if table != 'counters')};"
    "UPDATE counters SET value = CASE name WHEN 'oldest_event' THEN 1 ELSE 0 END"
)


@pytest.fixture(scope="session")
def empty_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an empty SQLite registry, to be copied."""
    directory = tmp_path_factory.mktemp("empty")
    asyncio.run(make_empty(f"sqlite:///{directory}/assay.db"))
    return directory


@pytest.fixture(scope="session")
def shared_database(postgres: PostgresCluster) -> str:
    """The name of a PostgreSQL database with the schema; making one takes longer than a test."""
    name = postgres.create_database()
    asyncio.run(make_empty(postgres.url(name)))
    return name


@pytest.fixture
def emptied_url(postgres: PostgresCluster, shared_database: str) -> str:
    """Where an empty registry in PostgreSQL is."""
    postgres.psql(EMPTY, shared_database)
    return postgres.url(shared_database)


@pytest.fixture
def sqlite_url(empty_files: Path, tmp_path: Path) -> str:
    """Where an empty registry in SQLite is."""
    shutil.copytree(empty_files, tmp_path, dirs_exist_ok=True)
    return f"sqlite:///{tmp_path}/assay.db"


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """Where an empty registry is, on each database in turn."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("emptied_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty registry on each database in turn."""
    found = Database(database_url)
    yield found
    await found.close()


@pytest.fixture
async def registry(database: Database) -> Store:
    """An open, empty registry on each database in turn."""
    return await database.open()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of a few MiB, a quarter of it taken by ``ballast``."""
    if os.geteuid() != 0:
        absent("the right to mount", "run as root to see what happens when a disk is full")
    directory = tmp_path / "small"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={FULL_DISK_BYTES}", "tmpfs", directory]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        absent("tmpfs", "let this container mount one (CAP_SYS_ADMIN)")
    (directory / "ballast").write_bytes(bytes(FULL_DISK_BYTES // 4))
    yield directory
    subprocess.run(["umount", "--lazy", directory], check=True)
