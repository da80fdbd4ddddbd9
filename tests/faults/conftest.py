"""Servers to be killed, and where they keep things."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assay_server.config import Config
from assay_server.config.settings import StoreSection
from tests.faults.serving import Nursery, Place
from tests.pki import Authority
from tests.wire.registry import settings


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where servers come from."""
    one = Nursery()
    yield one
    one.close()


@pytest.fixture(params=("sqlite", "postgres"))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where the servers that follow each other keep everything, on each database in turn."""
    if request.param == "sqlite":
        return Place.below(tmp_path)
    create_database: Callable[..., str] = request.getfixturevalue("create_database")
    return Place(create_database(), tmp_path / "blobs")


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority) -> Config:
    """A registry over mTLS in the process of the test, on each database in turn."""
    made = settings(tmp_path, authority, access_fresh_s=0.0)
    if request.param == "sqlite":
        return made
    return replace(made, store=StoreSection(url=request.getfixturevalue("postgres_url")))
