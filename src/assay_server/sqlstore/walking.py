"""The different values of a column, each found by one step down an index.

``SELECT DISTINCT`` reads every row that there is, on both databases: fifty thousand moves of one
alias to learn its name. A walk asks for the least value, then for the least one past it.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import CTE, BindParameter, FromClause, Table, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from assay_server.sqlstore.columns import NUMBER

Conditions = Callable[[FromClause], Sequence[ColumnElement[bool]]]
"""Which rows of the table, or of an alias of it, count."""


def walk(
    table: Table,
    key: str,
    within: Conditions,
    *,
    first: Sequence[ColumnElement[bool]] = (),
    size: BindParameter[int] | None = None,
) -> CTE:
    """The values of ``key`` in order; a null follows the last one.

    Args:
        table: Has an index of what ``within`` fixes, and then of ``key``.
        key: The column.
        within: Which rows count.
        first: Where the values begin. Only the first step is told: two lower bounds at once, and
            SQLite may go by the wrong one.
        size: How many values are wanted at most; None for all.
    """
    one = literal_column("1", type_=NUMBER)
    least = select(func.min(table.c[key])).where(*first, *within(table)).scalar_subquery()
    walked = select(one.label("place"), least.label(key)).cte("walked", recursive=True)
    later = table.alias("later")
    following = (
        select(func.min(later.c[key]))
        .where(*within(later), later.c[key] > walked.c[key])
        .correlate(walked)
        .scalar_subquery()
    )
    goes_on: list[ColumnElement[bool]] = [walked.c[key].is_not(None)]
    if size is not None:
        goes_on.append(walked.c.place < size)
    return walked.union_all(select(walked.c.place + one, following).where(*goes_on))
