"""Keeps collection away while somebody copies blobs, among all processes that share them.

A backup copies what its snapshot refers to, for hours perhaps. What is dropped from the registry
meanwhile must stay until it is copied, however old it is.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Inside the block nothing is removed; any number may hold it. Waits for a removal to end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def removing(path: Path) -> Iterator[bool]:
    """Gives whether a removal may happen inside the block: whether nobody holds the blobs."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
