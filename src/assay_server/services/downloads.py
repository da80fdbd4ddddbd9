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
            file = _as_wanted(await _file(reader, call, name, wanted.path), wanted)
        end = wanted.offset + wanted.length if wanted.length else file.size_bytes
        if max(wanted.offset, end) > file.size_bytes:
            raise RangePastEnd(max(wanted.offset, end), file.size_bytes)
        pieces = self._blobs.read(file.sha256, offset=wanted.offset, length=end - wanted.offset)
        return Download(file, wanted.offset, pieces)


async def _file(reader: Reader, call: Call, name: VersionName | DraftName, path: str) -> File:
    """One row, however many files there are beside it."""
    if isinstance(name, DraftName):
        draft = require_visible(call, await reader.drafts.outline(*name))
        require_live(await reader.models.get(name.namespace_id, name.model_id))
        require_open(draft)
        file = await reader.drafts.find_file(*name, path)
        holder = draft_name(*name)
    else:
        require_live(await reader.models.get(name.namespace_id, name.model_id))
        numbered = ((name.model_id, name.number),)
        [version] = await reader.versions.get_many(name.namespace_id, numbered)
        holder = version_name(*name)
        if version.state is VersionState.DELETED:
            raise NotFound(holder)
        file = await reader.versions.find_file(*name, path)
    if file is None:
        raise NotFound(f"{holder}/files/{path}")
    return file


def _as_wanted(file: File, wanted: Wanted) -> File:
    if wanted.if_sha256 not in {"", file.sha256}:
        raise DigestChanged(
            file.path,
            expected_digest=f"sha256:{wanted.if_sha256}",
            current_digest=f"sha256:{file.sha256}",
        )
    return file
