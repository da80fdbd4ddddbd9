"""Keeps collection away while somebody copies blobs, among all processes that share them.

A backup copies what its snapshot refers to, for hours perhaps. What is dropped from the registry
meanwhile must stay until it is copied, however old it is.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Inside the block nothing is removed; any number may hold it. Waits for a removal to end."""
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def removing(path: Path) -> Iterator[bool]:
    """Gives whether a removal may happen inside the block: whether nobody holds the blobs."""
    descriptor = _opened(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """Open the file for whoever may write beside it, whoever comes first.

    A backup that root took would otherwise leave a file that the server cannot open, and nothing
    would be collected any more. One that was left so is mended by the next command of root.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    is_so, wanted = os.fstat(descriptor), path.parent.stat()
    if is_so.st_nlink != 1:
        return descriptor  # not ours alone: who made the other name must not be given the file
    # Only its owner and root may do either; for everyone else it is right, or not to be changed.
    with suppress(PermissionError):
        if (is_so.st_uid, is_so.st_gid) != (wanted.st_uid, wanted.st_gid):
            os.fchown(descriptor, wanted.st_uid, wanted.st_gid)
    mode = 0o660 if wanted.st_mode & stat.S_IWGRP else 0o600
    with suppress(PermissionError):
        if stat.S_IMODE(is_so.st_mode) != mode:
            os.fchmod(descriptor, mode)
    return descriptor
