"""Pull: whole and verified under the final name, or nothing there at all."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay import errors
from assay.v1.artifact_service_pb2 import ReadArtifactResponse
from tests.clients.python.serving import serving
from tests.clients.python.storing import Store, digest_of

CONTENTS = {"config.json": b"{}", "weights/a.bin": os.urandom(50_000), "weights/empty": b""}


@pytest.fixture
def store() -> Store:
    made = Store()
    made.hold(CONTENTS)
    return made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out/digits"


def content_of(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_a_version_arrives_whole(connected: Any, store: Store, target: Path) -> None:
    client = await connected(store.handlers())

    pulled = await client.pull("vision/digits@champion", to=target)

    assert content_of(target) == CONTENTS
    assert pulled.directory == target
    assert pulled.version.number == 1
    assert pulled.warnings == ("old",)
    assert sorted(pulled.files) == sorted(target / path for path in CONTENTS)
    assert not pulled.was_there
    assert names_in(target.parent) == ["digits"]


async def test_a_target_that_is_this_version_already_is_verified_and_left(
    connected: Any, store: Store, target: Path
) -> None:
    client = await connected(store.handlers())
    await client.pull("vision/digits/1", to=target)
    store.calls.clear()

    again = await client.pull("vision/digits/1", to=target)

    assert again.was_there
    assert store.calls == []


@pytest.mark.parametrize("change", ["altered", "extra", "missing", "file", "link"])
async def test_a_target_that_holds_anything_else_is_not_touched(
    connected: Any, store: Store, target: Path, change: str
) -> None:
    client = await connected(store.handlers())
    if change in {"altered", "extra", "missing"}:
        await client.pull("vision/digits/1", to=target)
    match change:
        case "altered":
            (target / "config.json").write_bytes(b"[]")
        case "extra":
            (target / "mine").write_bytes(b"")
        case "missing":
            (target / "config.json").unlink()
        case "file":
            target.write_text("mine")
        case "link":
            target.symlink_to(target.parent)
    before = content_of(target.parent)

    with pytest.raises(errors.TargetExists, match="exists and does not hold exactly"):
        await client.pull("vision/digits/1", to=target)

    assert content_of(target.parent) == before


async def test_an_empty_directory_may_be_filled(connected: Any, store: Store, target: Path) -> None:
    target.mkdir()
    client = await connected(store.handlers())

    await client.pull("vision/digits/1", to=target)

    assert content_of(target) == CONTENTS


async def test_a_broken_download_goes_on_from_what_is_written(
    connected: Any, store: Store, target: Path
) -> None:
    store.sends_at_most = [2, 20_000, 20_000]
    client = await connected(store.handlers())

    await client.pull("vision/digits/1", to=target)

    assert content_of(target) == CONTENTS
    assert store.calls.count("ReadArtifact") > 2


async def test_a_download_that_does_not_move_is_given_up_and_leaves_nothing(
    connected: Any, store: Store, target: Path
) -> None:
    store.sends_at_most = [0] * 99
    client = await connected(store.handlers(), patience_s=0.3)

    with pytest.raises(errors.DownloadInterrupted, match="stopped at 0 of"):
        await client.pull("vision/digits/1", to=target)

    assert names_in(target.parent) == []


async def test_bytes_that_break_their_digest_are_not_kept(
    connected: Any, store: Store, target: Path
) -> None:
    store.contents = CONTENTS | {"weights/a.bin": os.urandom(50_000)}
    client = await connected(store.handlers())

    with pytest.raises(errors.ContentMismatch, match=r"weights/a\.bin .* arrived with"):
        await client.pull("vision/digits/1", to=target)

    assert names_in(target.parent) == []


async def test_a_server_that_holds_less_than_it_listed_is_told_so(
    connected: Any, store: Store, target: Path
) -> None:
    store.contents = CONTENTS | {"weights/a.bin": b"short"}
    client = await connected(store.handlers())

    with pytest.raises(errors.ContentMismatch, match="holds less of"):
        await client.pull("vision/digits/1", to=target)

    assert names_in(target.parent) == []


async def test_a_server_that_sends_too_much_is_stopped(
    connected: Any, store: Store, target: Path
) -> None:
    store.contents = CONTENTS | {"config.json": b"{}" * 1000}

    async def everything(request: Any, context: Any) -> Any:
        request.length = 0
        async for message in store.read_artifact(request, context):
            yield message

    client = await connected(store.handlers() | {"ReadArtifact": everything})

    with pytest.raises(errors.ContentMismatch, match="sent more of"):
        await client.pull("vision/digits/1", to=target)

    assert names_in(target.parent) == []


async def test_a_damaged_message_is_asked_for_again(
    connected: Any, store: Store, target: Path
) -> None:
    damage = [True]

    async def read_artifact(request: Any, context: Any) -> Any:
        async for message in store.read_artifact(request, context):
            if message.data and damage and damage.pop():
                message.crc32c ^= 1
            yield message

    client = await connected(store.handlers() | {"ReadArtifact": read_artifact})

    await client.pull("vision/digits/1", to=target)

    assert content_of(target) == CONTENTS


async def test_a_list_of_files_that_breaks_its_digest_is_refused_before_any_byte(
    connected: Any, store: Store, target: Path
) -> None:
    store.version.files[0].digest = digest_of(b"something else")
    client = await connected(store.handlers())

    with pytest.raises(errors.ContentMismatch, match="Do not use this version"):
        await client.pull("vision/digits/1", to=target)

    assert store.calls == []


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/evil", "a/../../evil", "a//b", ".hidden", "a\\b", "con", "a\nb", ""]
)
async def test_a_server_cannot_write_outside_of_the_target(
    connected: Any, target: Path, path: str
) -> None:
    store = Store()
    store.hold({path: b"evil"})
    client = await connected(store.handlers())

    with pytest.raises(errors.ContentMismatch, match="lists the path"):
        await client.pull("vision/digits/1", to=target)

    assert names_in(target.parent) == []


async def test_paths_that_collide_are_refused(connected: Any, target: Path) -> None:
    store = Store()
    store.hold({"a": b"1", "A": b"2"})
    client = await connected(store.handlers())

    with pytest.raises(errors.ContentMismatch, match="collide"):
        await client.pull("vision/digits/1", to=target)


async def test_a_cancelled_pull_leaves_nothing(connected: Any, store: Store, target: Path) -> None:
    started = asyncio.Event()

    async def stuck(request: Any, context: Any) -> Any:
        started.set()
        yield ReadArtifactResponse()
        await asyncio.Event().wait()

    client = await connected(store.handlers() | {"ReadArtifact": stuck})
    pull = asyncio.create_task(client.pull("vision/digits/1", to=target))
    await started.wait()

    pull.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pull

    assert names_in(target.parent) == []


async def test_a_full_disk_says_so_and_leaves_nothing(
    connected: Any, store: Store, target: Path
) -> None:
    import resource

    client = await connected(store.handlers())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(errors.LocalDiskFull, match="There is no room for"):
            await client.pull("vision/digits/1", to=target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)

    assert names_in(target.parent) == []


PULL = """
import sys
from assay import Client
with Client(sys.argv[1], tls=None) as client:
    client.pull("vision/digits/1", to=sys.argv[2])
"""


async def test_a_pull_killed_in_the_middle_leaves_nothing_under_the_final_name(
    store: Store, target: Path
) -> None:
    stuck = asyncio.Event()

    async def read_artifact(request: Any, context: Any) -> Any:
        async for message in store.read_artifact(request, context):
            if message.offset > 20_000:
                stuck.set()
                await asyncio.Event().wait()
            yield message

    async with serving(store.handlers() | {"ReadArtifact": read_artifact}) as address:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PULL, address, str(target), stderr=subprocess.DEVNULL
        )
        await asyncio.wait_for(stuck.wait(), 30)
        process.kill()
        await process.wait()

    assert not target.exists()


@pytest.mark.parametrize("named", ["y" * 300, "file/below"], ids=["too long", "below a file"])
async def test_a_target_that_cannot_be_is_a_failure_of_this_machine(
    connected: Any, store: Store, tmp_path: Path, named: str
) -> None:
    (tmp_path / "file").touch()
    client = await connected(store.handlers())

    with pytest.raises(errors.LocalFileFailure, match="cannot be written"):
        await client.pull("vision/digits/1", to=tmp_path / named)


async def test_an_empty_path_is_not_the_current_directory(connected: Any, store: Store) -> None:
    client = await connected(store.handlers())

    with pytest.raises(errors.InvalidPath, match="path is empty"):
        await client.pull("vision/digits/1", to="")
    with pytest.raises(errors.InvalidPath, match="path is empty"):
        await client.push("", to="vision/digits")
