"""What differs between the databases, and nothing else: each answers the same questions."""

import errno
import sqlite3
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Boolean, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgres_dialect
from sqlalchemy.engine.interfaces import Dialect as CoreDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from assay_server.domain.errors import Conflict, StorageFull, StoreUnavailable
from assay_server.sqlstore.session import UniqueViolated

RETRY_AFTER_S = 1.0
"""What a client is told to wait when the database does not answer: a restart takes about that."""


class BrokenRule(Exception):
    """The database refused a row that a rule forbids: an error of ours, told in the log only."""


_NO_SPACE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
"""Of the database or its log, and of the index of the log."""

_AWAY = ("08", "53", "55", "57", "58", "XX")
"""Classes of SQLSTATE that speak of the server and not of the statement."""


class Dialect(Protocol):
    """What the store asks of a database apart from running statements."""

    @property
    def core(self) -> CoreDialect:
        """How SQLAlchemy compiles for the driver."""
        ...

    def refusal_of(self, error: Exception) -> Exception:
        """What an error of the driver means; nothing of its type or text is in it."""
        ...


class Sqlite:
    """SQLite through the standard library: one writer, so nobody ever loses a race."""

    def __init__(self) -> None:
        self.core: CoreDialect = sqlite.dialect(paramstyle="qmark")

    def refusal_of(self, error: Exception) -> Exception:
        code = getattr(error, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE):
            return UniqueViolated()
        if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
            return Conflict()
        if code is not None and code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
            return BrokenRule()
        if code in _NO_SPACE or getattr(error, "errno", None) == errno.ENOSPC:
            return StorageFull()
        return StoreUnavailable(RETRY_AFTER_S)


class Postgres:
    """PostgreSQL through asyncpg, told apart by SQLSTATE (PostgreSQL docs, Appendix A)."""

    def __init__(self) -> None:
        self.core: CoreDialect = postgres_dialect()  # type: ignore[no-untyped-call]

    def refusal_of(self, error: Exception) -> Exception:
        state = getattr(error, "sqlstate", None) or ""
        if state == "23505":
            return UniqueViolated(getattr(error, "table_name", None) or "")
        if state in ("23503", "40001", "40P01", "55P03"):
            return Conflict()
        if state == "53100":
            return StorageFull()
        if not state or state.startswith(_AWAY) or state == "25006":  # now a read-only standby
            return StoreUnavailable(RETRY_AFTER_S)
        return BrokenRule()


POSTGRES_ERRORS: tuple[type[Exception], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What asyncpg raises."""


class Among(ColumnElement[bool]):
    """``column`` is one of the texts or numbers in a parameter, which is a JSON array.

    A list of any length in one parameter: the statement stays the same, and so does its plan.
    """

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], values: ColumnElement[str]) -> None:
        self.column = column
        self.values = values


@compiles(Among, "sqlite")
def _among_of_sqlite(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    values = compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(Among, "postgresql")
def _among_of_postgres(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    values = compiler.process(element.values, **options)
    # Without the column's collation, which prevails over that of the array anyway.
    kind = "TEXT" if isinstance(element.column.type, Text) else "BIGINT"
    items = f"jsonb_array_elements_text(CAST({values} AS JSONB)) AS item"
    return f"{column} = ANY (ARRAY(SELECT CAST(item AS {kind}) FROM {items}))"


class ReleaseKey(FunctionElement[str]):
    """A text that sorts as releases do, of a column of semvers; empty for all that is no release.

    Written alike in an index and in queries, so that these go by it. Another key would need
    another index: see the migration that made this one.
    """

    inherit_cache = True
    name = "release_key"
    type = Text()


def release_key(core: tuple[int, int, int]) -> str:
    """What ``ReleaseKey`` is of the release of these three numbers."""
    return "".join(f"{number:010d}" for number in core)


@compiles(ReleaseKey, "sqlite")
def _release_key_of_sqlite(element: ReleaseKey, compiler: SQLCompiler, **options: Any) -> str:
    semver = compiler.process(element.clauses, **options)
    parts = f"'[' || replace({semver}, '.', ',') || ']'"
    numbers = ", ".join(f"json_extract({parts}, '$[{place}]')" for place in range(3))
    key = f"printf('%010d%010d%010d', {numbers})"
    return f"CASE WHEN {semver} GLOB '*[^0-9.]*' OR {semver} = '' THEN '' ELSE {key} END"


@compiles(ReleaseKey, "postgresql")
def _release_key_of_postgres(element: ReleaseKey, compiler: SQLCompiler, **options: Any) -> str:
    semver = compiler.process(element.clauses, **options)
    parts = " || ".join(f"lpad(split_part({semver}, '.', {n}), 10, '0')" for n in (1, 2, 3))
    # In parentheses, which an index wants around all but a plain call.
    return f"(CASE WHEN {semver} ~ '[^0-9.]' OR {semver} = '' THEN '' ELSE {parts} END)"


class EachText(FunctionElement[str]):
    """The texts in a parameter, which is a JSON array, as rows of one column, ``value``."""

    inherit_cache = True
    name = "each_text"


@compiles(EachText, "sqlite")
def _each_text_of_sqlite(element: EachText, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(EachText, "postgresql")
def _each_text_of_postgres(element: EachText, compiler: SQLCompiler, **options: Any) -> str:
    values = compiler.process(element.clauses, **options)
    return f"jsonb_array_elements_text(CAST({values} AS JSONB))"
