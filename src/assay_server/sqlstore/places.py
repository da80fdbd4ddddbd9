"""Where a registry is kept: what a URL names, and one server to a SQLite file."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


class StoreNotOpened(Exception):
    """The store cannot be opened; the text tells an operator why and what to do."""


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    """The files of a registry in SQLite. The trail is apart; its schema is the same."""

    registry: Path

    @property
    def trail(self) -> Path:
        """Entries of reads and denials: ``audit.db`` beside the registry ``assay.db``."""
        if self.registry.stem == "assay":
            return self.registry.with_name("audit.db")
        return self.registry.with_name(f"{self.registry.stem}-audit.db")

    @property
    def reserve(self) -> Path:
        """Space for the trail, on its disk, which may be another one than that of the facts."""
        trail = self.trail.resolve()
        return trail.with_name(f"{trail.name}.reserve")

    @property
    def is_one_disk(self) -> bool:
        """Whether what the facts take is missing to the trail."""
        return self.registry.stat().st_dev == self.trail.stat().st_dev

    @property
    def lock(self) -> Path:
        """Held by the server."""
        return self.registry.with_name(f"{self.registry.name}.lock")


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A database. ``url`` is what asyncpg takes."""

    url: str


def place_of(url: str) -> SqlitePlace | PostgresPlace:
    """What ``url`` names.

    Raises:
        StoreNotOpened: It is neither sqlite:///path nor postgresql://…
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None and parsed.drivername == "sqlite" and parsed.database:
        return SqlitePlace(Path(parsed.database))
    if parsed is not None and parsed.drivername in ("postgresql", "postgres"):
        plain = parsed.set(drivername="postgresql")
        return PostgresPlace(plain.render_as_string(hide_password=False))
    raise StoreNotOpened(
        "the store must be sqlite:///path or postgresql://user:password@host/database"
    )


class FileLock:
    """Keeps a second server away from a SQLite registry; the system frees it when we die."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            StoreNotOpened: Somebody has it, or the directory cannot be used.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreNotOpened(f"{path.parent} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise StoreNotOpened(
                f"another server has {path.with_suffix('')} open. One server at a time uses a "
                "SQLite registry: stop that one, or use PostgreSQL"
            ) from None

    def release(self) -> None:
        """Let the next server in."""
        os.close(self._descriptor)
