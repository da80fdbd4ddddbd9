"""Update masks: which fields of a resource a request means to change."""

from collections.abc import Iterable

from google.protobuf.field_mask_pb2 import FieldMask

from assay_server.domain.errors import InvalidUpdateMask

EVERYTHING = "*"
"""Stands for every field that may be updated."""


def masked_fields(mask: FieldMask, allowed: Iterable[str]) -> frozenset[str]:
    """The fields that ``mask`` names, ``*`` spelled out.

    Raises:
        InvalidUpdateMask: It is empty, or names a field that may not be updated.
    """
    known = tuple(allowed)
    if not mask.paths:
        raise InvalidUpdateMask("", known)
    if list(mask.paths) == [EVERYTHING]:
        return frozenset(known)
    for path in mask.paths:
        if path not in known:
            raise InvalidUpdateMask(path, known)
    return frozenset(mask.paths)
