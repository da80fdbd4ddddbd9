"""Downloads: files of versions and drafts, whole or in part. No read by bare digest."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from assay_server.domain.calls import Call
from assay_server.domain.errors import DigestChanged, InvalidField, NotFound, RangePastEnd
from assay_server.domain.manifest import File
from assay_server.domain.models import require_live
from assay_server.domain.names import DraftName, VersionName, draft_name, version_name
from assay_server.domain.paths import require_path
from assay_server.domain.transitions import require_open
from assay_server.domain.versions import VersionState
from assay_server.ports.blobs import BlobStore
from assay_server.ports.metadata import MetadataStore, Reader
from assay_server.services.drafts import require_visible


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bytes: ``length`` 0 for all to the end, ``if_sha256`` empty for any content."""

    path: str
    offset: int = 0
    length: int = 0
    if_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file and the verified bytes of the range that was asked for."""

    file: File
    offset: int
    pieces: AsyncGenerator[bytes, None]


class DownloadService:
    """The requests that take bytes out."""

    def __init__(self, store: MetadataStore, blobs: BlobStore) -> None:
        self._store = store
        self._blobs = blobs

    async def open(self, call: Call, name: VersionName | DraftName, wanted: Wanted) -> Download:
        """Find a file and open the range that is wanted of it.

        Raises:
            NotFound: There is no such version or file, it is deleted, or a draft of somebody else.
            ModelIsDeleted: The model must be restored first.
            DraftNotOpen: The draft was sealed or abandoned; read the version.
            DigestChanged: The file is not the one that ``if_sha256`` names.
            RangePastEnd: The file is shorter.
        """
        require_path(wanted.path)
        for field, number in (("offset", wanted.offset), ("length", wanted.length)):
            if number < 0:
                raise InvalidField(field, f"is {number}, but cannot be negative")
        async with self._store.read() as reader:
            files = await _files(reader, call, name)
        file = _named(files, name, wanted)
        end = wanted.offset + wanted.length if wanted.length else file.size_bytes
        if max(wanted.offset, end) > file.size_bytes:
            raise RangePastEnd(max(wanted.offset, end), file.size_bytes)
        pieces = self._blobs.read(file.sha256, offset=wanted.offset, length=end - wanted.offset)
        return Download(file, wanted.offset, pieces)


async def _files(reader: Reader, call: Call, name: VersionName | DraftName) -> tuple[File, ...]:
    if isinstance(name, DraftName):
        draft = require_visible(call, await reader.drafts.get(*name))
        require_live(await reader.models.get(name.namespace_id, name.model_id))
        return require_open(draft).files
    require_live(await reader.models.get(name.namespace_id, name.model_id))
    version = await reader.versions.get(*name)
    if version.state is VersionState.DELETED:
        raise NotFound(version_name(*name))
    return version.manifest.files


def _named(files: tuple[File, ...], name: VersionName | DraftName, wanted: Wanted) -> File:
    file = next((file for file in files if file.path == wanted.path), None)
    if file is None:
        holder = draft_name(*name) if isinstance(name, DraftName) else version_name(*name)
        raise NotFound(f"{holder}/files/{wanted.path}")
    if wanted.if_sha256 not in {"", file.sha256}:
        raise DigestChanged(
            file.path,
            expected_digest=f"sha256:{wanted.if_sha256}",
            current_digest=f"sha256:{file.sha256}",
        )
    return file
