"""What earlier versions kept is opened by this one: every schema since the first."""

import asyncio
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, create_engine, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from assay_server.app.checking import check
from assay_server.domain.errors import RequestIdReused
from assay_server.domain.models import ModelChange
from assay_server.sqlstore.opening import open_store
from assay_server.sqlstore.schema import current, migrate
from tests.backup.busy import Place, quiet
from tests.postgres import PostgresCluster
from tests.services.registry import DIGITS, Registry, SteppingClock, again
from tests.upgrades.making import RETRIED
from tests.upgrades.summary import summary

KEPT = sorted(
    path.name for path in Path(__file__).parent.iterdir() if (path / "expected.json").exists()
)
Rows = dict[str, list[dict[str, Any]]]


def test_a_registry_of_every_earlier_schema_is_kept() -> None:
    assert KEPT[0] == "0001"


@pytest.fixture(params=KEPT)
def kept(request: pytest.FixtureRequest) -> Path:
    return Path(__file__).parent / str(request.param)


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, kept: Path, tmp_path: Path) -> Place:
    """A registry as an earlier version left it."""
    with tarfile.open(fileobj=io.BytesIO((kept / "sqlite.tar.gz").read_bytes())) as tar:
        tar.extractall(tmp_path / "old", filter="data")
    blobs = tmp_path / "old/blobs"
    if request.param == "sqlite":
        return Place(f"sqlite:///{tmp_path}/old/assay.db", blobs)
    create: Callable[[], str] = request.getfixturevalue("create_database")
    postgres: PostgresCluster = request.getfixturevalue("postgres")
    url = create()
    dump = gzip.decompress((kept / "postgres.sql.gz").read_bytes()).decode()
    postgres.load(dump, url.rpartition("/")[2])
    return Place(url, blobs)


def test_an_old_registry_is_read_checked_and_goes_on(old: Place, kept: Path) -> None:
    assert asyncio.run(current(old.url)) == kept.name

    asyncio.run(migrate(old.url))

    assert asyncio.run(summary(old.url)) == json.loads((kept / "expected.json").read_text())
    checked = asyncio.run(check(old.config, quiet, is_hashed=True))
    assert checked.discoveries == []
    asyncio.run(require_going_on(old))
    assert asyncio.run(check(old.config, quiet, is_hashed=True)).is_sound


async def require_going_on(old: Place) -> None:
    """A retry from before gets the first answer; the next version has the next number."""
    store = await open_store(old.url, SteppingClock())
    try:
        models = Registry(store.metadata).models
        change = ModelChange(
            task="image-classification", keywords=("digits",), tags={"team": "vision"}
        )
        retried = await models.create(again(RETRIED), DIGITS, change)
        assert retried.is_replay
        assert retried.answer.tags == {"team": "vision"}
        other = replace(RETRIED, payload_sha256="0" * 64)
        with pytest.raises(RequestIdReused):
            await models.create(again(other), DIGITS, change)
    finally:
        await store.close()
    async with old.open() as working:
        await working.keep("weights of 6")
        name = await working.registry.sealed("weights of 6")
        assert name.number == 6


def test_migrations_go_down_and_up_with_rows_in_place(old: Place, kept: Path) -> None:
    before = look(old.url, rows)
    asyncio.run(migrate(old.url))
    newest = asyncio.run(current(old.url))

    asyncio.run(migrate(old.url, kept.name))
    after = look(old.url, rows)
    asyncio.run(migrate(old.url))

    assert after == before
    assert asyncio.run(current(old.url)) == newest
    assert asyncio.run(check(old.config, quiet, is_hashed=True)).discoveries == []


def test_a_registry_with_rows_can_be_taken_down_to_nothing(old: Place) -> None:
    asyncio.run(migrate(old.url))

    asyncio.run(migrate(old.url, "base"))

    assert look(old.url, lambda connection: inspect(connection).get_table_names()) == [
        "alembic_version"
    ]


def look(url: str, see: Callable[[Connection], Any]) -> Any:
    """What ``see`` sees on a connection of SQLAlchemy's."""
    if url.startswith("sqlite"):
        with create_engine(url, poolclass=NullPool).begin() as connection:
            return see(connection)

    async def run() -> Any:
        engine = create_async_engine(
            url.replace("postgresql:", "postgresql+asyncpg:"), poolclass=NullPool
        )
        async with engine.begin() as connection:
            return await connection.run_sync(see)

    return asyncio.run(run())


def rows(connection: Connection) -> Rows:
    """Every row of every table, in an order of their own; partitions are part of their table."""
    found = MetaData()
    found.reflect(connection)
    names = [name for name in found.tables if not name.startswith("audit_entries_")]
    return {
        name: sorted(
            (dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()),
            key=repr,
        )
        for name in names
    }
