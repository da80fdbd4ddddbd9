"""What the disk store promises beyond its port: the order of system calls, and failing disks."""

import asyncio
import errno
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from assay_server.blobstore.direct_io import takes_direct_io
from assay_server.blobstore.disk import Disk
from assay_server.blobstore.operations import FileOperations
from assay_server.domain.errors import StorageFull, StoreUnavailable
from tests.absence import absent
from tests.contract.blobs.backends import DiskBackend, content_of, digest, new_upload_id

MIB = 1 << 20
CHANGING = (
    "write", "allocate", "truncate", "sync", "sync_all", "protect", "rename", "remove",
    "sync_directory",
)  # fmt: skip


class WatchedFiles(FileOperations):
    """Real files that write down what is done to them, and fail where a test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.fails: Callable[[str], int] = lambda name: 0
        for name in CHANGING:
            setattr(self, name, self._watched(name, getattr(self, name)))

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.calls.append((name, _told(arguments)))
            if code := self.fails(name):
                raise OSError(code, os.strerror(code))
            return real(*arguments)

        return call


def _told(arguments: tuple[Any, ...]) -> str:
    """The files that a call concerns, by name."""
    if isinstance(arguments[0], Path):
        return " -> ".join(a.name for a in arguments if isinstance(a, Path))
    return Path(f"/proc/self/fd/{arguments[0]}").readlink().name


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[DiskBackend]:
    made = DiskBackend(tmp_path / "store", direct_io=False)
    yield made
    await made.close()


async def put(store: Disk, upload_id: str, content: bytes, *, durable_bytes: int = 0) -> None:
    incoming = await store.stage(upload_id, durable_bytes=durable_bytes)
    try:
        await incoming.append(content[incoming.size_bytes :])
        await incoming.flush()
    finally:
        await incoming.close()
    await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))


async def read(store: Disk, content: bytes) -> bytes:
    pieces = store.read(digest(content), offset=0, length=len(content))
    return b"".join([piece async for piece in pieces])


async def test_a_blob_is_durable_before_it_has_its_name(backend: DiskBackend) -> None:
    files = WatchedFiles()
    store = backend.open(files)
    content, upload_id = content_of(MIB + 1), new_upload_id()
    sha256 = digest(content)
    files.calls.clear()

    await put(store, upload_id, content)

    assert files.calls == [
        ("sync_directory", "staging"),
        ("write", upload_id),
        ("write", upload_id),
        ("sync", upload_id),
        ("sync_directory", "sha256"),
        ("sync_directory", sha256[:2]),
        ("remove", f"{upload_id}.leaves"),
        ("write", f"{upload_id}.leaves"),
        ("sync_all", f"{upload_id}.leaves"),
        ("rename", f"{upload_id}.leaves -> {sha256}.leaves"),
        ("sync_directory", sha256[2:4]),
        ("sync_directory", "staging"),
        ("protect", upload_id),
        ("sync_all", upload_id),
        ("rename", f"{upload_id} -> {sha256}"),
        ("sync_directory", sha256[2:4]),
    ]


async def test_blobs_are_read_only_and_nobody_elses(backend: DiskBackend) -> None:
    content = content_of(10)
    await put(backend.open(), new_upload_id(), content)

    modes = {
        stat.S_IMODE(path.stat().st_mode)
        for path in (backend.blob(digest(content)), backend.leaves(digest(content)))
    }
    assert modes == {0o444}
    assert stat.S_IMODE(backend.root.stat().st_mode) == 0o700


@pytest.mark.parametrize("bad", ["../../etc/passwd", "", "a" * 36, "ABCDEF00-0000-0000-0000-0"])
async def test_only_ids_become_paths(backend: DiskBackend, bad: str) -> None:
    store = backend.open()

    with pytest.raises(ValueError, match="not a UUID"):
        await store.stage(bad, durable_bytes=0)
    with pytest.raises(ValueError, match="not a SHA-256"):
        await store.size(bad)


async def test_whatever_fails_the_upload_is_finished_by_trying_again(backend: DiskBackend) -> None:
    content, upload_id = content_of(2 * MIB + 5), new_upload_id()
    files = WatchedFiles()
    store = backend.open(files)
    failures = 0
    while True:
        files.calls.clear()
        files.fails = lambda name: errno.EIO if len(files.calls) == failures + 1 else 0  # noqa: B023
        try:
            await put(store, new_upload_id(), content)
        except StoreUnavailable:
            failures += 1
        else:
            break

        files.fails = lambda name: 0
        await put(store, upload_id, content)
        assert await read(store, content) == content
        backend.blob(digest(content)).unlink()
        backend.leaves(digest(content)).unlink()
        await store.discard(upload_id)
    assert failures > 10


async def test_a_blob_that_is_visible_is_whole_wherever_the_power_went(
    backend: DiskBackend,
) -> None:
    content = content_of(MIB + 5)
    for cut_after in range(40):
        files = WatchedFiles()
        store = backend.open(files)
        files.calls.clear()
        files.fails = lambda name: errno.EIO if len(files.calls) > cut_after else 0  # noqa: B023
        try:
            await put(store, new_upload_id(), content)
        except StoreUnavailable:
            pass
        else:
            break

        store = backend.open()
        if await store.size(digest(content)) is not None:
            assert await read(store, content) == content
            assert backend.leaves(digest(content)).exists()
            backend.blob(digest(content)).unlink()
    else:
        pytest.fail("the upload never came through")


@pytest.mark.parametrize("direct_io", [False, True])
async def test_a_full_disk_keeps_what_was_durable(tmp_path: Path, direct_io: bool) -> None:
    if direct_io and not takes_direct_io(tmp_path):
        absent("direct I/O", f"point TMPDIR to a disk whose file system takes it, not {tmp_path}")
    backend = DiskBackend(tmp_path / "store", direct_io=direct_io)
    content, upload_id = content_of(4 * MIB), new_upload_id()
    files = WatchedFiles()
    store = backend.open(files)
    incoming = await store.stage(upload_id, durable_bytes=0)
    await incoming.append(content[: 2 * MIB])
    assert await incoming.flush() == 2 * MIB

    files.fails = lambda name: errno.ENOSPC if name in {"allocate", "write"} else 0
    await incoming.append(content[2 * MIB :])
    with pytest.raises(StorageFull):
        await incoming.flush()
    with pytest.raises(StorageFull):
        await incoming.append(b"more")
    await incoming.close()

    assert backend.staged(upload_id).stat().st_size == 2 * MIB
    files.fails = lambda name: 0
    await put(store, upload_id, content, durable_bytes=2 * MIB)
    assert await read(store, content) == content
    await backend.close()


async def test_a_failed_sync_is_never_tried_again_on_the_same_file(backend: DiskBackend) -> None:
    files = WatchedFiles()
    store = backend.open(files)
    content, upload_id = content_of(3 * MIB), new_upload_id()
    incoming = await store.stage(upload_id, durable_bytes=0)
    await incoming.append(content[:MIB])
    assert await incoming.flush() == MIB

    files.fails = lambda name: errno.EIO if name == "sync" else 0
    await incoming.append(content[MIB:])
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await incoming.flush()
    await incoming.close()

    assert files.calls.count(("sync", upload_id)) == 2
    files.fails = lambda name: 0
    await put(store, upload_id, content, durable_bytes=MIB)
    assert await read(store, content) == content


async def test_a_slow_disk_bounds_what_waits_in_memory(backend: DiskBackend) -> None:
    gate = threading.Event()

    class SlowFiles(FileOperations):
        def write(self, descriptor: int, view: memoryview, offset: int) -> None:
            gate.wait(30)
            super().write(descriptor, view, offset)

    incoming = await backend.open(SlowFiles()).stage(new_upload_id(), durable_bytes=0)

    async def send() -> None:
        for _ in range(64):
            await incoming.append(bytes(MIB))

    sending = asyncio.ensure_future(send())
    for _ in range(100):
        await asyncio.sleep(0)
    taken = incoming.size_bytes
    gate.set()
    await sending
    await incoming.close()

    assert taken <= 6 * MIB
