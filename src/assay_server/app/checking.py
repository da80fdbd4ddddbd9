"""Checking by the settings."""

from assay_server.blobstore.inspecting import DiskInspection
from assay_server.config import Config
from assay_server.ports.backups import Report
from assay_server.services.checking import Checked, CheckingService
from assay_server.sqlstore.inspecting import inspecting


async def check(config: Config, report: Report, *, is_hashed: bool) -> Checked:
    """Look whether the registry of ``config`` agrees with itself; servers may use it meanwhile.

    Raises:
        StoreNotOpened: The database does not answer, or has another schema.
    """
    blobs = DiskInspection(config.blobs.directory)
    with blobs.held():
        async with inspecting(config.store.url) as facts:
            return await CheckingService(facts, blobs).check(report, is_hashed=is_hashed)
