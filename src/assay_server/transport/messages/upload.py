"""Uploads on the wire."""

from assay.v1 import upload_pb2
from assay_server.domain.uploading import Announced, upload_name_of
from assay_server.domain.uploads import Upload
from assay_server.transport.messages.file import DIGEST_PREFIX, MEDIA_TYPE, sha256_of
from assay_server.transport.translating.enums import to_enum
from assay_server.transport.translating.timestamps import to_timestamp


def to_message(upload: Upload) -> upload_pb2.Upload:
    """Translate for an answer."""
    return upload_pb2.Upload(
        name=upload_name_of(upload),
        path=upload.path,
        size_bytes=upload.size_bytes,
        digest=DIGEST_PREFIX + upload.sha256 if upload.sha256 else "",
        media_type=upload.media_type,
        role=upload.role,
        state=to_enum(upload.state, upload_pb2.UploadState),
        durable_bytes=upload.durable_bytes,
        epoch=upload.epoch,
        expire_time=to_timestamp(upload.expire_time),
    )


def from_message(message: upload_pb2.Upload) -> Announced:
    """What a client announces.

    Raises:
        InvalidField: The digest is none.
    """
    return Announced(
        path=message.path,
        size_bytes=message.size_bytes,
        sha256=sha256_of(message.digest, field="upload.digest") if message.digest else "",
        media_type=message.media_type or MEDIA_TYPE,
        role=message.role,
    )
