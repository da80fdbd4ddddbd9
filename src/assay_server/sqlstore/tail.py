"""The end of every change: revision, events, history, the answer kept, the audit entry.

The row that counts revisions is locked by the last write of a transaction, so that revisions
appear in their order: an autoincrement column, whose numbers are given before the commit, shows
9 to a watcher before 8 and so loses 8. How it is sent is the business of each database.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, literal_column, select, update
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.dml import Insert, Update

from assay_server.domain.calls import Call, Happened
from assay_server.sqlstore import tables
from assay_server.sqlstore.aliases import MOVE
from assay_server.sqlstore.audit import ENTRY
from assay_server.sqlstore.columns import NUMBER
from assay_server.sqlstore.compiled import Parameters, Statement
from assay_server.sqlstore.composing import REVISION
from assay_server.sqlstore.history import Kept
from assay_server.sqlstore.records import SUBJECTS
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.times import to_us

_COUNTER = tables.counters
_GROW = (
    update(_COUNTER)
    .where(_COUNTER.c.name == literal_column("'revision'"))
    .values(value=_COUNTER.c.value + literal_column("1"))
    .returning(_COUNTER.c.value)
)
GROW = Statement(_GROW)
NEWEST = Statement(select(REVISION.label("revision")))

Write = Insert | Update


@dataclass(frozen=True, slots=True)
class TailShape:
    """How many rows of what: tails of the same shape are the same statement."""

    events: int
    moves: int
    kept: tuple[tuple[str, int], ...]
    """Other tables that take rows, and how many."""
    is_requested: bool

    @property
    def makes_revision(self) -> bool:
        """Whether anything happened."""
        return bool(self.events or self.moves or self.kept)


@dataclass(frozen=True, slots=True)
class Ending:
    """What a transaction did, to be written at its end."""

    call: Call
    happened: tuple[Happened, ...]
    kept: Kept
    answer: str
    """JSON; empty when the call has no request id."""
    time: datetime

    @property
    def shape(self) -> TailShape:
        """Which statement writes it."""
        kept = self.kept
        return TailShape(
            len(self.happened),
            len(kept.moves),
            tuple((table.name, len(rows)) for table, rows in kept.rows),
            bool(self.call.request_id),
        )

    def parameters(self) -> dict[str, Any]:
        """Parameters of the statements of its shape."""
        entry = ENTRY.write(self.call.entry()) | {"time": to_us(self.time)}
        found = {f"audit_{name}": value for name, value in entry.items()}
        for place, one in enumerate(self.happened):
            found |= _numbered("event", place, self._event(one))
        for place, move in enumerate(self.kept.moves):
            found |= _numbered("move", place, MOVE.write(move))
        for table, rows in self.kept.rows:
            for place, row in enumerate(rows):
                found |= _numbered(table.name, place, row)
        if self.call.request_id:
            found |= {
                "request_principal": self.call.principal,
                "request_method": self.call.method,
                "request_request_id": self.call.request_id,
                "request_answer": self.answer,
            }
        return found

    def _event(self, one: Happened) -> dict[str, Any]:
        kind = type(one.subject).__name__
        return {
            "event_type": one.event_type.value,
            "name": one.name,
            "namespace_id": one.namespace_id,
            "action": self.call.method.rpartition("/")[2],
            "actor": self.call.principal,
            "time": to_us(self.time),
            "kind": kind,
            "subject": SUBJECTS[kind].encode(one.subject),
        }


class OneByOne:
    """A statement for each part: nothing lies between SQLite and us that a batch could save."""

    def __init__(self) -> None:
        self._parts: dict[TailShape, tuple[Statement, ...]] = {}

    async def write(self, session: Session, ending: Ending) -> int:
        """Write ``ending`` and return its revision, or the newest one if nothing happened."""
        shape = ending.shape
        counted = await session.row(GROW if shape.makes_revision else NEWEST)
        assert counted is not None, "the counters are made with the schema"
        parameters = {**ending.parameters(), "revision": counted[0]}
        for part in self._parts_of(shape):
            await session.write(part, **parameters)
        return int(counted[0])

    def _parts_of(self, shape: TailShape) -> tuple[Statement, ...]:
        if shape not in self._parts:
            parts = writes(shape, bindparam("revision", type_=NUMBER))
            self._parts[shape] = tuple(map(Statement, parts))
        return self._parts[shape]


def writes(shape: TailShape, revision: ColumnElement[int]) -> list[Write]:
    """The statements that write a tail of this shape; order does not matter."""
    made = revision if shape.makes_revision else literal_column("0", type_=NUMBER)
    found: list[Write] = [_audit(made)]
    if shape.events:
        found.append(_rows(tables.events, "event", shape.events, made))
    if shape.moves:
        found.append(_rows(tables.alias_moves, "move", shape.moves, made))
    for name, count in shape.kept:
        found.append(_rows(tables.metadata.tables[name], name, count, made))
    if shape.is_requested:
        found.append(_answer(revision))
    return found


def together(shape: TailShape, told: Callable[[ColumnElement[int]], Any]) -> Statement:
    """All parts as one statement, for a database on the other side of a network.

    It gives what ``told`` makes of the revision.
    """
    if not shape.makes_revision:
        newest = REVISION.label("revision")
        return Statement(select(newest).add_cte(*_named(writes(shape, REVISION))))
    grow = _GROW.cte("grow")
    parts = writes(shape, select(grow.c.value).scalar_subquery())
    return Statement(select(*told(grow.c.value)).add_cte(*_named(parts)))


def _named(parts: Sequence[Write]) -> list[Any]:
    return [part.cte(f"part_{place}") for place, part in enumerate(parts)]


def _rows(table: Table, prefix: str, count: int, revision: ColumnElement[int]) -> Insert:
    own = [c.name for c in table.columns if c.name not in ("revision", "position")]
    is_placed = "position" in table.columns
    return insert(table).values(
        [
            {
                "revision": revision,
                **({"position": literal_column(str(place))} if is_placed else {}),
                **{name: bindparam(f"{prefix}_{place}_{name}") for name in own},
            }
            for place in range(count)
        ]
    )


def _audit(revision: ColumnElement[int]) -> Insert:
    table = tables.audit_entries
    own = [column.name for column in table.columns if column.name != "revision"]
    return insert(table).values(
        {"revision": revision, **{name: bindparam(f"audit_{name}") for name in own}}
    )


def _answer(revision: ColumnElement[int]) -> Update:
    table = tables.requests
    keys = ("principal", "method", "request_id")
    return (
        update(table)
        .where(*(table.c[name] == bindparam(f"request_{name}") for name in keys))
        .values(revision=revision, answer=bindparam("request_answer"))
    )


def _numbered(prefix: str, place: int, values: Parameters) -> dict[str, Any]:
    return {f"{prefix}_{place}_{name}": value for name, value in values.items()}
