"""Messages as plain values, for ``--output json`` and for tables.

Unlike protobuf's own JSON mapping, 64-bit integers are numbers, names are those of the contract
(`size_bytes`), enum values go without their prefix (`READY`), and every field is present: scripts
that read it need no special cases.
"""

import json
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Plain = dict[str, Any] | list[Any]


def plain(message: Message) -> dict[str, Any]:
    """Turn a message into values that ``json`` can write."""
    return {field.name: _field(message, field) for field in message.DESCRIPTOR.fields}


def written(value: Plain, *, indent: int | None = 2) -> str:
    """Write ``value`` as JSON; NaN cannot occur, since the server refuses it."""
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)


def _field(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if _is_map(field):
        value_field = field.message_type.fields_by_name["value"]
        return {str(key): _single(value[key], value_field) for key in sorted(value)}
    if _is_repeated(field):
        return [_single(item, field) for item in value]
    if field.message_type is not None and not message.HasField(field.name):
        return None
    return _single(value, field)


def _single(value: Any, field: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Message):
        return plain(value)
    if field.enum_type is not None:
        return _enum_word(field, value)
    return value


def _enum_word(field: Any, number: int) -> str:
    """Name of an enum value without the name of its enum: ``READY``; the number where unknown."""
    known = field.enum_type.values_by_number.get(number)
    if known is None:
        return str(number)
    return str(known.name).removeprefix(_prefix(field.enum_type.values[0].name))


def _prefix(zero_name: str) -> str:
    """By Buf's rule the zero value is the prefix and ``UNSPECIFIED``."""
    return zero_name.removesuffix("UNSPECIFIED")


def _is_map(field: Any) -> bool:
    entry = field.message_type
    return entry is not None and bool(entry.GetOptions().map_entry)


def _is_repeated(field: Any) -> bool:
    # `label` is deprecated from protobuf 6.31 on, `is_repeated` is new there.
    if hasattr(field, "is_repeated"):
        return bool(field.is_repeated)
    return bool(field.label == field.LABEL_REPEATED)
