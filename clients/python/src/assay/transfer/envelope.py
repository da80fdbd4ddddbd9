"""The messages of an upload, encoded around their payload without another copy of it."""

import google_crc32c

from assay.v1.artifact_service_pb2 import WriteUploadRequest

PAYLOAD_BYTES = 1024 * 1024
"""Fits the 4 MiB that every gRPC server takes by default; larger ones are slower."""

_DATA_TAG = bytes([5 << 3 | 2])
"""Field 5, length-delimited: it is the last on the wire."""


def write_message(payload: bytes, *, offset: int, upload: str = "", epoch: int = 0) -> bytes:
    """A ``WriteUploadRequest`` with its checksum; name and epoch go into the first one only."""
    head = WriteUploadRequest(
        upload=upload, epoch=epoch, offset=offset, crc32c=google_crc32c.value(payload)
    ).SerializeToString()
    return b"".join((head, _DATA_TAG, _varint(len(payload)), payload))


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
