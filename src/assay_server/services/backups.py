"""Backups: a registry that goes on working is copied at one revision, and comes back from there."""

from collections.abc import Mapping
from pathlib import Path

from assay_server.domain.backups import Backup, BackupFile, BackupRefused
from assay_server.ports.backups import BackupPlace, BlobCopying, FactsCopying, Report
from assay_server.ports.clock import Clock

BLOB_LIST = "blobs.sha256"
FACTS = "facts"


class BackupService:
    """Copies a registry to a directory, and from one."""

    def __init__(self, facts: FactsCopying, blobs: BlobCopying, place: BackupPlace) -> None:
        self._facts = facts
        self._blobs = blobs
        self._place = place

    async def back_up(
        self, clock: Clock, report: Report, *, version: str, may_link: bool = True
    ) -> Backup:
        """Copy the facts of one moment, then the bytes they refer to.

        Bytes are there before they are named, and nothing is collected meanwhile: whatever the
        copied facts name can be copied after them.

        Raises:
            BackupRefused: The directory is taken, or bytes are missing or damaged.
        """
        with self._blobs.held(), self._place.make() as directory:
            (directory / FACTS).mkdir()
            facts, digests = await self._facts.copy_to(directory / FACTS, report)
            sizes = self._blobs.copy_to(directory, digests, report, may_link=may_link)
            _write_list(directory / BLOB_LIST, sizes)

            def describe(files: tuple[BackupFile, ...]) -> Backup:
                made_at = clock.now().isoformat()
                total = sum(sizes.values())
                return Backup(made_at, version, facts, len(sizes), total, files)

            return self._place.seal(directory, describe)

    async def restore(self, source: Path, report: Report, *, may_link: bool = True) -> Backup:
        """Bring back what a backup holds: the bytes first, then the facts that name them.

        Raises:
            BackupRefused: The backup is damaged, or there is something where it would go.
        """
        backup = self._place.verified(report)
        await self._facts.require_empty()
        self._blobs.require_empty()
        sizes = _read_list(source)
        if (len(sizes), sum(sizes.values())) != (backup.blob_count, backup.blob_bytes):
            raise BackupRefused(f"{BLOB_LIST} and manifest.json do not agree: take another backup")
        self._blobs.restore_from(source, sizes, report, may_link=may_link)
        await self._facts.restore_from(source / FACTS, backup.facts, report)
        return backup


def blob_path(sha256: str) -> str:
    """Where a blob lies in a backup."""
    return f"blobs/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _write_list(file: Path, sizes: Mapping[str, int]) -> None:
    file.write_text("".join(f"{digest}  {blob_path(digest)}\n" for digest in sorted(sizes)))


def _read_list(source: Path) -> dict[str, int]:
    found = {}
    for line in (source / BLOB_LIST).read_text().splitlines():
        digest = line.partition(" ")[0]
        path = source / blob_path(digest)
        if not path.is_file():
            raise BackupRefused(f"the backup lacks the blob {digest}: take another backup")
        found[digest] = path.stat().st_size
    return found
