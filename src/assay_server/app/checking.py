"""Checking by the settings."""

from datetime import timedelta

from assay_server.app.rooms import CLOCK
from assay_server.blobstore.inspecting import DiskInspection
from assay_server.config import Config
from assay_server.ports.backups import Report
from assay_server.services.checking import Checked, CheckingService
from assay_server.sqlstore.inspecting import inspecting

_SWEPT_MEANWHILE = timedelta(hours=1)
"""Entries that come of age while we look may be there or not."""


async def check(config: Config, report: Report, *, is_hashed: bool) -> Checked:
    """Look whether the registry of ``config`` agrees with itself; servers may use it meanwhile.

    Raises:
        StoreNotOpened: The database does not answer, or has another schema.
    """
    blobs = DiskInspection(config.blobs.directory)
    kept = timedelta(seconds=config.store.audit_kept_s)
    since = CLOCK.now() - kept + _SWEPT_MEANWHILE
    with blobs.held():
        async with inspecting(config.store.url, audited_since=since) as facts:
            return await CheckingService(facts, blobs).check(report, is_hashed=is_hashed)
