"""Models in SQL."""

from collections.abc import Set

from sqlalchemy import FromClause, bindparam, select

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.models import Model
from assay_server.domain.names import model_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Queries, Statement
from assay_server.sqlstore.composing import among, at, inserting, locking, reading, updating
from assay_server.sqlstore.history import MODELS_THEN, Kept
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.remembering import Remembered
from assay_server.sqlstore.session import Row, Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.models
_SHAPE = Shape(Model, _TABLE)
_models = Remembered(_SHAPE)


class ModelQueries(Queries):
    """What reads models: from the table, or from what it held at an earlier revision."""

    def __init__(self, source: FromClause) -> None:
        columns, key = source.c, (source.c.namespace_id, source.c.model_id)
        every = select(*_SHAPE.columns_of(source))
        some = every.where(
            among(columns.namespace_id, "among"), columns.namespace_id <= bindparam("last")
        )
        is_live = columns.delete_time.is_(None)
        self.get = reading(every.where(*at(source, "namespace_id", "model_id")))
        self.list = listing(every, *key)
        self.list_live = listing(every.where(is_live), *key)
        self.list_among = listing(some, *key)
        self.list_live_among = listing(some.where(is_live), *key)


NOW = ModelQueries(_TABLE)
THEN = ModelQueries(MODELS_THEN)
LOCK = locking(select(*_SHAPE.columns).where(*at(_TABLE, "namespace_id", "model_id")))
HOLD = Statement(
    select(*_SHAPE.columns)
    .where(*at(_TABLE, "namespace_id", "model_id"))
    .with_for_update(read=True)
)
ADD = inserting(_TABLE)
SAVE = updating(_TABLE, fixed=tables.MODEL_FIXED)


class SqlModels:
    """The port ``Models``. ``kept`` waits for the commit, which knows the revision."""

    def __init__(self, session: Session, kept: Kept, queries: ModelQueries = NOW) -> None:
        self._session = session
        self._kept = kept
        self._queries = queries

    async def get(self, namespace_id: str, model_id: str) -> Model:
        row = await self._session.row(
            self._queries.get, namespace_id=namespace_id, model_id=model_id
        )
        return _found(row, namespace_id, model_id)

    async def lock(self, namespace_id: str, model_id: str) -> Model:
        row = await self._session.row(LOCK, namespace_id=namespace_id, model_id=model_id)
        return _found(row, namespace_id, model_id)

    async def hold(self, namespace_id: str, model_id: str) -> Model:
        row = await self._session.row(HOLD, namespace_id=namespace_id, model_id=model_id)
        return _found(row, namespace_id, model_id)

    async def list(
        self, page: Page, *, among: Set[str] | None, show_deleted: bool = False
    ) -> Paged[Model]:
        queries = self._queries
        if among is None:
            statement = queries.list if show_deleted else queries.list_live
            return await read_page(self._session, statement, page, _models.read)
        statement = queries.list_among if show_deleted else queries.list_live_among
        # From the first of them to the last: of one namespace, nothing else is looked at.
        page = Page(page.size, page.after or (min(among, default=""), ""))
        return await read_page(
            self._session,
            statement,
            page,
            _models.read,
            among=json_array(among),
            last=max(among, default=""),
        )

    async def add(self, model: Model) -> None:
        written = _SHAPE.write(model)
        await self._session.write(ADD, taken=AlreadyExists(model.name), **written)
        self._kept.keep(tables.model_history, written)

    async def save(self, model: Model) -> None:
        written = _SHAPE.write(model)
        await self._session.write(SAVE, **written)
        self._kept.keep(tables.model_history, written)


def _found(row: Row | None, namespace_id: str, model_id: str) -> Model:
    if row is None:
        raise NotFound(model_name(namespace_id, model_id))
    return _models.read(row)
