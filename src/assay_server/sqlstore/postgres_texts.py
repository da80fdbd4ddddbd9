"""Several statements in one message to PostgreSQL.

A message with parameters holds one statement only. Many go together as plain text, and come
back without rows: ``EXECUTE`` of statements that were prepared before, with their values.
"""

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from assay_server.sqlstore.compiled import Catalogue, Parameters, Statement

Written = tuple[Statement, Parameters]


class Texts:
    """Makes texts, and prepares on each connection what they need."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._prepared: WeakKeyDictionary[Any, dict[Statement, str]] = WeakKeyDictionary()

    async def of(self, connection: Any, writes: Iterable[Written]) -> str:
        """The text that runs ``writes`` one after another on ``connection``."""
        parts: list[str] = []
        for statement, parameters in writes:
            name = await self._name(connection, statement)
            arguments = self._catalogue.compiled(statement).arguments(parameters)
            values = f"({', '.join(map(literal, arguments))})" if arguments else ""
            parts.append(f"EXECUTE {name}{values};")
        return " ".join(parts)

    async def _name(self, connection: Any, statement: Statement) -> str:
        names = self._prepared.setdefault(connection, {})
        if statement not in names:
            # Prepared statements outlive a rollback, so that the note stays true.
            name = f"text_{len(names)}"
            compiled = self._catalogue.compiled(statement)
            await connection.execute(f"PREPARE {name} AS {compiled.sql}")
            names[statement] = name
        return names[statement]


def literal(value: str | int | None) -> str:
    """A value in SQL text. Of what callers wrote, nothing stands there but hexadecimal digits."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return f"convert_from('\\x{value.encode().hex()}', 'UTF8')"
