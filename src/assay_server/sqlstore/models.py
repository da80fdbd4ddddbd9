"""Models in SQL."""

from collections.abc import Set

from sqlalchemy import bindparam, select

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.models import Model
from assay_server.domain.names import model_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.composing import among, at, inserting, locking, reading, updating
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.session import Row, Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.models
_SHAPE = Shape(Model, _TABLE)
_ONE = select(*_SHAPE.columns).where(*at(_TABLE, "namespace_id", "model_id"))
_KEY = (_TABLE.c.namespace_id, _TABLE.c.model_id)
_ALL = select(*_SHAPE.columns)
_AMONG = _ALL.where(
    among(_TABLE.c.namespace_id, "among"), _TABLE.c.namespace_id <= bindparam("last")
)
_LIVE = _TABLE.c.delete_time.is_(None)

GET = reading(_ONE)
LOCK = locking(_ONE)
LIST = listing(_ALL, *_KEY)
LIST_LIVE = listing(_ALL.where(_LIVE), *_KEY)
LIST_AMONG = listing(_AMONG, *_KEY)
LIST_LIVE_AMONG = listing(_AMONG.where(_LIVE), *_KEY)
ADD = inserting(_TABLE)
SAVE = updating(_TABLE, fixed=("model_uid", "created_by", "create_time"))


class SqlModels:
    """The port ``Models``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, namespace_id: str, model_id: str) -> Model:
        row = await self._session.row(GET, namespace_id=namespace_id, model_id=model_id)
        return _found(row, namespace_id, model_id)

    async def lock(self, namespace_id: str, model_id: str) -> Model:
        row = await self._session.row(LOCK, namespace_id=namespace_id, model_id=model_id)
        return _found(row, namespace_id, model_id)

    async def list(
        self, page: Page, *, among: Set[str] | None, show_deleted: bool = False
    ) -> Paged[Model]:
        if among is None:
            statement = LIST if show_deleted else LIST_LIVE
            return await read_page(self._session, statement, page, _SHAPE.read)
        statement = LIST_AMONG if show_deleted else LIST_LIVE_AMONG
        # From the first of them to the last: of one namespace, nothing else is looked at.
        page = Page(page.size, page.after or (min(among, default=""), ""))
        return await read_page(
            self._session,
            statement,
            page,
            _SHAPE.read,
            among=json_array(among),
            last=max(among, default=""),
        )

    async def add(self, model: Model) -> None:
        await self._session.write(ADD, taken=AlreadyExists(model.name), **_SHAPE.write(model))

    async def save(self, model: Model) -> None:
        await self._session.write(SAVE, **_SHAPE.write(model))


def _found(row: Row | None, namespace_id: str, model_id: str) -> Model:
    if row is None:
        raise NotFound(model_name(namespace_id, model_id))
    return _SHAPE.read(row)
