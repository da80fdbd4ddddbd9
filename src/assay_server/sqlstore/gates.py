"""Gates in SQL."""

from sqlalchemy import delete, or_, select

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import NotFound
from assay_server.domain.gates import Gate
from assay_server.domain.names import gate_name, namespace_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import at, locking, reading, replacing
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.gates
_SHAPE = Shape(Gate, _TABLE)
_KEY = (_TABLE.c.model_id, _TABLE.c.gate_id)
_EXACTLY = at(_TABLE, "namespace_id", "model_id", "gate_id")
_HOLDING = select(*_SHAPE.columns).where(
    *at(_TABLE, "namespace_id"), or_(_TABLE.c.model_id == "", *at(_TABLE, "model_id"))
)
_NAMESPACE = select(tables.namespaces.c.namespace_id).where(*at(tables.namespaces, "namespace_id"))

GET = reading(select(*_SHAPE.columns).where(*_EXACTLY))
LIST = listing(_HOLDING, *_KEY)
APPLYING = reading(_HOLDING.where(*at(_TABLE, "gate_id")).order_by(_TABLE.c.model_id))
IDS = reading(_HOLDING.with_only_columns(_TABLE.c.gate_id))
LOCK = locking(_NAMESPACE)
HOLD = Statement(_NAMESPACE.with_for_update(read=True))
SAVE = replacing(_TABLE)
REMOVE = Statement(delete(_TABLE).where(*_EXACTLY))


class SqlGates:
    """The port ``Gates``. Holding the namespace's row stands for holding all of its gates."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, namespace_id: str, model_id: str, gate_id: str) -> Gate:
        gate = await self.find(namespace_id, model_id, gate_id)
        if gate is None:
            raise NotFound(gate_name(namespace_id, model_id, gate_id))
        return gate

    async def find(self, namespace_id: str, model_id: str, gate_id: str) -> Gate | None:
        row = await self._session.row(
            GET, namespace_id=namespace_id, model_id=model_id, gate_id=gate_id
        )
        return None if row is None else _SHAPE.read(row)

    async def list(self, namespace_id: str, model_id: str, page: Page) -> Paged[Gate]:
        return await read_page(
            self._session, LIST, page, _SHAPE.read, namespace_id=namespace_id, model_id=model_id
        )

    async def applying(self, namespace_id: str, model_id: str, gate_id: str) -> tuple[Gate, ...]:
        rows = await self._session.rows(
            APPLYING, namespace_id=namespace_id, model_id=model_id, gate_id=gate_id
        )
        return tuple(map(_SHAPE.read, rows))

    async def ids(self, namespace_id: str, model_id: str) -> frozenset[str]:
        rows = await self._session.rows(IDS, namespace_id=namespace_id, model_id=model_id)
        return frozenset(row[0] for row in rows)

    async def hold(self, namespace_id: str) -> None:
        await self._held(HOLD, namespace_id)

    async def lock(self, namespace_id: str) -> None:
        await self._held(LOCK, namespace_id)

    async def _held(self, statement: Statement, namespace_id: str) -> None:
        if await self._session.row(statement, namespace_id=namespace_id) is None:
            raise NotFound(namespace_name(namespace_id))

    async def save(self, gate: Gate) -> None:
        await self._session.write(SAVE, **_SHAPE.write(gate))

    async def remove(self, gate: Gate) -> None:
        await self._session.write(
            REMOVE,
            namespace_id=gate.namespace_id,
            model_id=gate.model_id,
            gate_id=gate.gate_id,
        )
