"""Whether a directory takes direct I/O, found out by doing it."""

import mmap
import os
import secrets
from pathlib import Path

from assay_server.blobstore.incoming import BLOCK_BYTES


def takes_direct_io(directory: Path) -> bool:
    """Write a block past the page cache and read it back through it."""
    if not hasattr(os, "O_DIRECT"):
        return False
    path = directory / f"probe-{secrets.token_hex(8)}"
    block = mmap.mmap(-1, BLOCK_BYTES)
    block[:] = secrets.token_bytes(BLOCK_BYTES)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_DIRECT, 0o600)
        try:
            os.pwritev(descriptor, [block], 0)
        finally:
            os.close(descriptor)
        return path.read_bytes() == block[:]
    except OSError:
        return False
    finally:
        path.unlink(missing_ok=True)
