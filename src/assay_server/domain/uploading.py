"""The steps in the life of an upload; each gives a changed copy or refuses.

Rules:
- An upload belongs to one path of one open draft; a new one for a path takes over from older ones.
- What was said at the beginning (size, digest) stays true; what was not may be said later.
- Only what is durable can be committed, and all of it.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from assay_server.domain.errors import (
    InvalidField,
    InvalidName,
    SizeMismatch,
    UploadFenced,
    UploadNotOpen,
    UploadOffsetWrong,
)
from assay_server.domain.errors.families import quoted
from assay_server.domain.manifest import File, require_file_role, require_media_type
from assay_server.domain.names import UploadName, upload_name
from assay_server.domain.paths import FILES_MAX, require_distinct, require_path
from assay_server.domain.uploads import Rivals, Upload, UploadState

MIB = 1024 * 1024
SIZE_UNKNOWN = -1

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLimits:
    """What uploads may take; told to clients by GetTransferLimits, but for ``streams_max``."""

    payload_bytes_max: int = MIB
    """With its envelope below the 4 MiB that every gRPC client receives by default; larger ones
    make other calls wait."""
    file_bytes_max: int = 1024 * 1024 * MIB
    """1 TiB: ten times the largest single file of weights in use."""
    files_per_draft_max: int = FILES_MAX
    idle_s: float = 30.0
    """A silent stream is closed after so long; the upload stays."""
    ttl: timedelta = timedelta(days=7)
    """How long an upload is kept after it was last begun: as long as its draft."""
    streams_max: int = 64
    """Each takes some 8 MiB of memory when the disk is slower than the network."""
    streams_per_principal_max: int = 32
    """Half, so that who takes all that it can leaves room for others."""
    bytes_per_s_min: int = 16 * 1024
    """Less than this on average after ``pace_after_s`` is taken for a client that only holds a
    place: whole messages of 1 MiB within ``idle_s`` are twice as fast. 0 asks for nothing."""
    pace_after_s: float = 60.0
    durable_after_bytes: int = 64 * MIB
    durable_after_s: float = 1.0
    """Bytes are made durable after so many or so long: no more is lost to a crash."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What a client says of a file before it sends it."""

    path: str
    size_bytes: int
    sha256: str
    media_type: str
    role: str


def require_upload_id(name: UploadName, *, field: str) -> UploadName:
    """``name``, if its id is a UUID: whoever guesses ids must not hit one.

    Raises:
        InvalidName: It is not.
    """
    if not _UUID.fullmatch(name.upload_id):
        problem = "the id of an upload is a UUID in lower case that the client chooses"
        raise InvalidName(upload_name(*name), problem, field=field)
    return name


def require_announced(file: Announced, limits: TransferLimits) -> Announced:
    """``file``, if such a one can be uploaded.

    Raises:
        InvalidPath: Its path breaks the grammar of manifests.
        InvalidField: Its size, media type or role is wrong.
    """
    require_path(file.path)
    if not SIZE_UNKNOWN <= file.size_bytes <= limits.file_bytes_max:
        raise InvalidField(
            "upload.size_bytes",
            f"is {file.size_bytes}, but must lie between 0 and {limits.file_bytes_max}, "
            f"or be {SIZE_UNKNOWN} while it is not known",
        )
    require_media_type(file.media_type)
    require_file_role(file.role)
    return file


def require_room(path: str, others: Rivals, limits: TransferLimits) -> None:
    """Check that a draft with ``others`` can take a file at ``path``.

    Raises:
        DuplicatePath: It collides with another path.
        InvalidField: The draft has as many files as it may have.
    """
    if others.count >= limits.files_per_draft_max:
        raise InvalidField(
            "upload.path",
            f"is one too many: a draft has {limits.files_per_draft_max} files at most",
        )
    require_distinct((*others.paths, path))


def begun(
    name: UploadName, file: Announced, *, by: str, now: datetime, limits: TransferLimits
) -> Upload:
    """A new upload."""
    return Upload(
        *name,
        path=file.path,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        media_type=file.media_type,
        role=file.role,
        state=UploadState.OPEN,
        durable_bytes=0,
        epoch=1,
        created_by=by,
        create_time=now,
        expire_time=now + limits.ttl,
    )


def begun_again(
    upload: Upload, file: Announced, *, now: datetime, limits: TransferLimits
) -> Upload:
    """``upload``, to be gone on with; streams of its earlier epochs are fenced by that.

    Raises:
        InvalidField: It was begun for another file.
        UploadNotOpen: It was aborted.
    """
    sha256, size_bytes = _agreed(upload, file)
    if upload.state is UploadState.COMPLETE:
        return upload
    return replace(
        require_open(upload),
        size_bytes=size_bytes,
        sha256=sha256,
        media_type=file.media_type,
        role=file.role,
        epoch=upload.epoch + 1,
        expire_time=now + limits.ttl,
    )


def require_open(upload: Upload) -> Upload:
    """``upload``, if it takes bytes.

    Raises:
        UploadNotOpen: It is complete or was aborted.
    """
    if upload.state is not UploadState.OPEN:
        raise UploadNotOpen(upload_name_of(upload), upload.state)
    return upload


def require_epoch(upload: Upload, epoch: int) -> Upload:
    """``upload``, if it takes bytes from a stream of ``epoch``.

    Raises:
        UploadNotOpen: It is complete or was aborted.
        UploadFenced: It was begun again since.
    """
    if require_open(upload).epoch != epoch:
        raise UploadFenced(upload_name_of(upload))
    return upload


def require_next(
    upload: Upload, *, offset: int, expected_offset: int, length: int, limits: TransferLimits
) -> None:
    """Check that a message of ``length`` bytes at ``offset`` continues the upload.

    Raises:
        UploadOffsetWrong: It does not.
        SizeMismatch: There are more bytes than were announced.
        InvalidField: There are more than any file may have.
    """
    if offset != expected_offset:
        raise UploadOffsetWrong(
            upload_name_of(upload), sent_offset=offset, expected_offset=expected_offset
        )
    end = offset + length
    if upload.size_bytes != SIZE_UNKNOWN and end > upload.size_bytes:
        raise SizeMismatch(
            upload_name_of(upload), declared_bytes=upload.size_bytes, received_bytes=end
        )
    if end > limits.file_bytes_max:
        raise InvalidField("offset", f"leads past the largest file, {limits.file_bytes_max} bytes")


def is_too_slow(*, received_bytes: int, open_s: float, limits: TransferLimits) -> bool:
    """Whether a stream that has been open for ``open_s`` only holds its place."""
    return open_s > limits.pace_after_s and received_bytes < limits.bytes_per_s_min * open_s


def require_committable(upload: Upload, *, sha256: str, size_bytes: int) -> Upload:
    """``upload``, if all bytes of such a file are durable; what they are is not looked at here.

    Raises:
        UploadNotOpen: It was aborted, or committed as another file.
        InvalidField: Another digest was announced.
        SizeMismatch: Another number of bytes was announced, or arrived.
    """
    if upload.state is UploadState.COMPLETE and upload.sha256 == sha256:
        return upload
    require_open(upload)
    if upload.sha256 not in {"", sha256}:
        raise InvalidField("digest", f"differs from sha256:{upload.sha256}, which was announced")
    received_bytes = upload.durable_bytes
    if SIZE_UNKNOWN != upload.size_bytes != size_bytes:
        received_bytes = upload.size_bytes
    if received_bytes != size_bytes:
        raise SizeMismatch(
            upload_name_of(upload), declared_bytes=size_bytes, received_bytes=received_bytes
        )
    return upload


def completed(upload: Upload, *, sha256: str, size_bytes: int) -> Upload:
    """``upload`` with its file in the draft."""
    return replace(
        upload,
        state=UploadState.COMPLETE,
        sha256=sha256,
        size_bytes=size_bytes,
        durable_bytes=size_bytes,
    )


def aborted(upload: Upload) -> Upload:
    """``upload`` given up, unless it is complete."""
    if upload.state is UploadState.COMPLETE:
        return upload
    return replace(upload, state=UploadState.ABORTED, epoch=upload.epoch + 1)


def file_of(upload: Upload) -> File:
    """The file that a complete upload brought."""
    return File(upload.path, upload.size_bytes, upload.sha256, upload.media_type, upload.role)


def upload_name_of(upload: Upload) -> str:
    """Resource name of an upload."""
    return upload_name(upload.namespace_id, upload.model_id, upload.draft_id, upload.upload_id)


def staging_id(name: str) -> str:
    """The UUID under which the bytes of the upload ``name`` arrive: one of its whole name.

    Clients choose the ids of uploads and trails show them, so one may be used in two drafts; the
    bytes of one must never be within reach of the other.
    """
    digest = hashlib.sha256(name.encode()).digest()
    return str(UUID(bytes=digest[:16]))


def _agreed(upload: Upload, file: Announced) -> tuple[str, int]:
    """Digest and size of the file, as known from both."""
    if file.path != upload.path:
        raise InvalidField(
            "upload.path",
            f"is {quoted(file.path)}, but the upload was begun for {quoted(upload.path)}: "
            "choose another id for another file",
        )
    if file.sha256 and upload.sha256 and file.sha256 != upload.sha256:
        raise InvalidField("upload.digest", "is another than before: begin a new upload")
    if file.size_bytes != upload.size_bytes and SIZE_UNKNOWN not in (
        file.size_bytes,
        upload.size_bytes,
    ):
        raise InvalidField("upload.size_bytes", "is another than before: begin a new upload")
    return file.sha256 or upload.sha256, max(file.size_bytes, upload.size_bytes)
