"""The two messages that carry payload, encoded and decoded by hand.

The generated classes copy the payload two or three times and cost a third of the throughput;
these copy it once (the library of the checksum takes nothing but bytes of its own). They follow
the specification (https://protobuf.dev/programming-guides/encoding/) as the generated classes
do, which a property test compares.
"""

from dataclasses import dataclass
from typing import Final

import google_crc32c

from assay.v1.file_pb2 import File

_VARINT, _FIXED64, _BYTES, _GROUP, _GROUP_END, _FIXED32 = range(6)

_UPLOAD: Final = 1 << 3 | _BYTES
_EPOCH: Final = 2 << 3 | _VARINT
_WRITE_OFFSET: Final = 3 << 3 | _VARINT
_WRITE_CRC32C: Final = 4 << 3 | _FIXED32
_WRITE_DATA: Final = 5 << 3 | _BYTES

_FILE: Final = bytes((1 << 3 | _BYTES,))
_READ_OFFSET: Final = bytes((2 << 3 | _VARINT,))
_READ_CRC32C: Final = bytes((3 << 3 | _FIXED32,))
_READ_DATA: Final = bytes((4 << 3 | _BYTES,))

_VARINT_BYTES_MAX = 10
_TAG_BYTES_MAX = 5
_GROUPS_DEEP_MAX = 100
"""As deep as the generated classes go."""


class Undecodable(ValueError):
    """The bytes are no encoding of the message."""


@dataclass(slots=True)
class WriteMessage:
    """A ``WriteUploadRequest`` as it was received."""

    upload: str = ""
    epoch: int = 0
    offset: int = 0
    crc32c: int | None = None
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A ``ReadArtifactResponse`` to be sent."""

    data: bytes
    offset: int
    file: File | None = None


def decode_write(raw: bytes) -> WriteMessage:
    """The ``WriteUploadRequest`` in ``raw``.

    Raises:
        Undecodable: There is none.
    """
    message = WriteMessage()
    view = memoryview(raw)
    position = 0
    while position < len(raw):
        tag, position = _varint(view, position, bytes_max=_TAG_BYTES_MAX)
        if tag == _WRITE_DATA:
            data, position = _bytes(view, position)
            message.data = bytes(data)
        elif tag == _WRITE_OFFSET:
            number, position = _varint(view, position)
            message.offset = _signed(number)
        elif tag == _WRITE_CRC32C:
            end = _end(view, position, 4)
            message.crc32c = int.from_bytes(view[position:end], "little")
            position = end
        elif tag == _UPLOAD:
            text, position = _bytes(view, position)
            message.upload = _text(text)
        elif tag == _EPOCH:
            number, position = _varint(view, position)
            message.epoch = _signed(number)
        else:
            position = _skipped(view, position, tag)
    return message


def encode_read(message: ReadMessage) -> bytes:
    """The encoding of a ``ReadArtifactResponse``, data last."""
    parts = []
    if message.file is not None:
        file = message.file.SerializeToString()
        parts += [_FILE, _encoded_varint(len(file)), file]
    if message.offset:
        parts += [_READ_OFFSET, _encoded_varint(message.offset)]
    if message.data:
        checksum = google_crc32c.value(message.data)
        if checksum:
            parts += [_READ_CRC32C, checksum.to_bytes(4, "little")]
        parts += [_READ_DATA, _encoded_varint(len(message.data)), message.data]
    return b"".join(parts)


def is_intact(message: WriteMessage) -> bool:
    """Whether the data has the checksum that came with it, if one did."""
    return message.crc32c is None or google_crc32c.value(message.data) == message.crc32c


def _varint(
    view: memoryview, position: int, *, bytes_max: int = _VARINT_BYTES_MAX
) -> tuple[int, int]:
    number = 0
    for shift in range(0, 7 * bytes_max, 7):
        if position >= len(view):
            raise Undecodable("a number is cut off")
        byte = view[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
    raise Undecodable("a number is too long")


def _signed(number: int) -> int:
    """Two's complement of 64 bits; the tenth byte may have bits to spare, which are dropped."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


def _bytes(view: memoryview, position: int) -> tuple[memoryview, int]:
    length, position = _varint(view, position)
    end = _end(view, position, length)
    return view[position:end], end


def _end(view: memoryview, position: int, length: int) -> int:
    end = position + length
    if end > len(view):
        raise Undecodable("a field is cut off")
    return end


def _text(encoded: memoryview) -> str:
    try:
        return str(encoded, "utf-8")
    except UnicodeDecodeError:
        raise Undecodable("a text is not UTF-8") from None


def _skipped(view: memoryview, position: int, tag: int, depth: int = 0) -> int:
    """Where the field that begins at ``position`` ends; newer clients send unknown ones."""
    field, wire_type = tag >> 3, tag & 7
    if field == 0 or tag >> 32:
        raise Undecodable("a field number is out of range")
    if wire_type == _VARINT:
        return _varint(view, position)[1]
    if wire_type == _FIXED64:
        return _end(view, position, 8)
    if wire_type == _BYTES:
        return _bytes(view, position)[1]
    if wire_type == _FIXED32:
        return _end(view, position, 4)
    if wire_type == _GROUP and depth < _GROUPS_DEEP_MAX:
        return _group_skipped(view, position, field, depth + 1)
    raise Undecodable("a field has no known form")


def _group_skipped(view: memoryview, position: int, field: int, depth: int) -> int:
    end_tag = field << 3 | _GROUP_END
    while True:
        tag, position = _varint(view, position, bytes_max=_TAG_BYTES_MAX)
        if tag == end_tag:
            return position
        position = _skipped(view, position, tag, depth)


def _encoded_varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
