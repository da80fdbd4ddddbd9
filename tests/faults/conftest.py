"""Servers to be killed, and where they keep things."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.serving import Nursery, Place


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
