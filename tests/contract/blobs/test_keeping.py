"""Removing blobs and what uploads left behind: only the old, and never what a writer holds."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay_server.domain.errors import SizeMismatch
from tests.contract.blobs.backends import (
    DiskBackend,
    content_of,
    digest,
    new_upload_id,
    read,
    staged,
    stored,
)

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
