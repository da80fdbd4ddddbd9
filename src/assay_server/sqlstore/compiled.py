"""Statements written once in SQLAlchemy Core, and the text that a driver is given.

SQLAlchemy composes and compiles them, once per database; drivers run them. Its own execution
would cost several times what the database needs for a short statement.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from types import ModuleType
from typing import Any

from sqlalchemy.engine.interfaces import Dialect as CoreDialect
from sqlalchemy.sql import ClauseElement

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement. ``tells_revision``: the last column is the newest revision."""

    core: ClauseElement
    tells_revision: bool = False

    @property
    def table(self) -> str:
        """The name of the table that it writes; empty for one that reads."""
        return getattr(getattr(self.core, "table", None), "name", "")


class Queries:
    """Statements that belong together, each an attribute."""


class Compiled:
    """The text of a statement for one database, and how its parameters are put in order."""

    def __init__(self, statement: Statement, dialect: CoreDialect) -> None:
        compiled: Any = statement.core.compile(dialect=dialect)
        names: list[str] = compiled.positiontup or []
        self.sql = str(compiled)
        self.tells_revision = statement.tells_revision
        self.placeholders = len(names)
        # What stands in the statement itself, such as a state; the others come with the call.
        self._constants = {k: v for k, v in compiled.params.items() if v is not None}
        self._ordered = _ordered(names)

    def arguments(self, parameters: Parameters) -> tuple[Any, ...]:
        """The values of ``parameters`` in the order of the placeholders."""
        if self._constants:
            return self._ordered({**self._constants, **parameters})
        return self._ordered(parameters)


class Catalogue:
    """The statements of some modules, compiled at start; others when they are first used."""

    def __init__(self, dialect: CoreDialect, modules: Iterable[ModuleType] = ()) -> None:
        self._dialect = dialect
        self._compiled: dict[Statement, Compiled] = {}
        for module in modules:
            for value in vars(module).values():
                self._compile(value)
                if isinstance(value, Queries):
                    for statement in vars(value).values():
                        self._compile(statement)

    def _compile(self, value: object) -> None:
        if isinstance(value, Statement):
            self.compiled(value)

    def compiled(self, statement: Statement) -> Compiled:
        """The text of ``statement`` for this database."""
        found = self._compiled.get(statement)
        if found is None:
            found = self._compiled[statement] = Compiled(statement, self._dialect)
        return found


def _ordered(names: list[str]) -> Callable[[Parameters], tuple[Any, ...]]:
    if not names:
        return lambda _: ()
    if len(names) == 1:
        only = names[0]
        return lambda parameters: (parameters[only],)
    return itemgetter(*names)
