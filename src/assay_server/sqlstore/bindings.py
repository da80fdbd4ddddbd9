"""Role bindings in SQL."""

from sqlalchemy import FromClause, delete, literal_column, select, update

from assay_server.domain.access import RoleBinding
from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.names import role_binding_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Queries, Statement
from assay_server.sqlstore.composing import at, inserting, locking, reading
from assay_server.sqlstore.history import BINDINGS_THEN, Kept
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.role_bindings
_SHAPE = Shape(RoleBinding, _TABLE)
_COUNTER = tables.counters
_EPOCH = _COUNTER.c.name == literal_column("'bindings'")


class BindingQueries(Queries):
    """What reads bindings: from the table, or from what it held at an earlier revision."""

    def __init__(self, source: FromClause) -> None:
        every = select(*_SHAPE.columns_of(source))
        of_scope = every.where(*at(source, "scope"))
        self.get = reading(of_scope.where(*at(source, "binding_id")))
        self.all = reading(every.order_by(source.c.scope, source.c.binding_id))
        self.list = listing(of_scope, source.c.binding_id)


NOW = BindingQueries(_TABLE)
THEN = BindingQueries(BINDINGS_THEN)
EPOCH = reading(select(_COUNTER.c.value).where(_EPOCH))
LOCK = locking(select(_COUNTER.c.value).where(_EPOCH))
ADD = inserting(_TABLE)
REMOVE = Statement(delete(_TABLE).where(*at(_TABLE, "scope", "binding_id")))
GROW = Statement(
    update(_COUNTER).where(_EPOCH).values(value=_COUNTER.c.value + literal_column("1"))
)


class SqlBindings:
    """The port ``Bindings``. The row that counts their changes stands for all of them."""

    def __init__(self, session: Session, kept: Kept, queries: BindingQueries = NOW) -> None:
        self._session = session
        self._kept = kept
        self._queries = queries

    async def epoch(self) -> int:
        rows = await self._session.rows(EPOCH)
        return int(rows[0][0])

    async def all(self) -> tuple[RoleBinding, ...]:
        return tuple(map(_SHAPE.read, await self._session.rows(self._queries.all)))

    async def get(self, scope: str, binding_id: str) -> RoleBinding:
        row = await self._session.row(self._queries.get, scope=scope, binding_id=binding_id)
        if row is None:
            raise NotFound(role_binding_name(scope, binding_id))
        return _SHAPE.read(row)

    async def list(self, scope: str, page: Page) -> Paged[RoleBinding]:
        return await read_page(self._session, self._queries.list, page, _SHAPE.read, scope=scope)

    async def lock_all(self) -> tuple[RoleBinding, ...]:
        await self._session.rows(LOCK)
        return await self.all()

    async def add(self, binding: RoleBinding) -> None:
        written = _SHAPE.write(binding)
        await self._session.write(
            ADD,
            taken=AlreadyExists(role_binding_name(binding.scope, binding.binding_id)),
            **written,
        )
        await self._session.write(GROW)
        self._kept.keep(tables.role_binding_history, written, is_removed=0)

    async def remove(self, binding: RoleBinding) -> None:
        await self._session.write(REMOVE, scope=binding.scope, binding_id=binding.binding_id)
        await self._session.write(GROW)
        self._kept.keep(tables.role_binding_history, _SHAPE.write(binding), is_removed=1)
