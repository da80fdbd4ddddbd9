"""Namespaces in SQL."""

from collections.abc import Set

from sqlalchemy import select

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.models import Namespace
from assay_server.domain.names import namespace_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.composing import among, at, inserting, locking, reading, updating
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.session import Row, Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.namespaces
_SHAPE = Shape(Namespace, _TABLE)
_ONE = select(*_SHAPE.columns).where(*at(_TABLE, "namespace_id"))
_ALL = select(*_SHAPE.columns)

GET = reading(_ONE)
LOCK = locking(_ONE)
LIST = listing(_ALL, _TABLE.c.namespace_id)
LIST_AMONG = listing(_ALL.where(among(_TABLE.c.namespace_id, "among")), _TABLE.c.namespace_id)
ADD = inserting(_TABLE)
SAVE = updating(_TABLE, fixed=("created_by", "create_time"))


class SqlNamespaces:
    """The port ``Namespaces``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, namespace_id: str) -> Namespace:
        return _found(await self._session.row(GET, namespace_id=namespace_id), namespace_id)

    async def lock(self, namespace_id: str) -> Namespace:
        return _found(await self._session.row(LOCK, namespace_id=namespace_id), namespace_id)

    async def list(self, page: Page, *, among: Set[str] | None) -> Paged[Namespace]:
        if among is None:
            return await read_page(self._session, LIST, page, _SHAPE.read)
        return await read_page(
            self._session, LIST_AMONG, page, _SHAPE.read, among=json_array(among)
        )

    async def add(self, namespace: Namespace) -> None:
        await self._session.write(
            ADD,
            taken=AlreadyExists(namespace_name(namespace.namespace_id)),
            **_SHAPE.write(namespace),
        )

    async def save(self, namespace: Namespace) -> None:
        await self._session.write(SAVE, **_SHAPE.write(namespace))


def _found(row: Row | None, namespace_id: str) -> Namespace:
    if row is None:
        raise NotFound(namespace_name(namespace_id))
    return _SHAPE.read(row)
