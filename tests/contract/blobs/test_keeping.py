"""Removing blobs and what uploads left behind: only the old, and never what a writer holds."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay_server.blobstore.holding import held, removing
from assay_server.domain.errors import SizeMismatch
from tests.absence import absent
from tests.contract.blobs.backends import (
    DiskBackend,
    content_of,
    digest,
    new_upload_id,
    read,
    staged,
    stored,
)

SERVER_USER = 65532
NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)
EARLIER = NOW - timedelta(hours=1)


def age(path: Path) -> None:
    """Make a file two hours old."""
    then = (NOW - timedelta(hours=2)).timestamp()
    os.utime(path, (then, then))


async def test_only_old_blobs_are_listed(backend: DiskBackend) -> None:
    store = backend.open()
    old, young = [await stored(store, content_of(10)) for _ in range(2)]
    age(backend.blob(old))

    found = [digests async for digests in store.older_than(EARLIER)]

    assert frozenset().union(*found) == {old}
    assert young not in frozenset().union(*found)


async def test_a_removed_blob_is_gone_with_its_leaves(backend: DiskBackend) -> None:
    store = backend.open()
    sha256 = await stored(store, content_of(10))

    assert await store.remove(sha256, if_older_than=LATER)

    assert not backend.blob(sha256).exists()
    assert not backend.leaves(sha256).exists()
    assert not await store.remove(sha256, if_older_than=LATER)


async def test_a_blob_that_was_brought_again_stays(backend: DiskBackend) -> None:
    store, content = backend.open(), content_of(10)
    sha256 = await stored(store, content)
    age(backend.blob(sha256))
    await stored(store, content)

    assert not await store.remove(sha256, if_older_than=EARLIER)

    assert await read(store, sha256, 0, 10) == content


async def test_a_commit_that_is_repeated_makes_its_blob_young_again(backend: DiskBackend) -> None:
    store, content = backend.open(), content_of(10)
    sha256, upload_id = digest(content), await staged(store, content)
    await store.commit(upload_id, sha256=sha256, size_bytes=10)
    age(backend.blob(sha256))

    await store.commit(upload_id, sha256=sha256, size_bytes=10)

    assert not await store.remove(sha256, if_older_than=EARLIER)
    assert await read(store, sha256, 0, 10) == content


async def test_an_upload_commits_again_what_was_removed(backend: DiskBackend) -> None:
    store, content = backend.open(), content_of(10)
    sha256 = await stored(store, content)
    await store.remove(sha256, if_older_than=LATER)

    await stored(store, content)

    assert await read(store, sha256, 0, 10) == content


async def test_old_staged_bytes_are_swept_and_young_ones_stay(backend: DiskBackend) -> None:
    store = backend.open()
    old, young = await staged(store, content_of(10)), await staged(store, content_of(10))
    committed, content = new_upload_id(), content_of(10)
    await staged(store, content, upload_id=committed)
    await store.commit(committed, sha256=digest(content), size_bytes=10)
    for path in (backend.root / "staging").iterdir():
        if not path.name.startswith(young):
            age(path)

    assert await store.sweep(older_than=EARLIER) == 2

    left = {path.name[:36] for path in (backend.root / "staging").iterdir()}
    assert left == {young}
    assert old not in left


async def test_what_a_writer_holds_is_not_swept(backend: DiskBackend) -> None:
    store, upload_id = backend.open(), new_upload_id()
    incoming = await store.stage(upload_id, durable_bytes=0)

    assert await store.sweep(older_than=LATER) == 0

    await incoming.close()
    assert await store.sweep(older_than=LATER) == 1


async def test_a_commit_whose_blob_was_collected_is_refused(backend: DiskBackend) -> None:
    store, content = backend.open(), content_of(10)
    upload_id = await staged(store, content)
    await store.commit(upload_id, sha256=digest(content), size_bytes=10)
    await store.remove(digest(content), if_older_than=LATER)

    with pytest.raises(SizeMismatch):
        await store.commit(upload_id, sha256=digest(content), size_bytes=10)


@pytest.mark.parametrize(
    ("of_directory", "of_lock"), [(0o700, 0o600), (0o755, 0o600), (0o2775, 0o660)]
)
async def test_whoever_may_write_blobs_may_hold_them_whoever_came_first(
    backend: DiskBackend, of_directory: int, of_lock: int
) -> None:
    if os.geteuid() != 0:
        absent("the right to give files away", "run the tests as root")
    backend.open()
    lock = backend.root / "collection.lock"
    lock.touch(mode=0o600)  # as a backup of root left it before
    os.chown(backend.root, SERVER_USER, SERVER_USER)
    backend.root.chmod(of_directory)

    with held(lock), removing(lock) as is_free:
        assert not is_free

    found = lock.stat()
    assert (found.st_uid, found.st_gid) == (SERVER_USER, SERVER_USER)
    assert stat.S_IMODE(found.st_mode) == of_lock


async def test_root_gives_away_no_file_that_somebody_put_in_place_of_the_lock(
    backend: DiskBackend, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        absent("the right to give files away", "run the tests as root")
    backend.open()
    lock, secret = backend.root / "collection.lock", tmp_path / "secret"
    secret.touch(mode=0o600)
    os.chown(backend.root, SERVER_USER, SERVER_USER)

    lock.symlink_to(secret)
    with pytest.raises(OSError, match="symbolic link"), held(lock):
        pass
    lock.unlink()
    lock.hardlink_to(secret)
    with held(lock):
        pass

    assert secret.stat().st_uid == os.geteuid()
