"""Versions in SQL."""

from collections.abc import Set
from typing import Any

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.sql import ColumnElement

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import NotFound
from assay_server.domain.manifest import File
from assay_server.domain.names import version_name
from assay_server.domain.resolving import Standing
from assay_server.domain.versions import Version, VersionState
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import among, at, inserting, locking, reading, updating
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.session import Row, Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.versions
_FILES = tables.version_files
_DIGEST_ALONE: ColumnElement[Any] = literal_column(
    """'{"files":[],"digest":"' || manifest_digest || '"}'"""
)
_SHAPE = Shape(Version, _TABLE)
_OUTLINE = Shape(
    Version,
    _TABLE,
    instead={
        "manifest": _DIGEST_ALONE,
        "card": literal_column("''"),
        "publish_verdict": literal_column("'null'"),
    },
)
_FILE = Shape(File, _FILES)
_STANDING = Shape(Standing, _TABLE)

_OF_MODEL = at(_TABLE, "namespace_id", "model_id")
_WHOLE = select(*_SHAPE.columns).where(*_OF_MODEL)
_OUTLINES = select(*_OUTLINE.columns).where(*_OF_MODEL)
_STANDINGS = select(*_STANDING.columns).where(*_OF_MODEL)
_NEWEST_FIRST = _TABLE.c.number.desc()
_PUBLISHED = _TABLE.c.semver != literal_column("''")
_NOT_DELETED = _TABLE.c.state != literal_column(f"'{VersionState.DELETED}'")
_ONE = _WHOLE.where(*at(_TABLE, "number"))

GET = reading(_ONE)
LOCK = locking(_ONE)
FIND_SEMVER = reading(_WHOLE.where(*at(_TABLE, "semver"), _PUBLISHED))
FIND_RECORD = reading(_WHOLE.where(*at(_TABLE, "record_digest")))
SOME = reading(_OUTLINES.where(among(_TABLE.c.number, "numbers")))
LIST = listing(_OUTLINES.where(among(_TABLE.c.state, "states")), _TABLE.c.number, newest_first=True)
STANDINGS = reading(_STANDINGS.where(_PUBLISHED, _NOT_DELETED).order_by(_NEWEST_FIRST))
ALL_STANDINGS = reading(_STANDINGS.where(_PUBLISHED).order_by(_NEWEST_FIRST))
WITH_MANIFEST = reading(
    _STANDINGS.where(
        _TABLE.c.manifest_digest == bindparam("manifest_digest"), _NOT_DELETED
    ).order_by(_NEWEST_FIRST)
)
ADD = inserting(_TABLE)
ADD_FILE = inserting(_FILES)
SAVE = updating(
    _TABLE,
    fixed=(
        "version_uid",
        "manifest",
        "manifest_digest",
        "record_digest",
        "facts",
        "size_bytes",
        "file_count",
        "created_by",
        "create_time",
    ),
)


class SqlVersions:
    """The port ``Versions``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, namespace_id: str, model_id: str, number: int) -> Version:
        return await self._one(GET, namespace_id, model_id, number)

    async def lock(self, namespace_id: str, model_id: str, number: int) -> Version:
        return await self._one(LOCK, namespace_id, model_id, number)

    async def get_many(
        self, namespace_id: str, names: tuple[tuple[str, int], ...]
    ) -> tuple[Version, ...]:
        found: dict[tuple[str, int], Version] = {}
        for model_id in dict.fromkeys(model_id for model_id, _ in names):
            numbers = {number for of_model, number in names if of_model == model_id}
            rows = await self._session.rows(
                SOME, namespace_id=namespace_id, model_id=model_id, numbers=json_array(numbers)
            )
            found |= {(model_id, one.number): one for one in map(_OUTLINE.read, rows)}
        for model_id, number in names:
            if (model_id, number) not in found:
                raise NotFound(version_name(namespace_id, model_id, number))
        return tuple(found[name] for name in names)

    async def list(
        self,
        namespace_id: str,
        model_id: str,
        page: Page,
        *,
        states: Set[VersionState],
    ) -> Paged[Version]:
        return await read_page(
            self._session,
            LIST,
            page,
            _OUTLINE.read,
            namespace_id=namespace_id,
            model_id=model_id,
            states=json_array(state.value for state in states),
        )

    async def standings(
        self, namespace_id: str, model_id: str, *, with_deleted: bool = False
    ) -> tuple[Standing, ...]:
        statement = ALL_STANDINGS if with_deleted else STANDINGS
        rows = await self._session.rows(statement, namespace_id=namespace_id, model_id=model_id)
        return tuple(map(_STANDING.read, rows))

    async def find_semver(self, namespace_id: str, model_id: str, semver: str) -> Version | None:
        return _read(
            await self._session.row(
                FIND_SEMVER, namespace_id=namespace_id, model_id=model_id, semver=semver
            )
        )

    async def with_manifest(
        self, namespace_id: str, model_id: str, digest: str
    ) -> tuple[Standing, ...]:
        rows = await self._session.rows(
            WITH_MANIFEST, namespace_id=namespace_id, model_id=model_id, manifest_digest=digest
        )
        return tuple(map(_STANDING.read, rows))

    async def find_record(self, namespace_id: str, model_id: str, digest: str) -> Version | None:
        return _read(
            await self._session.row(
                FIND_RECORD, namespace_id=namespace_id, model_id=model_id, record_digest=digest
            )
        )

    async def add(self, version: Version) -> None:
        # Taken is a number, record or semver only where the model was not locked: Conflict.
        await self._session.write(ADD, **_written(version))
        files = [{**_keys(version), **_FILE.write(file)} for file in version.manifest.files]
        await self._session.write_many(ADD_FILE, files)

    async def save(self, version: Version) -> None:
        await self._session.write(SAVE, **_written(version))

    async def _one(
        self, statement: Statement, namespace_id: str, model_id: str, number: int
    ) -> Version:
        row = await self._session.row(
            statement, namespace_id=namespace_id, model_id=model_id, number=number
        )
        if row is None:
            raise NotFound(version_name(namespace_id, model_id, number))
        return _SHAPE.read(row)


def _read(row: Row | None) -> Version | None:
    return None if row is None else _SHAPE.read(row)


def _written(version: Version) -> dict[str, Any]:
    return {**_SHAPE.write(version), "manifest_digest": version.manifest.digest}


def _keys(version: Version) -> dict[str, Any]:
    return {
        "namespace_id": version.namespace_id,
        "model_id": version.model_id,
        "number": version.number,
    }
