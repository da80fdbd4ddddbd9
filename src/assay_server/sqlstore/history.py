"""What was: models, versions and aliases as they were at an earlier revision.

A row of history is written with every change, when its revision is known (decision 0050). What
was true at a revision is the newest row up to it, beside what never changes.
"""

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from sqlalchemy import Subquery, Table, and_, bindparam, func, literal_column, select, tuple_
from sqlalchemy.sql import ColumnElement

from assay_server.domain.aliases import AliasMove
from assay_server.domain.errors import RegistryError
from assay_server.sqlstore import tables
from assay_server.sqlstore.columns import NUMBER
from assay_server.sqlstore.compiled import Parameters, Statement
from assay_server.sqlstore.composing import reading
from assay_server.sqlstore.session import ReadSession, Row, Session

_AS_OF = bindparam("as_of", type_=NUMBER)


class Kept:
    """What one transaction adds to the history; a row that it writes twice is added once."""

    def __init__(self) -> None:
        self.moves: list[AliasMove] = []
        self._models: dict[tuple[str, str], Parameters] = {}
        self._versions: dict[tuple[str, str, int], Parameters] = {}

    @property
    def models(self) -> Sequence[Parameters]:
        """Models as they are at its end."""
        return tuple(self._models.values())

    @property
    def versions(self) -> Sequence[Parameters]:
        """Versions as they are at its end."""
        return tuple(self._versions.values())

    def keep_model(self, row: Mapping[str, Any]) -> None:
        """Take note of a row of ``models``."""
        key = (row["namespace_id"], row["model_id"])
        self._models[key] = _of_columns(row, tables.model_history)

    def keep_version(self, row: Mapping[str, Any]) -> None:
        """Take note of a row of ``versions``."""
        key = (row["namespace_id"], row["model_id"], row["number"])
        self._versions[key] = _of_columns(row, tables.version_history)


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
    later = history.alias("later")
    newest = (
        select(func.max(later.c.revision))
        .where(*(later.c[key] == source.c[key] for key in keys), later.c.revision <= _AS_OF)
        .correlate(source)
        .scalar_subquery()
    )
    own = [c.name not in history.c or c.name in keys for c in source.columns]
    columns = [
        source.c[column.name] if is_own else history.c[column.name]
        for column, is_own in zip(source.columns, own, strict=True)
    ]
    joined = source.join(history, and_(*(history.c[key] == source.c[key] for key in keys)))
    return (
        select(*columns)
        .select_from(joined)
        .where(history.c.revision == newest)
        .subquery(source.name)
    )


def _aliases_then() -> Subquery:
    """Where each alias pointed after its newest move up to then; not those that were removed."""
    moves, keys = tables.alias_moves, ("namespace_id", "model_id", "alias_id")
    later = moves.alias("later")
    newest = (
        select(later.c.revision, later.c.position)
        .where(*(later.c[key] == moves.c[key] for key in keys), later.c.revision <= _AS_OF)
        .order_by(later.c.revision.desc(), later.c.position.desc())
        .limit(literal_column("1"))
        .correlate(moves)
        .scalar_subquery()
    )
    is_newest: ColumnElement[bool] = tuple_(moves.c.revision, moves.c.position) == newest
    columns = [moves.c[column.name] for column in tables.aliases.columns]
    return (
        select(*columns)
        .where(is_newest, moves.c.number > literal_column("0"))
        .subquery(tables.aliases.name)
    )


def _of_columns(row: Mapping[str, Any], history: Table) -> Parameters:
    return {column.name: row[column.name] for column in history.columns if column.name in row}


BOUNDS = reading(
    select(tables.counters.c.value).where(
        tables.counters.c.name == literal_column("'oldest_state'")
    )
)
MODELS_THEN = _then(tables.models, tables.model_history)
VERSIONS_THEN = _then(tables.versions, tables.version_history)
ALIASES_THEN = _aliases_then()
