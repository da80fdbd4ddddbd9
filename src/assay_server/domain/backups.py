"""Backups: a directory that holds a registry as it was at one revision.

manifest.json     what follows, written last: a directory without it is no backup
facts/…           the database: SQLite files, or one file for each table of PostgreSQL
blobs.sha256      digest and name of every blob, as ``sha256sum --check`` takes it
blobs/sha256/…    the bytes that the facts refer to
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from assay_server.domain.canonical import canonical_digest

FORMAT = 1
"""Grows when an older server could not read what a newer one writes."""


class BackupRefused(Exception):
    """A backup cannot be made or restored; the text tells an operator why and what to do."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file of a backup, its path relative to it."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CopiedFacts:
    """What was copied of the database, in one snapshot.

    Attributes:
        store: ``sqlite`` or ``postgresql``.
        schema: The revision of its schema.
        revision: The newest revision of the registry in it.
        columns: Of each table, in the order of its file; empty where a file says it itself.
        rows: Of each table.
        audit_oldest_us: Time of the oldest audit entry; 0 where there is none.
    """

    store: str
    schema: str
    revision: int
    rows: Mapping[str, int]
    columns: Mapping[str, tuple[str, ...]]
    audit_oldest_us: int


@dataclass(frozen=True, slots=True)
class Backup:
    """The manifest of a backup. ``files`` are all but the blobs, which ``blobs.sha256`` names."""

    made_at: str
    made_by: str
    facts: CopiedFacts
    blob_count: int
    blob_bytes: int
    files: tuple[BackupFile, ...]

    def encoded(self) -> str:
        """As ``manifest.json`` has it, with a digest of its own."""
        said = asdict(self)
        whole = {"format": FORMAT, "sha256": canonical_digest(said), "backup": said}
        return json.dumps(whole, indent=2) + "\n"


def parse_backup(text: str) -> Backup:
    """Read a manifest.

    Raises:
        BackupRefused: It is none, or of a format that we do not know.
    """
    try:
        backup = _parsed(json.loads(text))
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError):
        raise BackupRefused("manifest.json is damaged: take another backup") from None
    for file in backup.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts:
            raise BackupRefused("manifest.json names a file outside the backup")
    return backup


def _parsed(whole: dict[str, Any]) -> Backup:
    if whole["format"] != FORMAT:
        raise BackupRefused(
            "the backup has a format that this server does not know: a newer one made it. "
            "Restore it with that version"
        )
    said = whole["backup"]
    if canonical_digest(said) != whole["sha256"]:
        raise ValueError("another manifest was written")
    facts = said.pop("facts")
    columns = {name: tuple(columns) for name, columns in facts.pop("columns").items()}
    files = tuple(BackupFile(**each) for each in said.pop("files"))
    return Backup(facts=CopiedFacts(columns=columns, **facts), files=files, **said)
