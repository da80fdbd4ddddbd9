"""Looking at a blob store without changing it. All of this blocks."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from assay_server.blobstore.holding import held
from assay_server.blobstore.keeping import UPLOAD_ID_CHARACTERS
from assay_server.blobstore.layout import Layout
from assay_server.blobstore.leaves import digests_of
from assay_server.domain.checking import SeenBlob

_PROOF_CHARACTERS = 1 + 64
"""Of the suffix, a SHA-256, that a committed upload leaves (see ``layout``)."""


class DiskInspection:
    """The port ``BlobInspection``."""

    def __init__(self, root: Path) -> None:
        self._layout = Layout(root)

    @contextmanager
    def held(self) -> Iterator[None]:
        if not self._layout.held.exists():
            yield  # nothing was ever collected here, nor held
            return
        with held(self._layout.held):
            yield

    def look(self, sha256: str, *, is_hashed: bool) -> SeenBlob:
        try:
            descriptor = os.open(self._layout.blob(sha256), os.O_RDONLY)
        except FileNotFoundError:
            return SeenBlob(None)
        try:
            size_bytes = os.fstat(descriptor).st_size
            sidecar = self._sidecar(sha256)
            if not is_hashed:
                return SeenBlob(size_bytes, has_leaves=sidecar is not None)
            content = digests_of(descriptor)
            return SeenBlob(
                size_bytes,
                content.sha256 == sha256,
                has_leaves=sidecar is not None,
                leaves_are_sound=sidecar == content.encoded(),
            )
        finally:
            os.close(descriptor)

    def place(self, sha256: str) -> str:
        return str(self._layout.blob(sha256))

    def stored(self) -> Iterator[tuple[str, bool]]:
        if not self._layout.blobs.is_dir():
            return
        for path in self._layout.blobs.rglob("*"):
            if path.is_dir():
                continue
            if path.suffix == ".leaves" and self._layout.is_blob(path.with_suffix("")):
                if not path.with_suffix("").exists():
                    yield path.stem, True
                continue
            yield path.name, self._layout.is_blob(path)

    def staged(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        if not self._layout.staging.is_dir():
            return found
        for path in self._layout.staging.iterdir():
            if path.suffix == ".lock" or len(path.suffix) == _PROOF_CHARACTERS:
                continue  # says who writes, or that a blob was made of it: no bytes
            upload_id = path.name[:UPLOAD_ID_CHARACTERS]
            size_bytes = path.stat().st_size if path.name == upload_id else 0
            found[upload_id] = max(found.get(upload_id, 0), size_bytes)
        return found

    def _sidecar(self, sha256: str) -> bytes | None:
        try:
            return self._layout.leaves(sha256).read_bytes()
        except FileNotFoundError:
            return None
