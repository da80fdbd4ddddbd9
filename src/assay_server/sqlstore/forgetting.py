"""Forgets events that are old, but for what still tells how things are.

Of each name the newest event that would go is kept, unless its subject is over: with it and the
younger events, all that was current at any revision from then on can be told (decision 0051).
"""

from datetime import datetime
from itertools import takewhile

from sqlalchemy import BigInteger, bindparam, delete, literal_column, select, tuple_, update

from assay_server.domain.events import is_over
from assay_server.sqlstore import tables
from assay_server.sqlstore.columns import NUMBER
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.events import COLUMNS, OLDEST, event_of
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.times import to_us

SWEPT_MAX = 1000
"""Events that a sweep removes in one transaction: some milliseconds of a writer's time."""

_TABLE = tables.events
_BATCH, _LATER = _TABLE.alias("batch"), _TABLE.alias("later")
_FROM, _OLDEST = bindparam("since", type_=NUMBER), bindparam("oldest", type_=NUMBER)

OLDEST_ROWS = Statement(
    select(_TABLE.c.revision, _TABLE.c.time)
    .where(_TABLE.c.revision >= _FROM)
    .order_by(_TABLE.c.revision, _TABLE.c.position)
    .limit(bindparam("size", type_=BigInteger))
)
BEGIN_AT = Statement(
    update(tables.counters)
    .where(
        tables.counters.c.name == literal_column("'oldest_event'"),
        tables.counters.c.value < _OLDEST,
    )
    .values(value=_OLDEST)
)
FORGET = Statement(
    delete(_TABLE).where(
        _TABLE.c.revision < _OLDEST,
        _TABLE.c.name.in_(
            select(_BATCH.c.name).where(_BATCH.c.revision >= _FROM, _BATCH.c.revision < _OLDEST)
        ),
        select(literal_column("1"))
        .where(
            _LATER.c.name == _TABLE.c.name,
            _LATER.c.revision < _OLDEST,
            tuple_(_LATER.c.revision, _LATER.c.position)
            > tuple_(_TABLE.c.revision, _TABLE.c.position),
        )
        .correlate(_TABLE)
        .exists(),
    )
)
NEWEST = Statement(
    select(*COLUMNS, _TABLE.c.position).where(
        _TABLE.c.revision >= _FROM, _TABLE.c.revision < _OLDEST
    )
)
DROP = Statement(
    delete(_TABLE).where(
        _TABLE.c.revision == bindparam("revision", type_=NUMBER),
        _TABLE.c.position == bindparam("position", type_=NUMBER),
    )
)


async def sweep(session: Session, *, before: datetime) -> int:
    """Let a watch begin no earlier than ``before``, some revisions at a time, and forget.

    What is left begins at a revision of which nothing is missing, and the counter says at which.
    Returns about how many events it went past.
    """
    since = (await session.rows(OLDEST))[0][0]
    rows = await session.rows(OLDEST_ROWS, since=since, size=SWEPT_MAX + 1)
    revisions = [row[0] for row in takewhile(lambda row: row[1] < to_us(before), rows)]
    if not revisions:
        return 0
    # The last one may go on past what was read; a single one that does is gone past whole.
    is_cut = len(revisions) > SWEPT_MAX and revisions[0] < revisions[-1]
    oldest = revisions[-1] if is_cut else revisions[-1] + 1
    await session.write(BEGIN_AT, oldest=oldest)
    await session.write(FORGET, since=since, oldest=oldest)
    left = await session.rows(NEWEST, since=since, oldest=oldest)
    over = [row for row in left if is_over(event_of(row))]
    await session.write_many(DROP, [{"revision": row[0], "position": row[-1]} for row in over])
    return sum(revision < oldest for revision in revisions)
