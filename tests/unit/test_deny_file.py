"""The file of the denied while somebody writes it: nobody gets in for that moment."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from assay_server.access.denying import DenyList
from assay_server.transport.deny_file import DenyFile, UnusableDenyFile

ALL = "serial 1\nserial 2\nserial 3\n"
NEVER_S = 3600.0


class Follower:
    """What is in force, as the file changes."""

    def __init__(self, path: Path, *, settle_s: float) -> None:
        self.told: list[DenyList] = []
        self.metrics = CollectorRegistry()
        self.file = DenyFile(path, self.metrics, self.told.append, look_s=0.005, settle_s=settle_s)

    @property
    def in_force(self) -> set[int]:
        return set(self.told[-1].serial_numbers) if self.told else set()

    @property
    def is_current(self) -> bool:
        return self.metrics.get_sample_value("assay_deny_list_is_current") == 1


@asynccontextmanager
async def following(path: Path, *, settle_s: float) -> AsyncIterator[Follower]:
    follower = Follower(path, settle_s=settle_s)
    task = asyncio.create_task(follower.file.follow())
    yield follower
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(happens: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        for wait_s in itertools.repeat(0.005):
            if happens():
                return
            await asyncio.sleep(wait_s)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "denied"
    made.write_text(ALL)
    return made


async def test_a_list_that_is_emptied_to_be_written_anew_lets_nobody_in(path: Path) -> None:
    async with following(path, settle_s=0.0) as follower:
        path.write_text("")
        await until(lambda: not follower.is_current)
        path.write_text("serial 4\n")
        await until(lambda: follower.in_force == {4})

    assert [set(told.serial_numbers) for told in follower.told] == [{1, 2, 3}, {4}]


async def test_half_of_a_list_denies_whom_the_last_one_did_until_it_settles(path: Path) -> None:
    async with following(path, settle_s=NEVER_S) as follower:
        path.write_text("serial 4\n")
        await until(lambda: 4 in follower.in_force)
        path.write_text("serial 4\nserial 5\n")
        await until(lambda: 5 in follower.in_force)

    assert follower.in_force == {1, 2, 3, 4, 5}
    assert follower.is_current


async def test_who_was_taken_out_gets_in_when_the_list_has_settled(path: Path) -> None:
    async with following(path, settle_s=0.05) as follower:
        path.write_text("serial 2\n")
        await until(lambda: follower.in_force == {2})
        path.write_text("nobody\n")
        await until(lambda: follower.in_force == set())

    assert follower.is_current


def test_a_server_does_not_start_with_a_list_that_was_emptied(path: Path) -> None:
    path.write_text("")

    with pytest.raises(UnusableDenyFile, match="denied: it has no entries"):
        Follower(path, settle_s=NEVER_S)
