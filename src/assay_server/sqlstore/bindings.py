"""Role bindings in SQL."""

from sqlalchemy import delete, literal_column, select, update

from assay_server.domain.access import RoleBinding
from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.names import role_binding_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import at, inserting, locking, reading
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.role_bindings
_SHAPE = Shape(RoleBinding, _TABLE)
_ONE = at(_TABLE, "scope", "binding_id")
_EVERY = select(*_SHAPE.columns)
_COUNTER = tables.counters
_EPOCH = _COUNTER.c.name == literal_column("'bindings'")

GET = reading(_EVERY.where(*_ONE))
ALL = reading(_EVERY.order_by(_TABLE.c.scope, _TABLE.c.binding_id))
LIST = listing(_EVERY.where(*at(_TABLE, "scope")), _TABLE.c.binding_id)
EPOCH = reading(select(_COUNTER.c.value).where(_EPOCH))
LOCK = locking(select(_COUNTER.c.value).where(_EPOCH))
ADD = inserting(_TABLE)
REMOVE = Statement(delete(_TABLE).where(*_ONE))
GROW = Statement(
    update(_COUNTER).where(_EPOCH).values(value=_COUNTER.c.value + literal_column("1"))
)


class SqlBindings:
    """The port ``Bindings``. The row that counts their changes stands for all of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def epoch(self) -> int:
        rows = await self._session.rows(EPOCH)
        return int(rows[0][0])

    async def all(self) -> tuple[RoleBinding, ...]:
        return tuple(map(_SHAPE.read, await self._session.rows(ALL)))

    async def get(self, scope: str, binding_id: str) -> RoleBinding:
        row = await self._session.row(GET, scope=scope, binding_id=binding_id)
        if row is None:
            raise NotFound(role_binding_name(scope, binding_id))
        return _SHAPE.read(row)

    async def list(self, scope: str, page: Page) -> Paged[RoleBinding]:
        return await read_page(self._session, LIST, page, _SHAPE.read, scope=scope)

    async def lock_all(self) -> tuple[RoleBinding, ...]:
        await self._session.rows(LOCK)
        return await self.all()

    async def add(self, binding: RoleBinding) -> None:
        await self._session.write(
            ADD,
            taken=AlreadyExists(role_binding_name(binding.scope, binding.binding_id)),
            **_SHAPE.write(binding),
        )
        await self._session.write(GROW)

    async def remove(self, binding: RoleBinding) -> None:
        await self._session.write(REMOVE, scope=binding.scope, binding_id=binding.binding_id)
        await self._session.write(GROW)
