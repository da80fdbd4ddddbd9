"""The directory of a backup: it has its name when it is whole, and not before."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assay_server.blobstore.operations import FileOperations
from assay_server.domain.backups import Backup, BackupFile, BackupRefused, parse_backup
from assay_server.ports.backups import Report

MANIFEST = "manifest.json"
BLOBS = "blobs"

_PIECE_BYTES = 1 << 20


class BackupDirectory:
    """The port ``BackupPlace``."""

    def __init__(self, path: Path, files: FileOperations | None = None) -> None:
        self._path = path.absolute()
        self._files = files or FileOperations()

    @contextmanager
    def make(self) -> Iterator[Path]:
        if self._path.exists():
            raise BackupRefused(f"{self._path} is there already: give each backup its own name")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f".{self._path.name}.{uuid.uuid4()}.partial")
        partial.mkdir(mode=0o700)
        try:
            yield partial
            self._files.rename(partial, self._path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        self._files.sync_directory(self._path.parent)

    def seal(self, directory: Path, describe: Callable[[tuple[BackupFile, ...]], Backup]) -> Backup:
        files = []
        for path in _files(directory):
            sha256, size_bytes = _hashed(path)
            files.append(BackupFile(str(path.relative_to(directory)), size_bytes, sha256))
            self._sync(path)
        backup = describe(tuple(files))
        manifest = directory / MANIFEST
        manifest.write_text(backup.encoded())
        self._sync(manifest)
        for inside in {path.parent for path in (*_files(directory), manifest)}:
            self._files.sync_directory(inside)
        return backup

    def verified(self, report: Report) -> Backup:
        manifest = self._path / MANIFEST
        if not manifest.is_file():
            raise BackupRefused(f"{self._path} is not a whole backup: it has no {MANIFEST}")
        backup = parse_backup(manifest.read_text(errors="replace"))
        for place, file in enumerate(backup.files):
            report("verifying", place, len(backup.files))
            path = self._path / file.path
            if not path.is_file() or _hashed(path) != (file.sha256, file.size_bytes):
                raise BackupRefused(f"{file.path} is missing or damaged: take another backup")
        return backup

    def _sync(self, path: Path) -> None:
        descriptor = self._files.open(path, os.O_RDONLY)
        try:
            self._files.sync_all(descriptor)
        finally:
            os.close(descriptor)


def _files(directory: Path) -> list[Path]:
    """All files but the blobs, which are durable and hashed already."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return sorted(path for path in found if path.relative_to(directory).parts[0] != BLOBS)


def _hashed(path: Path) -> tuple[str, int]:
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size_bytes += len(piece)
    return digest.hexdigest(), size_bytes
