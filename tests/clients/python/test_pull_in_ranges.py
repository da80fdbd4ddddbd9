"""A large file in ranges: several at once, and a pull that ended goes on in another process."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay import AsyncClient, errors, retries
from assay.transfer import part
from tests.clients.python.serving import serving
from tests.clients.python.storing import Store

PIECE_BYTES = 16 * 1024
PIECES = 10
CONTENTS = {"config.json": b"{}", "weights.bin": os.urandom(PIECES * PIECE_BYTES - 100)}

PULL = """
import sys
from assay import Client
from assay.transfer import part
part.PIECE_BYTES = int(sys.argv[3])
with Client(sys.argv[1], tls=None) as client:
    client.pull("vision/digits/1", to=sys.argv[2])
"""


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "PIECE_BYTES", PIECE_BYTES)


@pytest.fixture
def store() -> Store:
    made = Store()
    made.hold(CONTENTS)
    return made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out/digits"


def left_of(store: Store, target: Path) -> Path:
    """Where an interrupted pull keeps what it has; the Go client knows the same place."""
    digits = store.version.manifest_digest.removeprefix("sha256:")[:16]
    return target.parent / f".digits.{digits}.part"


def assert_whole(target: Path) -> None:
    for path, content in CONTENTS.items():
        assert (target / path).read_bytes() == content
    assert [path.name for path in target.parent.iterdir()] == ["digits"]


def offsets(store: Store) -> list[int]:
    return sorted(offset for _, path, offset in store.reads if path == "weights.bin")


@pytest.fixture(autouse=True)
def short_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "SILENCE_S", 1.0)


async def interrupted(store: Store, target: Path) -> None:
    """A pull that got the first half, and then lost its server."""

    async def half(request: Any, context: Any) -> Any:
        if request.offset >= PIECES // 2 * PIECE_BYTES:
            await asyncio.Event().wait()
        async for message in store.read_artifact(request, context):
            yield message

    handlers = store.handlers() | {"ReadArtifact": half}
    async with serving(handlers) as address, AsyncClient(address, tls=None, patience_s=1) as client:
        with pytest.raises(errors.DownloadInterrupted, match="Pull again to go on"):
            await client.pull("vision/digits/1", to=target)
    store.reads.clear()


async def test_four_ranges_of_one_file_arrive_at_once_each_on_its_own_connection(
    store: Store, target: Path
) -> None:
    together = asyncio.Barrier(4)
    met: list[bool] = []

    async def read_artifact(request: Any, context: Any) -> Any:
        if request.path == "weights.bin" and request.offset < 4 * PIECE_BYTES:
            await together.wait()
            met.append(True)
        async for message in store.read_artifact(request, context):
            yield message

    handlers = store.handlers() | {"ReadArtifact": read_artifact}
    async with serving(handlers) as address, AsyncClient(address, tls=None) as client:
        await client.pull("vision/digits/1", to=target)

    assert_whole(target)
    assert len(met) == 4
    assert offsets(store) == [piece * PIECE_BYTES for piece in range(PIECES)]
    assert len({peer for peer, path, _ in store.reads if path == "weights.bin"}) == 4


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["killed", "ctrl-c"])
async def test_a_pull_that_was_ended_goes_on_in_another_process(
    store: Store, target: Path, end: signal.Signals
) -> None:
    half = PIECES // 2 * PIECE_BYTES
    stuck = asyncio.Event()
    go_on = asyncio.Event()

    async def read_artifact(request: Any, context: Any) -> Any:
        if request.offset >= half and not go_on.is_set():
            stuck.set()
            await go_on.wait()
            return  # whoever asked has ended
        async for message in store.read_artifact(request, context):
            yield message

    async with serving(store.handlers() | {"ReadArtifact": read_artifact}) as address:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PULL, address, str(target), str(PIECE_BYTES)),
            stderr=subprocess.DEVNULL,
        )
        await asyncio.wait_for(stuck.wait(), 60)
        journal = left_of(store, target) / "pieces/1"
        async with asyncio.timeout(60):
            # Another process writes it.
            while journal.read_bytes() != b"\1" * (PIECES // 2):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        process.send_signal(end)
        await process.wait()
        assert not target.exists()
        go_on.set()
        store.reads.clear()

        async with AsyncClient(address, tls=None) as client:
            await client.pull("vision/digits/1", to=target)

    assert_whole(target)
    assert offsets(store) == [piece * PIECE_BYTES for piece in range(PIECES // 2, PIECES)]


async def test_after_a_lost_server_only_the_missing_pieces_are_fetched(
    store: Store, target: Path
) -> None:
    await interrupted(store, target)
    assert not target.exists()

    async with (
        serving(store.handlers()) as address,
        AsyncClient(address, tls=None) as client,
    ):
        await client.pull("vision/digits/1", to=target)

    assert_whole(target)
    assert offsets(store)[0] == PIECES // 2 * PIECE_BYTES


async def test_what_was_left_is_fetched_anew_where_it_does_not_have_its_digest(
    store: Store, target: Path
) -> None:
    await interrupted(store, target)
    with (left_of(store, target) / "files/weights.bin").open("r+b") as left:
        left.write(b"damaged by a crash of the machine")

    async with (
        serving(store.handlers()) as address,
        AsyncClient(address, tls=None) as client,
    ):
        await client.pull("vision/digits/1", to=target)

    assert_whole(target)
    assert set(offsets(store)) == {piece * PIECE_BYTES for piece in range(PIECES)}


async def test_only_one_pull_at_a_time_fills_a_target(store: Store, target: Path) -> None:
    await interrupted(store, target)
    lock = os.open(left_of(store, target) / "lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    async with (
        serving(store.handlers()) as address,
        AsyncClient(address, tls=None) as client,
    ):
        with pytest.raises(errors.TargetBusy, match="Wait for it"):
            await client.pull("vision/digits/1", to=target)
        os.close(lock)

        await client.pull("vision/digits/1", to=target)

    assert_whole(target)


async def test_what_pulls_of_other_versions_left_is_removed_unless_they_go_on(
    store: Store, target: Path
) -> None:
    abandoned = target.parent / f".digits.{'a' * 16}.part"
    busy = target.parent / f".digits.{'b' * 16}.part"
    others = target.parent / f".letters.{'c' * 16}.part"
    for directory in (abandoned, busy, others):
        (directory / "files").mkdir(parents=True, mode=0o700)
        directory.chmod(0o700)
        (directory / "files/weights.bin").write_bytes(b"half")
    lock = os.open(busy / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)

    async with (
        serving(store.handlers()) as address,
        AsyncClient(address, tls=None) as client,
    ):
        await client.pull("vision/digits/1", to=target)
    os.close(lock)

    left = {path.name for path in target.parent.iterdir()}
    assert left == {"digits", busy.name, others.name}


async def test_a_place_that_others_may_write_to_is_not_used(store: Store, target: Path) -> None:
    left = left_of(store, target)
    left.mkdir(parents=True)
    left.chmod(0o777)

    async with (
        serving(store.handlers()) as address,
        AsyncClient(address, tls=None) as client,
    ):
        with pytest.raises(errors.TargetExists, match="open to others"):
            await client.pull("vision/digits/1", to=target)

    assert list(left.iterdir()) == []


async def test_a_directory_that_cannot_be_written_is_named(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    async with (
        serving(store.handlers()) as address,
        AsyncClient(address, tls=None) as client,
    ):
        with pytest.raises(errors.LocalFileFailure, match=r"written: .*another directory"):
            await client.pull("vision/digits/1", to=tmp_path / "file/digits")


async def test_a_version_of_many_small_files_arrives_whole(target: Path) -> None:
    contents = {f"shard-{number:03}.bin": os.urandom(number) for number in range(200)}
    many = Store()
    many.hold(contents)

    async with (
        serving(many.handlers()) as address,
        AsyncClient(address, tls=None) as client,
    ):
        await client.pull("vision/digits/1", to=target)

    assert {path.name: path.read_bytes() for path in target.iterdir()} == contents
    assert [path.name for path in target.parent.iterdir()] == ["digits"]
