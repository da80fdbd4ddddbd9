"""Files of drafts and versions on the wire."""

from assay.v1 import file_pb2
from assay_server.domain.manifest import File, require_digest

DIGEST_PREFIX = "sha256:"
MEDIA_TYPE = File("", 0, "").media_type
"""Where none is stated."""


def to_message(file: File) -> file_pb2.File:
    """Translate for an answer."""
    return file_pb2.File(
        path=file.path,
        size_bytes=file.size_bytes,
        digest=DIGEST_PREFIX + file.sha256,
        media_type=file.media_type,
        role=file.role,
    )


def from_message(message: file_pb2.File, *, field: str) -> File:
    """What a request states; whether such a file may be is for the domain.

    Raises:
        InvalidField: The digest is none.
    """
    return File(
        path=message.path,
        size_bytes=message.size_bytes,
        sha256=sha256_of(message.digest, field=f"{field}.digest"),
        media_type=message.media_type or MEDIA_TYPE,
        role=message.role,
    )


def sha256_of(digest: str, *, field: str) -> str:
    """The hex digits of a digest.

    Raises:
        InvalidField: It is not ``sha256:`` and 64 of them.
    """
    return require_digest(digest, field=field).removeprefix(DIGEST_PREFIX)
