"""Pages by key: however long the list and whatever is added meanwhile, none twice, none missed.

A token names the last row by the columns that the list is sorted by, and the next page begins
after it. Counting rows instead (OFFSET) would read all those before, and slip when one is added.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Select, bindparam, tuple_
from sqlalchemy.sql import ColumnElement

from assay_server.domain.calls import Page, Paged
from assay_server.sqlstore.columns import NUMBER
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import REVISION
from assay_server.sqlstore.session import Row, Session

T = TypeVar("T")
_NUMBER_MAX = 2**63 - 1

PAGE_CHARACTERS_MAX = 1024 * 1024
"""Stored text on one page: even at four bytes a character, a page then fits into the 4 MiB that
gRPC clients take in one message by default."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing(Statement):
    """A statement that reads a page. ``start`` sorts before every key."""

    start: tuple[str | int, ...] = ()


def listing(query: Select[Any], *key: ColumnElement[Any], newest_first: bool = False) -> Listing:
    """Read ``query`` in pages, sorted by ``key``, which no two rows share.

    Rows end with the key and the revision. One row more is read than fits on the page: it tells
    whether another page follows.
    """
    names = [bindparam(f"after_{n}", type_=column.type) for n, column in enumerate(key)]
    place, named = tuple_(*key), tuple_(*names)
    core = (
        query.add_columns(*(column.label(f"key_{n}") for n, column in enumerate(key)))
        .add_columns(REVISION.label("newest_revision"))
        .where(place < named if newest_first else place > named)
        .order_by(*(column.desc() if newest_first else column for column in key))
        .limit(bindparam("size", type_=BigInteger))
    )
    start: tuple[str | int, ...] = tuple("" if _is_text(column) else 0 for column in key)
    if newest_first:
        start = (_NUMBER_MAX, *start[1:])
    return Listing(core, tells_revision=True, start=start)


async def read_page(
    session: Session,
    statement: Listing,
    page: Page,
    read: Callable[[Row], T],
    **parameters: Any,
) -> Paged[T]:
    """Read what fits on the page, and where the next one starts."""
    keys = page.after or statement.start
    parameters |= {f"after_{n}": key for n, key in enumerate(keys)}
    rows = await session.rows(statement, size=page.size + 1, **parameters)
    shown = rows[: fitting(rows[: page.size])]
    next_after = tuple(shown[-1][-1 - len(keys) : -1]) if len(rows) > len(shown) else None
    return Paged(tuple(read(row) for row in shown), next_after)


def fitting(rows: Sequence[Row]) -> int:
    """How many of the rows fit on a page; at least one, so that every list comes to its end."""
    characters = 0
    for n, row in enumerate(rows):
        characters += sum(len(value) for value in row if isinstance(value, str))
        if characters > PAGE_CHARACTERS_MAX:
            return max(n, 1)
    return len(rows)


def _is_text(column: ColumnElement[Any]) -> bool:
    return column.type is not NUMBER
