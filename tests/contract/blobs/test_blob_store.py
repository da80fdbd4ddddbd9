"""What every blob store keeps."""

import asyncio
import random

import pytest

from assay_server.domain.errors import (
    BlobCorrupt,
    Conflict,
    DigestMismatch,
    RangePastEnd,
    SizeMismatch,
)
from assay_server.ports.blobs import BlobStore
from tests.contract.blobs.backends import (
    MIB,
    DiskBackend,
    content_of,
    digest,
    new_upload_id,
    read,
    staged,
    stored,
)


@pytest.mark.parametrize("size_bytes", [0, 1, 4095, 4096, 4097, MIB - 1, MIB, MIB + 1, 3 * MIB + 5])
async def test_bytes_come_back_as_they_were_sent(store: BlobStore, size_bytes: int) -> None:
    content = content_of(size_bytes)

    sha256 = await stored(store, content)

    assert await store.size(sha256) == size_bytes
    assert await read(store, sha256, 0, size_bytes) == content


@pytest.mark.parametrize("piece_bytes", [1000, 4096, 65_537, 300_000, 3 * MIB])
async def test_the_size_of_the_pieces_does_not_matter(store: BlobStore, piece_bytes: int) -> None:
    content = content_of(2 * MIB + 12_345)

    upload_id = await staged(store, content, piece_bytes=piece_bytes)
    await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))

    assert await read(store, digest(content), 0, len(content)) == content


async def test_any_range_comes_back_exactly_and_in_small_pieces(store: BlobStore) -> None:
    content = content_of(3 * MIB + 777)
    sha256 = await stored(store, content)
    edges = [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB, len(content) - 1, len(content)]

    for start in edges:
        for end in (edge for edge in edges if edge >= start):
            pieces = [p async for p in store.read(sha256, offset=start, length=end - start)]

            assert b"".join(pieces) == content[start:end]
            assert all(0 < len(piece) <= MIB for piece in pieces)


async def test_a_range_past_the_end_is_refused(store: BlobStore) -> None:
    sha256 = await stored(store, b"ten bytes.")

    with pytest.raises(RangePastEnd):
        await read(store, sha256, 4, 7)


async def test_nothing_is_visible_before_the_commit(store: BlobStore) -> None:
    content = content_of(2 * MIB)

    await staged(store, content)

    assert await store.size(digest(content)) is None
    with pytest.raises(BlobCorrupt):
        await read(store, digest(content), 0, len(content))


async def test_bytes_that_break_their_digest_are_refused_and_stay(store: BlobStore) -> None:
    content = content_of(MIB + 1)
    upload_id = await staged(store, content)
    wrong = digest(b"something else")

    with pytest.raises(DigestMismatch) as refused:
        await store.commit(upload_id, sha256=wrong, size_bytes=len(content))

    assert refused.value.metadata["actual"] == f"sha256:{digest(content)}"
    assert await store.size(wrong) is None
    await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))


@pytest.mark.parametrize("off_by", [-1, 1])
async def test_a_commit_of_another_size_is_refused_and_the_bytes_stay(
    store: BlobStore, off_by: int
) -> None:
    content = content_of(100_000)
    upload_id = await staged(store, content)

    with pytest.raises(SizeMismatch):
        await store.commit(upload_id, sha256=digest(content), size_bytes=len(content) + off_by)

    await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))


async def test_a_commit_may_be_repeated_until_the_upload_is_discarded(store: BlobStore) -> None:
    content = content_of(MIB + 1)
    upload_id = await staged(store, content)

    for _ in range(3):
        await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))

    await store.discard(upload_id)
    await store.discard(upload_id)
    assert await read(store, digest(content), 0, len(content)) == content


async def test_a_commit_may_be_repeated_after_a_restart(backend: DiskBackend) -> None:
    content = content_of(MIB + 1)
    first = backend.open()
    upload_id = await staged(first, content)
    await first.commit(upload_id, sha256=digest(content), size_bytes=len(content))

    await backend.open().commit(upload_id, sha256=digest(content), size_bytes=len(content))

    assert await read(first, digest(content), 0, len(content)) == content


async def test_knowing_a_digest_is_not_having_the_bytes(store: BlobStore) -> None:
    content = content_of(MIB)
    sha256 = await stored(store, content)

    with pytest.raises(SizeMismatch):
        await store.commit(new_upload_id(), sha256=sha256, size_bytes=len(content))
    other = await staged(store, content_of(MIB))
    with pytest.raises(DigestMismatch):
        await store.commit(other, sha256=sha256, size_bytes=len(content))


async def test_two_uploads_of_the_same_bytes_are_one_blob(store: BlobStore) -> None:
    content = content_of(2 * MIB)
    uploads = await asyncio.gather(*(staged(store, content) for _ in range(4)))

    await asyncio.gather(
        *(store.commit(u, sha256=digest(content), size_bytes=len(content)) for u in uploads)
    )

    assert await read(store, digest(content), 0, len(content)) == content


async def test_a_damaged_blob_is_healed_by_another_upload(
    backend: DiskBackend, store: BlobStore
) -> None:
    content = content_of(MIB)
    sha256 = await stored(store, content)
    backend.damage(sha256, lambda stored_bytes: stored_bytes.clear())

    await stored(store, content)

    assert await read(store, sha256, 0, MIB) == content


async def test_an_upload_without_a_byte_is_the_empty_blob(store: BlobStore) -> None:
    await store.commit(new_upload_id(), sha256=digest(b""), size_bytes=0)

    assert await store.size(digest(b"")) == 0
    assert await read(store, digest(b""), 0, 0) == b""


@pytest.mark.parametrize("durable_bytes", [0, 1, 4096, 4097, MIB - 1, MIB, MIB + 1, 2 * MIB + 99])
async def test_an_upload_goes_on_after_a_restart_from_what_is_durable(
    backend: DiskBackend, durable_bytes: int
) -> None:
    content, lost = content_of(3 * MIB + 7), content_of(MIB)
    upload_id = await staged(backend.open(), content[:durable_bytes] + lost)
    store = backend.open()

    incoming = await store.stage(upload_id, durable_bytes=durable_bytes)
    assert incoming.size_bytes == durable_bytes
    await incoming.append(content[durable_bytes:])
    await incoming.flush()
    await incoming.close()
    await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))

    assert await read(store, digest(content), 0, len(content)) == content


async def test_an_upload_goes_on_many_times_and_is_flushed_at_odd_places(
    backend: DiskBackend,
) -> None:
    chance = random.Random(20)
    content, upload_id, sent = content_of(9 * MIB + 11), new_upload_id(), 0
    store = backend.open()

    while sent < len(content):
        incoming = await store.stage(upload_id, durable_bytes=sent)
        for _ in range(chance.randrange(1, 5)):
            piece = content[incoming.size_bytes :][: chance.randrange(1, 2 * MIB)]
            await incoming.append(piece)
            if chance.random() < 0.5:
                assert await incoming.flush() == incoming.size_bytes
        sent = await incoming.flush()
        await incoming.close()
        store = backend.open() if chance.random() < 0.3 else store
    await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))

    assert await read(store, digest(content), 0, len(content)) == content


async def test_bytes_that_are_gone_are_not_claimed(backend: DiskBackend) -> None:
    store = backend.open()
    upload_id = await staged(store, content_of(1000))

    incoming = await store.stage(upload_id, durable_bytes=5000)

    assert incoming.size_bytes == 1000
    await incoming.close()


async def test_what_one_process_hashed_is_forgotten_when_another_wrote(
    backend: DiskBackend,
) -> None:
    true, other = content_of(3 * MIB), content_of(3 * MIB)
    first, second = backend.open(), backend.open()
    upload_id = await staged(first, true)
    await staged(second, other, upload_id=upload_id)

    with pytest.raises(DigestMismatch):
        await first.commit(upload_id, sha256=digest(true), size_bytes=len(true))

    await first.commit(upload_id, sha256=digest(other), size_bytes=len(other))
    assert await read(first, digest(other), 0, len(other)) == other


async def test_bytes_may_be_appended_while_a_flush_is_under_way(store: BlobStore) -> None:
    content, upload_id = content_of(8 * MIB + 3), new_upload_id()
    incoming = await store.stage(upload_id, durable_bytes=0)

    flushes = []
    for start in range(0, len(content), 500_000):
        await incoming.append(content[start : start + 500_000])
        expected = incoming.size_bytes
        flushes.append((expected, asyncio.ensure_future(incoming.flush())))
        await asyncio.sleep(0)
    for expected, flush in flushes:
        assert await flush >= expected
    await incoming.close()

    await store.commit(upload_id, sha256=digest(content), size_bytes=len(content))


async def test_only_one_writer_at_a_time(backend: DiskBackend) -> None:
    upload_id = new_upload_id()
    first = await backend.open().stage(upload_id, durable_bytes=0)
    impatient = backend.open(lock_wait_s=0.0)

    with pytest.raises(Conflict):
        await impatient.stage(upload_id, durable_bytes=0)
    with pytest.raises(Conflict):
        await impatient.commit(upload_id, sha256=digest(b""), size_bytes=0)

    await first.close()
    await (await impatient.stage(upload_id, durable_bytes=0)).close()


async def test_a_writer_waits_for_the_one_before_to_leave(backend: DiskBackend) -> None:
    upload_id, store = new_upload_id(), backend.open()
    first = await store.stage(upload_id, durable_bytes=0)

    second = asyncio.ensure_future(store.stage(upload_id, durable_bytes=0))
    await first.close()

    await (await second).close()


async def test_a_cancelled_writer_leaves_the_upload_to_the_next(store: BlobStore) -> None:
    upload_id = new_upload_id()
    for rounds in range(4):
        staging = asyncio.ensure_future(store.stage(upload_id, durable_bytes=0))
        for _ in range(rounds):
            await asyncio.sleep(0)
        staging.cancel()
        await asyncio.wait((staging,))

    await (await store.stage(upload_id, durable_bytes=0)).close()


async def test_many_uploads_at_once_do_not_mix(store: BlobStore) -> None:
    contents = [content_of(2 * MIB + i * 1111) for i in range(8)]

    digests = await asyncio.gather(*(stored(store, content) for content in contents))

    for content, sha256 in zip(contents, digests, strict=True):
        assert await read(store, sha256, 0, len(content)) == content


async def test_discarded_bytes_are_gone(backend: DiskBackend) -> None:
    store = backend.open()
    upload_id = await staged(store, content_of(MIB))

    await store.discard(upload_id)

    incoming = await store.stage(upload_id, durable_bytes=MIB)
    assert incoming.size_bytes == 0
    await incoming.close()


async def test_a_read_that_is_given_up_leaves_nothing_behind(store: BlobStore) -> None:
    content = content_of(4 * MIB)
    sha256 = await stored(store, content)

    async for _ in (pieces := store.read(sha256, offset=0, length=4 * MIB)):
        break
    await pieces.aclose()  # type: ignore[attr-defined]

    assert await read(store, sha256, 0, 4 * MIB) == content
