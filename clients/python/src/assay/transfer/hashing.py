"""SHA-256 of files, in threads and in bounded memory."""

import hashlib
import os
from collections.abc import Callable

from assay.transfer.threads import in_thread

BLOCK_BYTES = 1024 * 1024
BLOCKS_PER_HOP = 32
"""A hop to a thread costs some 35 µs: once per 32 MiB it does not show."""


async def sha256_hex(handle: int, on_bytes: Callable[[int], None]) -> tuple[str, int]:
    """Digest and size of an open file from its beginning; ``on_bytes`` hears how far it is."""
    digest = hashlib.sha256()
    size_bytes = 0
    while True:
        read_bytes = await in_thread(_update, digest, handle, size_bytes)
        size_bytes += read_bytes
        on_bytes(size_bytes)
        if read_bytes < BLOCKS_PER_HOP * BLOCK_BYTES:
            return digest.hexdigest(), size_bytes


def _update(digest: "hashlib._Hash", handle: int, offset: int) -> int:
    """Feed up to ``BLOCKS_PER_HOP`` blocks from ``offset`` on; says how many bytes there were."""
    start = offset
    for _ in range(BLOCKS_PER_HOP):
        block = os.pread(handle, BLOCK_BYTES, offset)
        if not block:
            break
        digest.update(block)
        offset += len(block)
    return offset - start
