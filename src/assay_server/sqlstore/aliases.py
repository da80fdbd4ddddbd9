"""Aliases and their history in SQL."""

from collections.abc import Set

from sqlalchemy import FromClause, delete, select

from assay_server.domain.aliases import Alias, AliasMove
from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import NotFound
from assay_server.domain.names import alias_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Queries, Statement
from assay_server.sqlstore.composing import among, at, reading, replacing
from assay_server.sqlstore.history import ALIAS_THEN, ALIASES_THEN, Kept
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.aliases
_MOVES = tables.alias_moves
_SHAPE = Shape(Alias, _TABLE)
MOVE = Shape(AliasMove, _MOVES)


class AliasQueries(Queries):
    """What reads aliases: from the table, or from what their moves had made of it."""

    def __init__(self, source: FromClause, one: FromClause) -> None:
        alias_id = source.c.alias_id
        of_model = select(*_SHAPE.columns_of(source)).where(*at(source, "namespace_id", "model_id"))
        pointing = of_model.where(among(source.c.number, "numbers"))
        named = at(one, "namespace_id", "model_id", "alias_id")
        self.get = reading(select(*_SHAPE.columns_of(one)).where(*named))
        self.list = listing(of_model, alias_id)
        self.of_versions = reading(pointing.order_by(alias_id))


NOW = AliasQueries(_TABLE, _TABLE)
THEN = AliasQueries(ALIASES_THEN, ALIAS_THEN)
LIST_MOVES = listing(
    select(*MOVE.columns).where(*at(_MOVES, "namespace_id", "model_id", "alias_id")),
    _MOVES.c.revision,
    _MOVES.c.position,
    newest_first=True,
)
SAVE = replacing(_TABLE)
REMOVE = Statement(delete(_TABLE).where(*at(_TABLE, "namespace_id", "model_id", "alias_id")))


class SqlAliases:
    """The port ``Aliases``. ``kept`` waits for the commit, which knows the revision."""

    def __init__(self, session: Session, kept: Kept, queries: AliasQueries = NOW) -> None:
        self._session = session
        self._kept = kept
        self._queries = queries

    async def get(self, namespace_id: str, model_id: str, alias_id: str) -> Alias:
        alias = await self.find(namespace_id, model_id, alias_id)
        if alias is None:
            raise NotFound(alias_name(namespace_id, model_id, alias_id))
        return alias

    async def find(self, namespace_id: str, model_id: str, alias_id: str) -> Alias | None:
        row = await self._session.row(
            self._queries.get, namespace_id=namespace_id, model_id=model_id, alias_id=alias_id
        )
        return None if row is None else _SHAPE.read(row)

    async def list(self, namespace_id: str, model_id: str, page: Page) -> Paged[Alias]:
        return await read_page(
            self._session,
            self._queries.list,
            page,
            _SHAPE.read,
            namespace_id=namespace_id,
            model_id=model_id,
        )

    async def list_moves(
        self, namespace_id: str, model_id: str, alias_id: str, page: Page
    ) -> Paged[AliasMove]:
        return await read_page(
            self._session,
            LIST_MOVES,
            page,
            MOVE.read,
            namespace_id=namespace_id,
            model_id=model_id,
            alias_id=alias_id,
        )

    async def of_versions(
        self, namespace_id: str, model_id: str, numbers: Set[int]
    ) -> tuple[Alias, ...]:
        rows = await self._session.rows(
            self._queries.of_versions,
            namespace_id=namespace_id,
            model_id=model_id,
            numbers=json_array(numbers),
        )
        return tuple(map(_SHAPE.read, rows))

    async def save(self, alias: Alias, move: AliasMove) -> None:
        await self._session.write(SAVE, **_SHAPE.write(alias))
        self._kept.moves.append(move)

    async def remove(self, alias: Alias, move: AliasMove) -> None:
        await self._session.write(
            REMOVE,
            namespace_id=alias.namespace_id,
            model_id=alias.model_id,
            alias_id=alias.alias_id,
        )
        self._kept.moves.append(move)
