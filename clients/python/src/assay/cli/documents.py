"""Documents that people write, as JSON or TOML, read with errors that name the key."""

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assay.errors import InvalidInput

STDIN = "-"


class DocumentInvalid(InvalidInput):
    """A document cannot be read as what it should be; the message names the place."""


class Table:
    """A table of a document that knows where it is, so that each fault can be named."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, Mapping):
            raise DocumentInvalid(f"{where} must be a table (an object), not {_kind(content)}.")
        self.content: Mapping[str, Any] = content
        self.where = where

    def only(self, *keys: str) -> "Table":
        """Refuse keys that nobody would read: they are most often misspelled."""
        if unknown := sorted(set(self.content) - set(keys)):
            raise DocumentInvalid(
                f"{self.where} has the unknown key {unknown[0]!r}; there are {', '.join(keys)}."
            )
        return self

    def text(self, key: str, default: str | None = "") -> str:
        """A text; without a default it is required."""
        return str(self._value(key, str, "text", default))

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number; without a default it is required."""
        return int(self._value(key, int, "a whole number", default))

    def number(self, key: str, default: float | None = None) -> float:
        """A number; without a default it is required."""
        return float(self._value(key, (int, float), "a number", default))

    def optional_number(self, key: str) -> float | None:
        """A number, or None where it is left out."""
        return self.number(key) if key in self.content else None

    def truth(self, key: str) -> bool:
        """True or false; false where it is left out."""
        return bool(self._value(key, bool, "true or false", False))

    def table(self, key: str) -> "Table":
        """A table within; empty where it is left out."""
        return Table(self.content.get(key, {}), f"{self.where}.{key}")

    def tables(self, key: str) -> "list[Table]":
        """A list of tables; empty where it is left out."""
        found = self.content.get(key, [])
        if not isinstance(found, list):
            raise DocumentInvalid(f"{self.where}.{key} must be a list of tables.")
        return [Table(each, f"{self.where}.{key}[{place}]") for place, each in enumerate(found)]

    def below(self) -> "Iterable[tuple[str, Table]]":
        """Every table within, by its key."""
        return [(key, self.table(key)) for key in self.content]

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts."""
        inner = self.table(key)
        return {name: inner.text(name, None) for name in inner.content}

    def list_of_texts(self, key: str) -> list[str]:
        """A list of texts; empty where it is left out."""
        found = self.content.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise DocumentInvalid(f"{self.where}.{key} must be a list of texts.")
        return found

    def _value(self, key: str, kind: type | tuple[type, ...], called: str, default: object) -> Any:
        found = self.content.get(key, default)
        if found is None:
            raise DocumentInvalid(f"{self.where} lacks {key!r}, which must be {called}.")
        is_truth_for_number = isinstance(found, bool) and kind is not bool
        if not isinstance(found, kind) or is_truth_for_number:
            raise DocumentInvalid(f"{self.where}.{key} must be {called}, not {_kind(found)}.")
        return found


def read_document(path: str) -> Table:
    """Read a document, TOML by its suffix and JSON otherwise; ``-`` is standard input (JSON).

    Raises:
        DocumentInvalid: It cannot be read.
    """
    where = "standard input" if path == STDIN else path
    try:
        text = sys.stdin.read() if path == STDIN else Path(path).read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.endswith(".toml") else json.loads(text)
    except OSError as error:
        raise DocumentInvalid(f"{where} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # of both parsers and of the decoding
        raise DocumentInvalid(f"{where} is not what its suffix says: {error}.") from error
    return Table(content, where)


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case None:
            return "nothing"
    return "a table"
