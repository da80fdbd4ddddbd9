"""The kinds of columns and constraints that the schema is made of.

Only column types whose values drivers give and take as they are, so that rows need no result
processing: text, and 64-bit numbers.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    column,
)
from sqlalchemy.sql import ColumnElement

from assay_server.sqlstore.dialects import ReleaseKey

NAME = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared and sorted by its bytes, as SQLite does."""

NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits; SQLite's strict tables know them as INTEGER."""

RELEASE = ReleaseKey(column("semver", NAME))
"""What the release of a row with a semver is sorted by."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *parts: Any, **options: Any) -> Table:
    """A table whose columns hold what their type says, on SQLite too."""
    return Table(name, metadata, *parts, sqlite_strict=True, **options)


def name(column: str) -> Column[str]:
    """Text that is looked up, compared or sorted."""
    return Column(column, NAME, nullable=False)


def text(column: str) -> Column[str]:
    """Text that is only read, among it JSON."""
    return Column(column, Text, nullable=False)


def text_or_empty(column: str) -> Column[str]:
    """Text that servers from before the column do not write."""
    return Column(column, Text, nullable=False, server_default="")


def number(column: str) -> Column[int]:
    """An integer of 64 bits."""
    return Column(column, NUMBER, nullable=False)


def number_or_zero(column: str) -> Column[int]:
    """An integer that servers from before the column do not write."""
    return Column(column, NUMBER, nullable=False, server_default="0")


def number_or_one(column: str) -> Column[int]:
    """An integer that servers from before the column do not write."""
    return Column(column, NUMBER, nullable=False, server_default="1")


def time(column: str) -> Column[int]:
    """Microseconds since 1970 UTC."""
    return Column(column, NUMBER, nullable=False)


def time_or_null(column: str) -> Column[int]:
    """Microseconds since 1970 UTC, or null for never."""
    return Column(column, NUMBER, nullable=True)


def one_of(column: str, words: Iterable[StrEnum]) -> CheckConstraint:
    """Only these words may stand in ``column``."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def refers(target: str, *columns: str) -> ForeignKeyConstraint:
    """These columns name a row of ``target``, by columns of the same names."""
    return ForeignKeyConstraint(columns, [f"{target}.{column}" for column in columns])


def history_of(source: Table, fixed: Sequence[str]) -> Table:
    """What the rows of ``source``, which are never removed, became at each revision.

    It has every column that is not ``fixed``. Made from the table itself, so that a column which
    is added there is not forgotten here.
    """
    keys = [column.name for column in source.primary_key.columns]
    return _history(source, fixed, refers(source.name, *keys))


def whole_history_of(source: Table, *parts: Any) -> Table:
    """The same of rows that may be removed, which it says in ``is_removed``: with every column."""
    return _history(source, (), number("is_removed"), *parts)


def _history(source: Table, fixed: Sequence[str], *parts: Any) -> Table:
    keys = [column.name for column in source.primary_key.columns]
    changing = [c for c in source.columns if c.name not in (*keys, *fixed)]
    return table(
        f"{source.name.removesuffix('s')}_history",
        *(Column(key.name, key.type, nullable=False) for key in source.primary_key.columns),
        number("revision"),
        *(Column(column.name, column.type, nullable=column.nullable) for column in changing),
        PrimaryKeyConstraint(*keys, "revision"),
        Index(None, "revision"),
        *parts,
    )


def while_open(index: str, *names: str) -> Index:
    """An index of the rows that are still open: of the many that are not it has none."""
    return _where(column("state") == "OPEN", index, *names)


def while_published(index: str, *parts: str | ColumnElement[Any], unique: bool = False) -> Index:
    """An index of the rows that have a semver."""
    return _where(column("semver") != "", index, *parts, unique=unique)


def _where(
    condition: ColumnElement[bool],
    index: str,
    *parts: str | ColumnElement[Any],
    unique: bool = False,
) -> Index:
    """An index of the rows of which ``condition`` is true."""
    return Index(index, *parts, unique=unique, sqlite_where=condition, postgresql_where=condition)
