"""Backups by the settings: which stores are copied, and to where."""

from pathlib import Path

from assay_server.app.rooms import CLOCK, VERSION
from assay_server.blobstore.backup_directory import BackupDirectory
from assay_server.blobstore.copying import DiskCopying
from assay_server.config import Config
from assay_server.domain.backups import Backup
from assay_server.ports.backups import FactsCopying, Report
from assay_server.services.backups import BackupService
from assay_server.sqlstore.places import SqlitePlace, place_of
from assay_server.sqlstore.postgres_backup import PostgresFactsCopying
from assay_server.sqlstore.sqlite_backup import SqliteFactsCopying


async def back_up(config: Config, directory: Path, report: Report, *, may_link: bool) -> Backup:
    """Copy the registry of ``config`` as it is at one revision.

    Raises:
        BackupRefused: It cannot be done; nothing is left behind.
        StoreNotOpened: The database does not answer.
    """
    service = _service(config, directory)
    return await service.back_up(CLOCK, report, version=VERSION, may_link=may_link)


async def restore(config: Config, directory: Path, report: Report, *, may_link: bool) -> Backup:
    """Bring the registry of a backup to where ``config`` says and nothing is.

    Raises:
        BackupRefused: The backup is not whole, or something is there.
        StoreNotOpened: The database does not answer, or the schema is that of a newer server.
    """
    return await _service(config, directory).restore(directory, report, may_link=may_link)


def facts_copying(url: str) -> FactsCopying:
    """What copies the database at ``url``."""
    place = place_of(url)
    if isinstance(place, SqlitePlace):
        return SqliteFactsCopying(place)
    return PostgresFactsCopying(place)


def _service(config: Config, directory: Path) -> BackupService:
    facts = facts_copying(config.store.url)
    return BackupService(facts, DiskCopying(config.blobs.directory), BackupDirectory(directory))
