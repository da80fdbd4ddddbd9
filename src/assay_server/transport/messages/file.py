"""Files of drafts and versions on the wire."""

from assay.v1 import file_pb2
from assay_server.domain.manifest import File

DIGEST_PREFIX = "sha256:"


def to_message(file: File) -> file_pb2.File:
    """Translate for an answer."""
    return file_pb2.File(
        path=file.path,
        size_bytes=file.size_bytes,
        digest=DIGEST_PREFIX + file.sha256,
        media_type=file.media_type,
        role=file.role,
    )
