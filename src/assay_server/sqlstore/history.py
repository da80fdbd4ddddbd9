"""What was: facts as they were at an earlier revision.

A row of history is written with every change, when its revision is known (decision 0050). What
was true at a revision is the newest row up to it, beside what never changes.
"""

from collections.abc import Coroutine, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Subquery, Table, and_, bindparam, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from assay_server.domain.aliases import AliasMove
from assay_server.domain.errors import RegistryError
from assay_server.sqlstore import tables
from assay_server.sqlstore.columns import NAME, NUMBER
from assay_server.sqlstore.compiled import Parameters, Statement
from assay_server.sqlstore.composing import at, reading
from assay_server.sqlstore.session import ReadSession, Row, Session
from assay_server.sqlstore.walking import walk

_AS_OF = bindparam("as_of", type_=NUMBER)


class Kept:
    """What one transaction adds to the history; a row that it writes twice is added once."""

    def __init__(self) -> None:
        self.moves: list[AliasMove] = []
        self._rows: dict[Table, dict[tuple[Any, ...], Parameters]] = {}

    @property
    def rows(self) -> Sequence[tuple[Table, Sequence[Parameters]]]:
        """What is written when the revision is known: rows as they are at the end, by table."""
        return [(table, tuple(rows.values())) for table, rows in self._rows.items()]

    def keep(self, table: Table, row: Mapping[str, Any], **more: Any) -> None:
        """Take note of ``row``, of which ``table`` takes the columns that it has."""
        names, keys = _names_of(table)
        given = {**row, **more}
        written = {name: given[name] for name in names}
        self._rows.setdefault(table, {})[tuple(written[key] for key in keys)] = written


@cache
def _names_of(table: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of ``table``, and those of its key; the revision comes at the end."""
    columns = (table.columns, table.primary_key.columns)
    names, keys = (tuple(c.name for c in some if c.name != "revision") for some in columns)
    return names, keys


class Then:
    """The port ``ReadSession`` for statements that read what was at ``as_of``."""

    def __init__(self, session: ReadSession, as_of: int) -> None:
        self._session = session
        self.revision = as_of

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        return await self._session.rows(statement, as_of=self.revision, **parameters)

    async def row(self, statement: Statement, **parameters: Any) -> Row | None:
        return await self._session.row(statement, as_of=self.revision, **parameters)

    async def write(
        self, statement: Statement, *, taken: RegistryError | None = None, **parameters: Any
    ) -> None:
        await self._session.write(statement, taken=taken, **parameters)

    async def write_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        await self._session.write_many(statement, parameters)

    async def claim(self, statement: Statement, **parameters: Any) -> None:
        await self._session.claim(statement, **parameters)

    async def settle(self) -> None:
        await self._session.settle()

    async def together(self, calls: Sequence[Coroutine[Any, Any, Any]]) -> tuple[Any, ...]:
        return await self._session.together(calls)


async def bounds(session: Session) -> tuple[int, int]:
    """The oldest revision that can be read, and the newest."""
    row = await session.row(BOUNDS)
    assert row is not None, "the counters are made with the schema"
    return row[0], row[1]


def _then(source: Table, history: Table) -> Subquery:
    """``source`` as it was: of each row what never changes, and the rest from ``history``."""
    keys = [column.name for column in source.primary_key.columns]
    own = [c.name not in history.c or c.name in keys for c in source.columns]
    columns = [
        source.c[column.name] if is_own else history.c[column.name]
        for column, is_own in zip(source.columns, own, strict=True)
    ]
    joined = source.join(history, and_(*(history.c[key] == source.c[key] for key in keys)))
    return (
        select(*columns)
        .select_from(joined)
        .where(history.c.revision == _newest(source, history))
        .subquery(source.name)
    )


def _wholly_then(source: Table, history: Table) -> Subquery:
    """``source``, whose rows may be removed, as it was: all of it from ``history``."""
    return (
        select(*(history.c[column.name] for column in source.columns))
        .where(
            history.c.revision == _newest(history, history),
            history.c.is_removed == literal_column("0"),
        )
        .subquery(source.name)
    )


def _newest(source: Table, history: Table) -> ColumnElement[int]:
    """The revision at which the row of ``source`` last changed up to then."""
    later = history.alias("later")
    keys = [c.name for c in history.primary_key.columns if c.name != "revision"]
    return (
        select(func.max(later.c.revision))
        .where(*(later.c[key] == source.c[key] for key in keys), later.c.revision <= _AS_OF)
        .correlate(source)
        .scalar_subquery()
    )


def _aliases_then() -> Subquery:
    """Where each alias of a model pointed after its newest move up to then; not those removed.

    Aliases are found by steps, and of each its newest move: what an alias did before costs nothing.
    """
    moves, of_model = tables.alias_moves, ("namespace_id", "model_id")
    aliases = walk(moves, "alias_id", lambda table: at(table, *of_model))
    later, same = moves.alias("later"), moves.alias("same")
    up_to = (
        select(later.c.revision)
        .where(*at(later, *of_model), later.c.alias_id == aliases.c.alias_id)
        .where(later.c.revision <= _AS_OF)
        .order_by(later.c.revision.desc())
        .limit(literal_column("1"))
        .correlate(aliases)
        .scalar_subquery()
    )
    newest = (
        select(aliases.c.alias_id, up_to.label("revision"))
        .where(aliases.c.alias_id.is_not(None))
        .cte("newest")
        .prefix_with("MATERIALIZED")
    )
    last = (
        select(func.max(same.c.position))
        .where(*at(same, *of_model), same.c.alias_id == newest.c.alias_id)
        .where(same.c.revision == newest.c.revision)
        .correlate(newest)
        .scalar_subquery()
    )
    found = and_(
        *at(moves, *of_model),
        moves.c.alias_id == newest.c.alias_id,
        moves.c.revision == newest.c.revision,
        moves.c.position == last,
    )
    # Nothing that a query compares is of the moves: SQLite would begin with them instead.
    known: dict[str, ColumnElement[Any]] = {
        name: bindparam(name, type_=NAME).label(name) for name in of_model
    }
    known["alias_id"] = newest.c.alias_id
    columns = [known.get(c.name, moves.c[c.name]) for c in tables.aliases.columns]
    return (
        select(*columns)
        .select_from(newest.outerjoin(moves, found))
        .where(func.coalesce(moves.c.number, literal_column("0")) > literal_column("0"))
        .subquery(tables.aliases.name)
    )


def _alias_then() -> Subquery:
    """The same of one alias that is known."""
    moves = tables.alias_moves
    newest = (
        select(*moves.columns)
        .where(*at(moves, "namespace_id", "model_id", "alias_id"), moves.c.revision <= _AS_OF)
        .order_by(moves.c.revision.desc(), moves.c.position.desc())
        .limit(literal_column("1"))
        .subquery("newest")
    )
    return (
        select(*(newest.c[column.name] for column in tables.aliases.columns))
        .where(newest.c.number > literal_column("0"))
        .subquery(tables.aliases.name)
    )


BOUNDS = reading(
    select(tables.counters.c.value).where(
        tables.counters.c.name == literal_column("'oldest_state'")
    )
)
MODELS_THEN = _then(tables.models, tables.model_history)
VERSIONS_THEN = _then(tables.versions, tables.version_history)
ALIASES_THEN = _aliases_then()
ALIAS_THEN = _alias_then()
GATES_THEN = _wholly_then(tables.gates, tables.gate_history)
BINDINGS_THEN = _wholly_then(tables.role_bindings, tables.role_binding_history)
EVALUATIONS_THEN = (
    select(*tables.evaluations.columns)
    .where(tables.evaluations.c.revision <= _AS_OF)
    .subquery(tables.evaluations.name)
)
