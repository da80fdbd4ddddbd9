"""Enums: members of a domain enum are the values of the proto enum without their prefix.

Proto values are written ``{ENUM_NAME}_{MEMBER}``; 0 is ``…_UNSPECIFIED`` and has no member.
"""

import re
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Protocol, TypeVar

from google.protobuf.descriptor import EnumDescriptor

from assay_server.domain.errors import InvalidField

E = TypeVar("E", bound=Enum)
V_co = TypeVar("V_co", bound=int, covariant=True)


class ProtoEnum(Protocol[V_co]):
    """What generated code offers for an enum."""

    DESCRIPTOR: EnumDescriptor

    def Value(self, name: str) -> V_co: ...


def from_enum(number: int, proto: ProtoEnum[V_co], domain: type[E], *, field: str) -> E:
    """Translate a value of a request.

    Raises:
        InvalidField: It is unspecified, or newer than this server.
    """
    member = _members(proto.DESCRIPTOR).get(number)
    if member is None or member not in domain.__members__:
        choices = ", ".join(f"{_prefix(proto.DESCRIPTOR)}{name}" for name in domain.__members__)
        raise InvalidField(field, f"must be one of {choices}")
    return domain[member]


def to_enum(member: Enum, proto: ProtoEnum[V_co]) -> V_co:
    """Translate a value for an answer."""
    return proto.Value(f"{_prefix(proto.DESCRIPTOR)}{member.name}")


@cache
def _prefix(descriptor: EnumDescriptor) -> str:
    """The prefix that Buf's style asks for: DraftState becomes DRAFT_STATE_."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", descriptor.name).upper() + "_"


@cache
def _members(descriptor: EnumDescriptor) -> Mapping[int, str]:
    """Domain member names by number."""
    prefix = _prefix(descriptor)
    return {value.number: value.name.removeprefix(prefix) for value in descriptor.values}
