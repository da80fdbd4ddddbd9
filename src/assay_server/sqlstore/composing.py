"""The few forms that nearly all statements have."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    FromClause,
    Select,
    Table,
    Text,
    bindparam,
    column,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.sql import ColumnElement

from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.dialects import Among, EachText

REVISION = (
    select(tables.counters.c.value)
    .where(tables.counters.c.name == literal_column("'revision'"))
    .scalar_subquery()
)
"""The newest revision, in the snapshot of the statement that it is part of."""


def reading(query: Select[Any]) -> Statement:
    """A statement of a reader, which also tells the revision at which its rows are true."""
    return Statement(query.add_columns(REVISION.label("newest_revision")), tells_revision=True)


def locking(query: Select[Any]) -> Statement:
    """A statement that waits for its rows and holds them until the transaction ends.

    Rows that only refer to the held ones may still be added meanwhile (FOR NO KEY UPDATE).
    """
    return Statement(query.with_for_update(key_share=True))


def at(table: FromClause, *names: str) -> list[ColumnElement[bool]]:
    """Each of these columns equals the parameter of its name."""
    return [table.c[name] == bindparam(name) for name in names]


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """``column`` is in the JSON array that the parameter is."""
    return Among(column, bindparam(parameter, type_=Text))


def each_text(parameter: str) -> FromClause:
    """The texts in the JSON array that the parameter is, in the column ``value``."""
    values = EachText(bindparam(parameter, type_=Text))
    return values.table_valued(column("value", Text), name="each_of_them")


def inserting(table: Table) -> Statement:
    """Add a row; every column is a parameter."""
    return Statement(insert(table).values(_every_column(table)))


def replacing(table: Table) -> Statement:
    """Add a row, or put it in the place of the one with the same primary key.

    ON CONFLICT is the same on both databases, and so is what SQLAlchemy makes of it.
    """
    statement = insert_or(table).values(_every_column(table))
    keys = [column.name for column in table.primary_key.columns]
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return Statement(statement.on_conflict_do_update(index_elements=keys, set_=others))


def updating(table: Table, fixed: Sequence[str]) -> Statement:
    """Write all columns of the row with this primary key but those that never change."""
    keys = [column.name for column in table.primary_key.columns]
    changing = [c.name for c in table.columns if c.name not in (*keys, *fixed)]
    values: dict[str, Any] = {name: bindparam(name) for name in changing}
    return Statement(update(table).where(*at(table, *keys)).values(values))


def _every_column(table: Table) -> dict[str, Any]:
    return {column.name: bindparam(column.name) for column in table.columns}
