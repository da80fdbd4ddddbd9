"""A full disk with space kept for the trail: reads go on and are on record, changes wait."""

import asyncio
import errno
import itertools
import os
import sqlite3
from pathlib import Path

import pytest

from assay_server.domain.errors import AuditUnavailable, StorageFull
from assay_server.sqlstore.opening import Store, open_store
from assay_server.sqlstore.reserve import STEP_BYTES, Reserve
from tests.contract.store.registries import (
    TickingClock,
    add_model,
    add_namespace,
    make_call,
    make_empty,
    make_entry,
    make_model,
    read,
)

RESERVE_BYTES = 2 * STEP_BYTES + STEP_BYTES // 4
LATE = "spiffe://lab/late"
ENTRIES_MAX = 20_000
"""Far more than fit into the reserve."""


async def opened(disk: Path) -> tuple[Store, Reserve]:
    url = f"sqlite:///{disk}/assay.db"
    store = await open_store(url, TickingClock(), audit_reserve_bytes=RESERVE_BYTES)
    assert store.audit_reserve is not None
    return store, store.audit_reserve


async def founded(disk: Path) -> tuple[Store, Reserve]:
    await make_empty(f"sqlite:///{disk}/assay.db")
    store, reserve = await opened(disk)
    await add_namespace(store)
    return store, reserve


def fill(disk: Path) -> None:
    """Take every byte that is left."""
    with (disk / "more-ballast").open("ab", buffering=0) as file:
        for size in (1 << 16, 512):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def make_room(disk: Path) -> None:
    (disk / "ballast").unlink()
    (disk / "more-ballast").unlink()


async def record(store: Store, principal: str = LATE) -> None:
    await store.audit_sink.record(make_entry(principal=principal))


async def until_used(store: Store, reserve: Reserve) -> None:
    for _ in range(ENTRIES_MAX):
        await record(store, "spiffe://lab/early")
        if not reserve.is_whole:
            return
    raise AssertionError("the disk was not full")


async def until_whole(store: Store, reserve: Reserve) -> None:
    """Each entry is an occasion to look whether there is room again."""
    async with asyncio.timeout(60):
        while not reserve.is_whole:
            await record(store, "spiffe://lab/meanwhile")
            await asyncio.sleep(0.05)


async def record_until_refused(store: Store) -> int:
    for number in range(ENTRIES_MAX):
        try:
            await record(store)
        except AuditUnavailable:
            return number
    raise AssertionError("the reserve never ends")


def count_of(disk: Path, principal: str) -> int:
    with sqlite3.connect(disk / "audit.db") as connection:
        query = "SELECT count(*) FROM audit_entries WHERE principal = ?"
        return int(connection.execute(query, [principal]).fetchone()[0])


async def test_reads_and_refusals_are_on_record_while_changes_wait_for_room(
    small_disk: Path,
) -> None:
    store, reserve = await founded(small_disk)
    fill(small_disk)

    await until_used(store, reserve)
    with pytest.raises(StorageFull):
        await add_model(store, make_model("refused"))
    assert await read(store, lambda reader: reader.namespaces.get("vision"))
    recorded = await record_until_refused(store)

    assert recorded > 100
    assert reserve.left_bytes == 0
    make_room(small_disk)
    await until_whole(store, reserve)
    await add_model(store, make_model("after"))
    assert count_of(small_disk, LATE) == recorded
    assert reserve.left_bytes == RESERVE_BYTES
    await store.close()


async def test_a_retry_of_what_was_done_gets_its_answer_though_the_disk_is_full(
    small_disk: Path,
) -> None:
    store, reserve = await founded(small_disk)
    done = await add_model(store, make_model("done"), call=make_call(request_id="r1"))
    fill(small_disk)
    await until_used(store, reserve)

    assert await add_model(store, make_model("done"), call=make_call(request_id="r1")) == done
    with pytest.raises(StorageFull):
        await add_model(store, make_model("new"), call=make_call(request_id="r2"))
    await store.close()


async def test_bytes_are_not_taken_either_while_only_the_reserve_is_left(small_disk: Path) -> None:
    store, reserve = await founded(small_disk)
    store.metadata.require_space()
    fill(small_disk)
    await until_used(store, reserve)
    upload = "namespaces/vision/models/digits/drafts/d/uploads/u"

    with pytest.raises(StorageFull):
        store.metadata.require_space()
    with pytest.raises(StorageFull):
        await store.metadata.note_durable(upload, epoch=1, durable_bytes=1)
    await store.close()


async def test_a_server_that_starts_on_a_full_disk_has_what_was_left(small_disk: Path) -> None:
    store, reserve = await founded(small_disk)
    fill(small_disk)
    await until_used(store, reserve)
    left_bytes = reserve.left_bytes
    await store.close()  # which empties the log and gives its space back
    fill(small_disk)

    store, reserve = await opened(small_disk)

    assert reserve.left_bytes == left_bytes - STEP_BYTES > 0
    with pytest.raises(StorageFull):
        await add_model(store)
    await record(store)
    make_room(small_disk)
    await until_whole(store, reserve)
    await add_model(store)
    await store.close()


async def test_a_trail_on_a_disk_of_its_own_keeps_nobody_from_changing(
    small_disk: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/assay.db"
    (tmp_path / "audit.db").symlink_to(small_disk / "audit.db")
    await make_empty(url)
    store = await open_store(url, TickingClock(), audit_reserve_bytes=RESERVE_BYTES)
    reserve = store.audit_reserve
    assert reserve is not None
    assert (small_disk / "audit.db.reserve").stat().st_size == RESERVE_BYTES
    fill(small_disk)

    await until_used(store, reserve)

    await add_namespace(store)
    await store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reserve"


def test_the_space_is_really_taken_where_files_cannot_be_made_longer_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(_descriptor: int, _offset: int, _size: int) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", unsupported)

    Reserve(path, RESERVE_BYTES).close()

    assert path.stat().st_blocks * 512 >= path.stat().st_size == RESERVE_BYTES


def test_a_file_that_has_the_length_and_not_the_space_is_no_reserve(path: Path) -> None:
    with path.open("wb") as sparse:
        sparse.truncate(RESERVE_BYTES)

    Reserve(path, RESERVE_BYTES).close()

    assert path.stat().st_blocks * 512 >= RESERVE_BYTES


@pytest.mark.parametrize("fewer_bytes", [0, STEP_BYTES])
def test_a_smaller_one_gives_the_rest_back(path: Path, fewer_bytes: int) -> None:
    Reserve(path, RESERVE_BYTES).close()

    reserve = Reserve(path, fewer_bytes)

    assert reserve.is_whole
    assert path.stat().st_size == fewer_bytes
    reserve.close()


def test_what_was_given_up_is_taken_back_when_there_is_room_and_not_asked_for_all_the_time(
    path: Path,
) -> None:
    now_s = itertools.count(step=0.4)  # each look at the clock
    reserve = Reserve(path, RESERVE_BYTES, lambda: next(now_s))
    reserve.take_back()
    assert reserve.give_up_some()
    reserve.take_back()
    assert reserve.is_whole

    assert reserve.give_up_some()
    reserve.take_back()
    assert not reserve.is_whole, "it looked a moment ago"
    while not reserve.is_whole:
        reserve.take_back()
    assert [reserve.give_up_some() for _ in range(4)] == [True, True, True, False]
    reserve.close()
