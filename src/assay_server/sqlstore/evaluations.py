"""Evaluations in SQL."""

from collections.abc import Set

from sqlalchemy import func, literal_column, select
from sqlalchemy.sql import ColumnElement

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.evaluations import Evaluation
from assay_server.domain.names import evaluation_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.composing import among, at, inserting, reading
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.evaluations
_SHAPE = Shape(Evaluation, _TABLE)
_NEWEST_MAX: ColumnElement[int] = literal_column("1000")
_OF_VERSION = select(*_SHAPE.columns).where(*at(_TABLE, "namespace_id", "model_id", "number"))
_NEWEST_FIRST = (_TABLE.c.create_time.desc(), _TABLE.c.evaluation_id.desc())
_RANKED = (
    select(
        *_SHAPE.columns,
        func.row_number()
        .over(partition_by=_TABLE.c.number, order_by=_NEWEST_FIRST)
        .label("newness"),
    )
    .where(*at(_TABLE, "namespace_id", "model_id"), among(_TABLE.c.number, "numbers"))
    .subquery("ranked")
)

GET = reading(_OF_VERSION.where(*at(_TABLE, "evaluation_id")))
LIST = listing(_OF_VERSION, _TABLE.c.create_time, _TABLE.c.evaluation_id, newest_first=True)
OF_VERSIONS = reading(
    select(*(_RANKED.c[column.name] for column in _SHAPE.columns))
    .where(_RANKED.c.newness <= _NEWEST_MAX)
    .order_by(_RANKED.c.create_time.desc(), _RANKED.c.evaluation_id.desc())
)
ADD = inserting(_TABLE)


class SqlEvaluations:
    """The port ``Evaluations``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(
        self, namespace_id: str, model_id: str, number: int, evaluation_id: str
    ) -> Evaluation:
        row = await self._session.row(
            GET,
            namespace_id=namespace_id,
            model_id=model_id,
            number=number,
            evaluation_id=evaluation_id,
        )
        if row is None:
            raise NotFound(evaluation_name(namespace_id, model_id, number, evaluation_id))
        return _SHAPE.read(row)

    async def list(
        self, namespace_id: str, model_id: str, number: int, page: Page
    ) -> Paged[Evaluation]:
        return await read_page(
            self._session,
            LIST,
            page,
            _SHAPE.read,
            namespace_id=namespace_id,
            model_id=model_id,
            number=number,
        )

    async def of_versions(
        self, namespace_id: str, model_id: str, numbers: Set[int]
    ) -> tuple[Evaluation, ...]:
        rows = await self._session.rows(
            OF_VERSIONS,
            namespace_id=namespace_id,
            model_id=model_id,
            numbers=json_array(numbers),
        )
        return tuple(map(_SHAPE.read, rows))

    async def add(self, evaluation: Evaluation) -> None:
        await self._session.write(
            ADD, taken=AlreadyExists(_name(evaluation)), **_SHAPE.write(evaluation)
        )


def _name(evaluation: Evaluation) -> str:
    return evaluation_name(
        evaluation.namespace_id,
        evaluation.model_id,
        evaluation.number,
        evaluation.evaluation_id,
    )
