"""Copying a registry out of its stores, and back into empty ones."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from assay_server.domain.backups import Backup, BackupFile, CopiedFacts

Report = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class FactsCopying(Protocol):
    """The database, while servers write to it or before any does."""

    async def copy_to(self, directory: Path, report: Report) -> tuple[CopiedFacts, frozenset[str]]:
        """Copy all facts of one moment; also give the digests of the blobs they refer to.

        Raises:
            StoreNotOpened: The database does not answer.
        """
        ...

    async def require_empty(self) -> None:
        """Make sure that nothing would be overwritten.

        Raises:
            BackupRefused: There is a registry.
        """
        ...

    async def restore_from(self, directory: Path, facts: CopiedFacts, report: Report) -> None:
        """Put the facts of a backup where none are: all of them, or none.

        Raises:
            BackupRefused: They are of another kind of database or of an unknown schema.
        """
        ...


class BlobCopying(Protocol):
    """The bytes."""

    def held(self) -> AbstractContextManager[None]:
        """Inside the block collection removes nothing."""
        ...

    def copy_to(
        self, directory: Path, digests: frozenset[str], report: Report, *, may_link: bool
    ) -> Mapping[str, int]:
        """Copy or link blobs, each verified, durably; give their sizes.

        Raises:
            BackupRefused: Some are missing or damaged; they are named.
        """
        ...

    def require_empty(self) -> None:
        """Make sure that there is no blob.

        Raises:
            BackupRefused: There is one.
        """
        ...

    def restore_from(
        self, directory: Path, sizes: Mapping[str, int], report: Report, *, may_link: bool
    ) -> None:
        """Bring the blobs of a backup, each verified, durably.

        Raises:
            BackupRefused: Some are missing or damaged; they are named.
        """
        ...


class BackupPlace(Protocol):
    """The directory of a backup."""

    def make(self) -> AbstractContextManager[Path]:
        """A directory to fill; it gets its name when the block ends well, and goes otherwise.

        Raises:
            BackupRefused: Something has that name.
        """
        ...

    def seal(self, directory: Path, describe: Callable[[tuple[BackupFile, ...]], Backup]) -> Backup:
        """Hash every file but the blobs, make all durable, and write the manifest last."""
        ...

    def verified(self, report: Report) -> Backup:
        """Read the manifest and hash every file that it lists.

        Raises:
            BackupRefused: The backup is not whole, or damaged.
        """
        ...
