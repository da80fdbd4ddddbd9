"""Structured values as JSON text: from a dataclass and back to one that equals it.

A field that a later version of the server adds needs a default, since rows were written without
it; one that it drops is passed over. Where a field may hold one of several dataclasses, the
JSON says which under ``kind``, a name of a class that therefore never changes.
"""

import dataclasses
import types
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Generic, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from assay_server.domain.events import Subject

T = TypeVar("T")
KIND = "kind"


class Codec(Protocol[T]):
    """Writes and reads values of one type."""

    def encode(self, value: T) -> str: ...
    def decode(self, text: str) -> T: ...


class _Direct(Generic[T]):
    """For types that msgspec handles by itself, in C."""

    def __init__(self, annotation: Any) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(annotation)

    def encode(self, value: T) -> str:
        return self._encoder.encode(value).decode()

    def decode(self, text: str) -> T:
        return self._decoder.decode(text)


class _Tagged(Generic[T]):
    """For types in which one of several dataclasses may stand, which msgspec cannot tell apart."""

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation

    def encode(self, value: T) -> str:
        return msgspec.json.encode(_plain(self._annotation, value)).decode()

    def decode(self, text: str) -> T:
        value: T = _restored(self._annotation, msgspec.json.decode(text))
        return value


def codec(annotation: Any) -> Codec[Any]:
    """The codec of a type; the same one for the same type."""
    return _made(annotation)


def json_array(values: Iterable[str] | Iterable[int]) -> str:
    """A JSON array of texts or numbers, for ``dialects.Among``; the same for the same set."""
    return msgspec.json.encode(sorted(values)).decode()


def _members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _dataclasses_in(annotation: Any) -> list[Any]:
    return [member for member in _members(annotation) if dataclasses.is_dataclass(member)]


@cache
def _hints(annotation: Any) -> dict[str, Any]:
    return get_type_hints(annotation)


@cache
def _has_choice(annotation: Any) -> bool:
    """Whether one of several dataclasses may stand here, or anywhere within."""
    found = _dataclasses_in(annotation)
    if len(found) > 1:
        return True
    if found:
        return any(_has_choice(hint) for hint in _hints(found[0]).values())
    return any(_has_choice(part) for part in get_args(annotation) if part is not Ellipsis)


def _plain(annotation: Any, value: Any) -> Any:
    if value is None or not _has_choice(annotation):
        return msgspec.to_builtins(value)
    if choices := _dataclasses_in(annotation):
        fields = {name: _plain(hint, getattr(value, name)) for name, hint in _hints_of(value)}
        return {KIND: type(value).__name__, **fields} if len(choices) > 1 else fields
    return [_plain(_element_of(annotation), element) for element in value]


def _restored(annotation: Any, plain: Any) -> Any:
    if plain is None or not _has_choice(annotation):
        return msgspec.convert(plain, annotation)
    if choices := _dataclasses_in(annotation):
        kind = {choice.__name__: choice for choice in choices}[plain.pop(KIND, choices[0].__name__)]
        known = {name: hint for name, hint in _hints(kind).items() if name in plain}
        return kind(**{name: _restored(hint, plain[name]) for name, hint in known.items()})
    return tuple(_restored(_element_of(annotation), element) for element in plain)


def _hints_of(value: Any) -> list[tuple[str, Any]]:
    kind: Any = type(value)
    return list(_hints(kind).items())


def _element_of(annotation: Any) -> Any:
    """``X`` of ``tuple[X, ...]``, the only container in which a choice may stand."""
    origin, (element, *rest) = get_origin(annotation), get_args(annotation)
    if origin is not tuple or rest != [Ellipsis]:
        raise TypeError(f"cannot keep a choice of dataclasses in {annotation}")
    return element


@cache
def _made(annotation: Any) -> Codec[Any]:
    return _Tagged(annotation) if _has_choice(annotation) else _Direct(annotation)


SUBJECTS: Mapping[str, Codec[Any]] = {kind.__name__: codec(kind) for kind in get_args(Subject)}
"""How the subject of an event is kept, by its kind."""
