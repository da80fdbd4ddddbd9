"""Versions in SQL."""

from collections.abc import Set
from typing import Any

from sqlalchemy import FromClause, bindparam, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import NotFound
from assay_server.domain.manifest import File
from assay_server.domain.names import version_name
from assay_server.domain.resolving import Standing
from assay_server.domain.semver import ALL_RELEASES, SemverRange
from assay_server.domain.versions import Version, VersionState
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Queries, Statement
from assay_server.sqlstore.composing import among, at, inserting, locking, reading, updating
from assay_server.sqlstore.dialects import ReleaseKey, release_key
from assay_server.sqlstore.history import VERSIONS_THEN, Kept
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.remembering import Remembered
from assay_server.sqlstore.session import Row, Session
from assay_server.sqlstore.shapes import Shape

_TABLE = tables.versions
_SHAPE = Shape(Version, _TABLE)
_FILES = tables.version_files
_DIGEST_ALONE: ColumnElement[Any] = literal_column(
    """'{"files":[],"digest":"' || manifest_digest || '"}'"""
)
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
_wholes = Remembered(_SHAPE)
_outlines = Remembered(_OUTLINE)
_STANDING = Shape(Standing, _TABLE)
_ONE: ColumnElement[int] = literal_column("1")


def _greatest_key(source: FromClause) -> ColumnElement[str]:
    """The key of the greatest release in one of the ``states``; that of no release without one."""
    other = source.alias("other")
    release = ReleaseKey(other.c.semver)
    greatest = (
        select(release)
        .where(*at(other, "namespace_id", "model_id"), other.c.semver != literal_column("''"))
        .where(among(other.c.state, "states"), release > literal_column("''"))
        .order_by(release.desc())
        .limit(_ONE)
        .scalar_subquery()
    )
    return func.coalesce(greatest, literal_column("''"))


class VersionQueries(Queries):
    """What reads versions: from the table, or from what it held at an earlier revision."""

    def __init__(self, source: FromClause) -> None:
        columns, of_model = source.c, at(source, "namespace_id", "model_id")
        whole = select(*_SHAPE.columns_of(source)).where(*of_model)
        outlines = select(*_OUTLINE.columns_of(source)).where(*of_model)
        standings = select(*_STANDING.columns_of(source)).where(*of_model)
        standings = standings.order_by(columns.number.desc())
        is_published = columns.semver != literal_column("''")
        is_ready = columns.state == literal_column(f"'{VersionState.READY}'")
        release = ReleaseKey(columns.semver)
        is_there = columns.state != literal_column(f"'{VersionState.DELETED}'")
        has_manifest = columns.manifest_digest == bindparam("manifest_digest")
        listed = outlines.where(among(columns.state, "states"))
        self.get = reading(whole.where(*at(source, "number")))
        self.find_semver = reading(whole.where(*at(source, "semver"), is_published))
        self.find_record = reading(whole.where(*at(source, "record_digest")))
        self.some = reading(outlines.where(among(columns.number, "numbers")))
        self.list = listing(listed, columns.number, newest_first=True)
        self.latest = reading(whole.where(is_ready).order_by(columns.number.desc()).limit(_ONE))
        self.greatest = reading(
            whole.where(
                is_published,
                among(columns.state, "states"),
                release >= bindparam("least"),
                release < bindparam("end"),
            )
            .order_by(release.desc())
            .limit(_ONE)
        )
        self.past_greatest = reading(standings.where(is_published, release > _greatest_key(source)))
        self.with_manifest = reading(standings.where(has_manifest, is_there))


NOW = VersionQueries(_TABLE)
THEN = VersionQueries(VERSIONS_THEN)
LOCK = locking(select(*_SHAPE.columns).where(*at(_TABLE, "namespace_id", "model_id", "number")))
FILE = reading(
    select(*_FILE.columns).where(*at(_FILES, "namespace_id", "model_id", "number", "path"))
)
ADD = inserting(_TABLE)
ADD_FILE = inserting(_FILES)
SAVE = updating(_TABLE, fixed=tables.VERSION_FIXED)


class SqlVersions:
    """The port ``Versions``. ``kept`` waits for the commit, which knows the revision."""

    def __init__(self, session: Session, kept: Kept, queries: VersionQueries = NOW) -> None:
        self._session = session
        self._kept = kept
        self._queries = queries

    async def get(self, namespace_id: str, model_id: str, number: int) -> Version:
        return await self._one(self._queries.get, namespace_id, model_id, number)

    async def lock(self, namespace_id: str, model_id: str, number: int) -> Version:
        return await self._one(LOCK, namespace_id, model_id, number)

    async def find_file(
        self, namespace_id: str, model_id: str, number: int, path: str
    ) -> File | None:
        row = await self._session.row(
            FILE, namespace_id=namespace_id, model_id=model_id, number=number, path=path
        )
        return None if row is None else _FILE.read(row)

    async def get_many(
        self, namespace_id: str, names: tuple[tuple[str, int], ...]
    ) -> tuple[Version, ...]:
        found: dict[tuple[str, int], Version] = {}
        for model_id in dict.fromkeys(model_id for model_id, _ in names):
            numbers = {number for of_model, number in names if of_model == model_id}
            rows = await self._session.rows(
                self._queries.some,
                namespace_id=namespace_id,
                model_id=model_id,
                numbers=json_array(numbers),
            )
            found |= {(model_id, one.number): one for one in map(_outlines.read, rows)}
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
            self._queries.list,
            page,
            _outlines.read,
            namespace_id=namespace_id,
            model_id=model_id,
            states=json_array(state.value for state in states),
        )

    async def latest(self, namespace_id: str, model_id: str) -> Version | None:
        return _read(
            await self._session.row(
                self._queries.latest, namespace_id=namespace_id, model_id=model_id
            )
        )

    async def greatest(
        self,
        namespace_id: str,
        model_id: str,
        states: Set[VersionState],
        within: SemverRange = ALL_RELEASES,
    ) -> Version | None:
        return _read(
            await self._session.row(
                self._queries.greatest,
                namespace_id=namespace_id,
                model_id=model_id,
                states=json_array(state.value for state in states),
                least=release_key(within.least.core),
                end=release_key(within.end.core),
            )
        )

    async def past_greatest(
        self, namespace_id: str, model_id: str, states: Set[VersionState]
    ) -> tuple[Standing, ...]:
        rows = await self._session.rows(
            self._queries.past_greatest,
            namespace_id=namespace_id,
            model_id=model_id,
            states=json_array(state.value for state in states),
        )
        return tuple(map(_STANDING.read, rows))

    async def find_semver(self, namespace_id: str, model_id: str, semver: str) -> Version | None:
        return _read(
            await self._session.row(
                self._queries.find_semver,
                namespace_id=namespace_id,
                model_id=model_id,
                semver=semver,
            )
        )

    async def with_manifest(
        self, namespace_id: str, model_id: str, digest: str
    ) -> tuple[Standing, ...]:
        rows = await self._session.rows(
            self._queries.with_manifest,
            namespace_id=namespace_id,
            model_id=model_id,
            manifest_digest=digest,
        )
        return tuple(map(_STANDING.read, rows))

    async def find_record(self, namespace_id: str, model_id: str, digest: str) -> Version | None:
        return _read(
            await self._session.row(
                self._queries.find_record,
                namespace_id=namespace_id,
                model_id=model_id,
                record_digest=digest,
            )
        )

    async def add(self, version: Version) -> None:
        # Taken is a number, record or semver only where the model was not locked: Conflict.
        written = _written(version)
        await self._session.write(ADD, **written)
        self._kept.keep(tables.version_history, written)
        files = [{**_keys(version), **_FILE.write(file)} for file in version.manifest.files]
        await self._session.write_many(ADD_FILE, files)

    async def save(self, version: Version) -> None:
        written = _written(version)
        await self._session.write(SAVE, **written)
        self._kept.keep(tables.version_history, written)

    async def _one(
        self, statement: Statement, namespace_id: str, model_id: str, number: int
    ) -> Version:
        row = await self._session.row(
            statement, namespace_id=namespace_id, model_id=model_id, number=number
        )
        if row is None:
            raise NotFound(version_name(namespace_id, model_id, number))
        return _wholes.read(row)


def _read(row: Row | None) -> Version | None:
    return None if row is None else _wholes.read(row)


def _written(version: Version) -> dict[str, Any]:
    return {**_SHAPE.write(version), "manifest_digest": version.manifest.digest}


def _keys(version: Version) -> dict[str, Any]:
    return {
        "namespace_id": version.namespace_id,
        "model_id": version.model_id,
        "number": version.number,
    }
