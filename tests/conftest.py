"""Fixtures for every folder of tests: PostgreSQL and certificates, made when first asked for."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.absence import absent
from tests.pki import Authority
from tests.postgres import PostgresCluster, find_binaries


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start, also where a script runs the tests.

    A shell starts a background job with SIGINT ignored, and every child inherits that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Where tests run in several processes, keeps together what shares something dear.

    A file shares its servers; all that builds the Go or the Java client shares its build.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "builds" if {"go", "java", "scenario"} & set(file.split("/")) else file


@pytest.hookimpl(optionalhook=True)  # also with -p no:xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session")
def postgres_binaries() -> Path:
    """The directory of initdb and postgres."""
    return find_binaries() or absent(
        "PostgreSQL", "install it (Debian: apt-get install postgresql)"
    )


@pytest.fixture(scope="session")
def postgres(postgres_binaries: Path) -> Iterator[PostgresCluster]:
    """A running PostgreSQL, shared by the session."""
    cluster = PostgresCluster(postgres_binaries)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def create_database(postgres: PostgresCluster) -> Iterator[Callable[..., str]]:
    """A function that makes a fresh database, dropped after the test, and returns its URL."""
    made: list[str] = []

    def create(template: str = "template1") -> str:
        made.append(postgres.create_database(template))
        return postgres.url(made[-1])

    yield create
    for name in made:
        postgres.drop_database(name)


@pytest.fixture
def postgres_url(create_database: Callable[..., str]) -> str:
    """The URL (postgresql://…) of an empty database of this test's own."""
    return create_database()


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The certificate authority that test servers trust."""
    return Authority.create("Assay test authority")


@pytest.fixture(scope="session")
def other_authority() -> Authority:
    """An authority that no test server trusts."""
    return Authority.create("Some other authority")
