"""One writer per upload, among all processes that share the directory."""

import fcntl
import os
import secrets
from pathlib import Path

_TOKEN_BYTES = 16


class WriterLock:
    """Held while the bytes of an upload may change; freed by the system when its holder dies.

    The file keeps the token of whoever wrote last. A process that finds its own token there knows
    that nobody wrote since, and may go on with what it had hashed.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.token = secrets.token_bytes(_TOKEN_BYTES)
        self.previous_token = os.pread(descriptor, _TOKEN_BYTES, 0)
        self._path = path
        self._descriptor = descriptor
        os.pwrite(descriptor, self.token, 0)

    @classmethod
    def try_acquire(cls, path: Path) -> "WriterLock | None":
        """Take the lock, or return None at once when somebody has it."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still(path, descriptor):
                    return cls(path, descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except BaseException:
                os.close(descriptor)
                raise
            # Its last holder removed the file between our opening and locking it.
            os.close(descriptor)

    def release(self) -> None:
        """Let the next writer in."""
        os.close(self._descriptor)

    def remove_file(self) -> None:
        """Leave nothing behind for an upload that will not be written again; still held."""
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> "WriterLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
