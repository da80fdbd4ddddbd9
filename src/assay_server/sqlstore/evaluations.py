"""Evaluations in SQL."""

from collections.abc import Set

from sqlalchemy import FromClause, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import NotFound
from assay_server.domain.evaluations import Evaluation
from assay_server.domain.names import evaluation_name
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Queries
from assay_server.sqlstore.composing import among, at, reading
from assay_server.sqlstore.history import EVALUATIONS_THEN, Kept
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.evaluations
_SHAPE = Shape(Evaluation, _TABLE)
_NEWEST_MAX: ColumnElement[int] = literal_column("1000")


class EvaluationQueries(Queries):
    """What reads evaluations: from the table, or those of it that were there already."""

    def __init__(self, source: FromClause) -> None:
        columns = source.c
        newest_first = (columns.create_time.desc(), columns.evaluation_id.desc())
        of_model = select(*_SHAPE.columns_of(source)).where(*at(source, "namespace_id", "model_id"))
        of_version = of_model.where(*at(source, "number"))
        newness = func.row_number().over(partition_by=columns.number, order_by=newest_first)
        ranked = (
            of_model.where(among(columns.number, "numbers"))
            .add_columns(newness.label("newness"))
            .subquery("ranked")
        )
        self.get = reading(of_version.where(*at(source, "evaluation_id")))
        self.list = listing(
            of_version, columns.create_time, columns.evaluation_id, newest_first=True
        )
        self.of_versions = reading(
            select(*_SHAPE.columns_of(ranked))
            .where(ranked.c.newness <= _NEWEST_MAX)
            .order_by(ranked.c.create_time.desc(), ranked.c.evaluation_id.desc())
        )


NOW = EvaluationQueries(_TABLE)
THEN = EvaluationQueries(EVALUATIONS_THEN)


class SqlEvaluations:
    """The port ``Evaluations``. ``kept`` waits for the commit, which knows the revision."""

    def __init__(self, session: Session, kept: Kept, queries: EvaluationQueries = NOW) -> None:
        self._session = session
        self._kept = kept
        self._queries = queries

    async def get(
        self, namespace_id: str, model_id: str, number: int, evaluation_id: str
    ) -> Evaluation:
        row = await self._session.row(
            self._queries.get,
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
            self._queries.list,
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
            self._queries.of_versions,
            namespace_id=namespace_id,
            model_id=model_id,
            numbers=json_array(numbers),
        )
        return tuple(map(_SHAPE.read, rows))

    async def add(self, evaluation: Evaluation) -> None:
        self._kept.keep(_TABLE, _SHAPE.write(evaluation))
