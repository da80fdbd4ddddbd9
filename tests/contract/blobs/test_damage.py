"""Bytes that changed where they lie are never given out."""

import random

import pytest

from assay_server.domain.errors import BlobCorrupt
from assay_server.ports.blobs import BlobStore
from tests.contract.blobs.backends import MIB, DiskBackend, content_of, read, stored


async def test_no_flipped_bit_is_ever_delivered(backend: DiskBackend, store: BlobStore) -> None:
    content = content_of(2 * MIB + 500)
    sha256 = await stored(store, content)
    chance = random.Random(7)
    edges = [0, MIB - 1, MIB, 2 * MIB, len(content) - 1]
    for position in edges + [chance.randrange(len(content)) for _ in range(12)]:
        bit = 1 << chance.randrange(8)

        def flip(stored_bytes: bytearray, position: int = position, bit: int = bit) -> None:
            stored_bytes[position] ^= bit

        backend.damage(sha256, flip)
        with pytest.raises(BlobCorrupt):
            await read(store, sha256, position, 1)
        backend.damage(sha256, flip)

    assert await read(store, sha256, 0, len(content)) == content


async def test_leaves_before_the_damage_are_still_served(
    backend: DiskBackend, store: BlobStore
) -> None:
    content = content_of(3 * MIB)
    sha256 = await stored(store, content)

    def flip(stored_bytes: bytearray) -> None:
        stored_bytes[-1] ^= 1

    backend.damage(sha256, flip)

    assert await read(store, sha256, 0, 2 * MIB) == content[: 2 * MIB]
    pieces = aiter(store.read(sha256, offset=0, length=3 * MIB))
    assert [await anext(pieces) for _ in range(2)] == [content[:MIB], content[MIB : 2 * MIB]]
    with pytest.raises(BlobCorrupt):
        await anext(pieces)


@pytest.mark.parametrize("size_bytes", [0, 5, MIB, MIB + 499, MIB + 501, 2 * MIB])
async def test_a_blob_of_another_length_is_corrupt(
    backend: DiskBackend, store: BlobStore, size_bytes: int
) -> None:
    content = content_of(MIB + 500)
    sha256 = await stored(store, content)

    def resize(stored_bytes: bytearray) -> None:
        stored_bytes[:] = (stored_bytes + bytes(MIB))[:size_bytes]

    backend.damage(sha256, resize)

    with pytest.raises(BlobCorrupt):
        await read(store, sha256, 0, 1)


async def test_two_blobs_that_changed_places_are_corrupt(
    backend: DiskBackend, store: BlobStore
) -> None:
    one, other = [await stored(store, content_of(MIB)) for _ in range(2)]
    for path in (backend.blob, backend.leaves):
        aside = path(one).with_name("aside")
        path(one).rename(aside)
        path(other).rename(path(one))
        aside.rename(path(other))

    for sha256 in (one, other):
        with pytest.raises(BlobCorrupt):
            await read(store, sha256, 0, MIB)


@pytest.mark.parametrize("damage", ["missing", "empty", "header", "leaf", "short", "long"])
async def test_damaged_leaf_digests_are_renewed_from_a_sound_blob(
    backend: DiskBackend, store: BlobStore, damage: str
) -> None:
    content = content_of(2 * MIB + 9)
    sha256 = await stored(store, content)
    original = backend.leaves(sha256).read_bytes()

    def change(leaves: bytearray) -> None:
        match damage:
            case "empty":
                leaves.clear()
            case "header":
                leaves[20] ^= 4
            case "leaf":
                leaves[-1] ^= 4
            case "short":
                del leaves[-1]
            case "long":
                leaves.append(0)

    backend.damage_leaves(sha256, change)
    if damage == "missing":
        backend.leaves(sha256).unlink()

    assert await read(store, sha256, 0, len(content)) == content
    assert backend.leaves(sha256).read_bytes() == original
