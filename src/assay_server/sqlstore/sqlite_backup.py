"""Backups of a registry in SQLite: the online backup API, beside a server that writes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from assay_server.domain.backups import BackupRefused, CopiedFacts
from assay_server.ports.backups import Report
from assay_server.sqlstore import tables
from assay_server.sqlstore.places import FileLock, SqlitePlace, StoreNotOpened
from assay_server.sqlstore.schema import require_known

KIND = "sqlite"
REGISTRY, TRAIL = "registry.db", "audit.db"

_STEP_PAGES = 4096
"""16 MiB between two looks at the progress."""

_WAIT_MS = 5000


class SqliteFactsCopying:
    """The port ``FactsCopying``. Blocks: a command does nothing else meanwhile."""

    def __init__(self, place: SqlitePlace) -> None:
        self._place = place

    async def copy_to(self, directory: Path, report: Report) -> tuple[CopiedFacts, frozenset[str]]:
        # The trail second: no read before the copied revision is then missing in it.
        for file, name in ((self._place.registry, REGISTRY), (self._place.trail, TRAIL)):
            _copy(file, directory / name, report)
        return _described(directory)

    async def require_empty(self) -> None:
        # What SQLite left beside a file that is gone, it would read into the one restored.
        for file in (self._place.registry, self._place.trail):
            for suffix in ("", "-wal", "-shm", "-journal"):
                if (found := file.with_name(file.name + suffix)).exists():
                    raise BackupRefused(f"{found} exists: restore to a place where nothing is")

    async def restore_from(self, directory: Path, facts: CopiedFacts, report: Report) -> None:
        if facts.store != KIND:
            raise BackupRefused(
                f"the backup is one of {facts.store}, and the store that the settings name is not"
            )
        require_known(facts.schema)
        lock = FileLock(self._place.lock)
        try:
            await self.require_empty()
            # The registry last: without it there is nothing that a server would open.
            for name, file in ((TRAIL, self._place.trail), (REGISTRY, self._place.registry)):
                beside = file.with_name(f"{file.name}.restoring")
                beside.unlink(missing_ok=True)
                _copy(directory / name, beside, report)
                beside.replace(file)
        finally:
            lock.release()


@contextmanager
def read_only(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees one moment of a database and cannot change it.

    Raises:
        StoreNotOpened: There is none, or it cannot be read.
    """
    if not file.exists():
        raise StoreNotOpened(f"there is no registry at {file}")
    try:
        address = f"file:{quote(str(file.absolute()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
            connection.execute("BEGIN")
            # Only now is the moment chosen; without it a writer would make the copy begin anew.
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield connection
    except sqlite3.Error as error:
        raise StoreNotOpened(f"{file} cannot be read: {error}") from error


def schema_of(connection: sqlite3.Connection) -> str | None:
    """The revision of the schema; None where there is none yet."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    return row[0] if row else None


def _copy(source: Path, target: Path, report: Report) -> None:
    def progress(_status: int, remaining: int, total: int) -> None:
        report(f"copying {source.name}", total - remaining, total)

    with (
        read_only(source) as connection,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        connection.backup(copy, pages=_STEP_PAGES, progress=progress)
        # One file, without a log beside it.
        copy.execute("PRAGMA journal_mode = DELETE")


def _described(directory: Path) -> tuple[CopiedFacts, frozenset[str]]:
    with read_only(directory / REGISTRY) as registry, read_only(directory / TRAIL) as trail:
        schema = schema_of(registry)
        if schema is None:
            raise BackupRefused("there is no registry in the database")
        revision = registry.execute("SELECT value FROM counters WHERE name = 'revision'").fetchone()
        digests = registry.execute(REFERENCED).fetchall()
        rows = _counts(registry)
        rows[tables.audit_entries.name] += _counts(trail)[tables.audit_entries.name]
    facts = CopiedFacts(KIND, schema, revision[0], rows, {}, 0)
    return facts, frozenset(digest for (digest,) in digests)


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
    ).fetchall()
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
        for (name,) in found
    }


REFERENCED = "SELECT sha256 FROM version_files UNION SELECT sha256 FROM draft_files"
"""The blobs that the facts refer to. What an open upload will bring is not there yet."""
