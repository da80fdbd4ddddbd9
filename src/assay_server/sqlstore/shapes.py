"""Rows and the dataclasses they stand for: a column for each field, in the order of the fields."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from sqlalchemy import FromClause
from sqlalchemy.sql import ColumnElement

from assay_server.sqlstore.records import codec
from assay_server.sqlstore.session import Row
from assay_server.sqlstore.times import from_us, from_us_or_null, to_us, to_us_or_null

T = TypeVar("T")
Convert = Callable[[Any], Any]


class Shape(Generic[T]):
    """How values of a dataclass are kept in the columns of the same names.

    Text and integers stay what they are, times are microseconds, words of an enumeration are
    text ("" for None), and everything else is JSON.

    Args:
        kind: The dataclass.
        table: Where it is kept.
        instead: What is selected for fields that have no column of their own.
    """

    def __init__(
        self,
        kind: type[T],
        table: FromClause,
        instead: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> None:
        apart = instead or {}
        hints = get_type_hints(kind)
        names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
        self.columns: tuple[ColumnElement[Any], ...] = tuple(
            apart[name] if name in apart else table.c[name] for name in names
        )
        self._kind = kind
        self._names = names
        self._apart = apart
        self.width = len(names)
        both = {name: _conversions(hints[name]) for name in names}
        self._reading = tuple(
            (position, both[name][0])
            for position, name in enumerate(names)
            if both[name][0] is not None
        )
        self._writing = tuple((name, both[name][1]) for name in names if name not in apart)

    def columns_of(self, source: FromClause) -> tuple[ColumnElement[Any], ...]:
        """The same columns of something that has them like the table."""
        return tuple(
            self._apart[name] if name in self._apart else source.c[name] for name in self._names
        )

    def read(self, row: Row) -> T:
        """The value in the first columns of a row that was selected by ``columns``."""
        values = list(row[: self.width])
        for position, convert in self._reading:
            values[position] = convert(values[position])
        return self._kind(*values)

    def write(self, value: T) -> dict[str, Any]:
        """The parameters that keep ``value``."""
        return {
            name: convert(getattr(value, name)) if convert else getattr(value, name)
            for name, convert in self._writing
        }


def _conversions(annotation: Any) -> tuple[Any, Any]:
    """From a column and to it; None where a value stays what it is."""
    if annotation in (str, int):
        return None, None
    if annotation is datetime:
        return from_us, to_us
    members = [member for member in get_args(annotation) if member is not type(None)]
    is_optional = len(members) == 1 and type(None) in get_args(annotation)
    only = members[0] if is_optional else annotation
    if is_optional and only is datetime:
        return from_us_or_null, to_us_or_null
    if isinstance(only, type) and issubclass(only, StrEnum):
        words: dict[str, StrEnum] = {word.value: word for word in only}
        return (
            (_word_or_none(words), _text_of_word)
            if is_optional
            else (
                words.__getitem__,
                attrgetter("value"),
            )
        )
    kept = codec(annotation)
    return kept.decode, kept.encode


def _word_or_none(words: Mapping[str, StrEnum]) -> Convert:
    return lambda text: words[text] if text else None


def _text_of_word(word: StrEnum | None) -> str:
    return word.value if word else ""
