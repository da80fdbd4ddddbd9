"""Gates in SQL."""

from sqlalchemy import FromClause, delete, or_, select

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import NotFound
from assay_server.domain.gates import Gate
from assay_server.domain.names import gate_name, namespace_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Queries, Statement
from assay_server.sqlstore.composing import at, locking, reading, replacing
from assay_server.sqlstore.history import GATES_THEN, Kept
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.gates
_SHAPE = Shape(Gate, _TABLE)
_EXACTLY = at(_TABLE, "namespace_id", "model_id", "gate_id")
_NAMESPACE = select(tables.namespaces.c.namespace_id).where(*at(tables.namespaces, "namespace_id"))


class GateQueries(Queries):
    """What reads gates: from the table, or from what it held at an earlier revision."""

    def __init__(self, source: FromClause) -> None:
        columns = source.c
        every = select(*_SHAPE.columns_of(source)).where(*at(source, "namespace_id"))
        holding = every.where(or_(columns.model_id == "", *at(source, "model_id")))
        of_id = holding.where(*at(source, "gate_id"))
        self.get = reading(every.where(*at(source, "model_id", "gate_id")))
        self.list = listing(holding, columns.model_id, columns.gate_id)
        self.applying = reading(of_id.order_by(columns.model_id))
        self.ids = reading(holding.with_only_columns(columns.gate_id))


NOW = GateQueries(_TABLE)
THEN = GateQueries(GATES_THEN)
LOCK = locking(_NAMESPACE)
HOLD = Statement(_NAMESPACE.with_for_update(read=True))
SAVE = replacing(_TABLE)
REMOVE = Statement(delete(_TABLE).where(*_EXACTLY))


class SqlGates:
    """The port ``Gates``. Holding the namespace's row stands for holding all of its gates."""

    def __init__(self, session: Session, kept: Kept, queries: GateQueries = NOW) -> None:
        self._session = session
        self._kept = kept
        self._queries = queries

    async def get(self, namespace_id: str, model_id: str, gate_id: str) -> Gate:
        gate = await self.find(namespace_id, model_id, gate_id)
        if gate is None:
            raise NotFound(gate_name(namespace_id, model_id, gate_id))
        return gate

    async def find(self, namespace_id: str, model_id: str, gate_id: str) -> Gate | None:
        row = await self._session.row(
            self._queries.get, namespace_id=namespace_id, model_id=model_id, gate_id=gate_id
        )
        return None if row is None else _SHAPE.read(row)

    async def list(self, namespace_id: str, model_id: str, page: Page) -> Paged[Gate]:
        return await read_page(
            self._session,
            self._queries.list,
            page,
            _SHAPE.read,
            namespace_id=namespace_id,
            model_id=model_id,
        )

    async def applying(self, namespace_id: str, model_id: str, gate_id: str) -> tuple[Gate, ...]:
        rows = await self._session.rows(
            self._queries.applying,
            namespace_id=namespace_id,
            model_id=model_id,
            gate_id=gate_id,
        )
        return tuple(map(_SHAPE.read, rows))

    async def ids(self, namespace_id: str, model_id: str) -> frozenset[str]:
        rows = await self._session.rows(
            self._queries.ids, namespace_id=namespace_id, model_id=model_id
        )
        return frozenset(row[0] for row in rows)

    async def hold(self, namespace_id: str) -> None:
        await self._held(HOLD, namespace_id)

    async def lock(self, namespace_id: str) -> None:
        await self._held(LOCK, namespace_id)

    async def _held(self, statement: Statement, namespace_id: str) -> None:
        if await self._session.row(statement, namespace_id=namespace_id) is None:
            raise NotFound(namespace_name(namespace_id))

    async def save(self, gate: Gate) -> None:
        written = _SHAPE.write(gate)
        await self._session.write(SAVE, **written)
        self._kept.keep(tables.gate_history, written, is_removed=0)

    async def remove(self, gate: Gate) -> None:
        await self._session.write(
            REMOVE,
            namespace_id=gate.namespace_id,
            model_id=gate.model_id,
            gate_id=gate.gate_id,
        )
        self._kept.keep(tables.gate_history, _SHAPE.write(gate), is_removed=1)
