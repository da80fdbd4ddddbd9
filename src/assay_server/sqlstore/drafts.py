"""Drafts and their files in SQL."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, literal_column, select, union_all
from sqlalchemy.sql import ColumnElement

from assay_server.domain.calls import Page, Paged
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.manifest import File
from assay_server.domain.names import DraftName, draft_name
from assay_server.domain.uploads import UploadState
from assay_server.domain.versions import Draft, DraftState
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import at, inserting, locking, reading, replacing, updating
from assay_server.sqlstore.paging import listing, read_page
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape
from assay_server.sqlstore.times import to_us

_TABLE = tables.drafts
_FILES = tables.draft_files
_KEYS = ("namespace_id", "model_id", "draft_id")
_NO_FILES: ColumnElement[Any] = literal_column("'[]'")
_SHAPE = Shape(Draft, _TABLE, instead={"files": _NO_FILES})
_OUTLINE = Shape(Draft, _TABLE, instead={"files": _NO_FILES, "card": literal_column("''")})
_FILE = Shape(File, _FILES)
_ONE = select(*_SHAPE.columns).where(*at(_TABLE, *_KEYS))
_KEY = (_TABLE.c.create_time, _TABLE.c.draft_id)
_OPEN = select(*_OUTLINE.columns).where(
    *at(_TABLE, "namespace_id", "model_id"),
    _TABLE.c.state == literal_column(f"'{DraftState.OPEN}'"),
)

GET = reading(_ONE)
LOCK = locking(_ONE)
FILE = reading(select(*_FILE.columns).where(*at(_FILES, *_KEYS, "path")))
HELD = Statement(
    select(_FILES.c.size_bytes).where(*at(_FILES, *_KEYS, "sha256")).limit(literal_column("1"))
)
FILES = Statement(select(*_FILE.columns).where(*at(_FILES, *_KEYS)).order_by(_FILES.c.path))
LIST = listing(_OPEN, *_KEY, newest_first=True)
LIST_BY = listing(
    _OPEN.where(_TABLE.c.created_by == bindparam("created_by")), *_KEY, newest_first=True
)
ADD = inserting(_TABLE)
SAVE = updating(_TABLE, fixed=("created_by", "create_time"))
PUT_FILE = replacing(_FILES)
REMOVE_FILES = Statement(delete(_FILES).where(*at(_FILES, *_KEYS)))
_UPLOADS = tables.uploads
_IS_OPEN = _TABLE.c.state == literal_column(f"'{DraftState.OPEN}'")
_FILLS = _UPLOADS.c.state == literal_column(f"'{UploadState.OPEN}'")
_IS_FILLED = (
    exists()
    .where(*(_UPLOADS.c[key] == _TABLE.c[key] for key in _KEYS))
    .where(_FILLS, _UPLOADS.c.expire_time > bindparam("now"))
)
_DUE = union_all(
    select(*(_TABLE.c[key] for key in _KEYS), _TABLE.c.expire_time).where(
        _IS_OPEN, _TABLE.c.expire_time <= bindparam("now"), ~_IS_FILLED
    ),
    select(*(_UPLOADS.c[key] for key in _KEYS), _UPLOADS.c.expire_time).where(
        _FILLS, _UPLOADS.c.expire_time <= bindparam("now")
    ),
).subquery()
DUE = listing(select(_DUE), _DUE.c.expire_time, *(_DUE.c[key] for key in _KEYS))


class SqlDrafts:
    """The port ``Drafts``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, namespace_id: str, model_id: str, draft_id: str) -> Draft:
        draft = await self._one(GET, namespace_id, model_id, draft_id)
        return replace(draft, files=await self.files(namespace_id, model_id, draft_id))

    async def files(self, namespace_id: str, model_id: str, draft_id: str) -> tuple[File, ...]:
        rows = await self._session.rows(
            FILES, namespace_id=namespace_id, model_id=model_id, draft_id=draft_id
        )
        return tuple(map(_FILE.read, rows))

    async def outline(self, namespace_id: str, model_id: str, draft_id: str) -> Draft:
        return await self._one(GET, namespace_id, model_id, draft_id)

    async def lock_outline(self, namespace_id: str, model_id: str, draft_id: str) -> Draft:
        return await self._one(LOCK, namespace_id, model_id, draft_id)

    async def find_file(
        self, namespace_id: str, model_id: str, draft_id: str, path: str
    ) -> File | None:
        row = await self._session.row(
            FILE, namespace_id=namespace_id, model_id=model_id, draft_id=draft_id, path=path
        )
        return None if row is None else _FILE.read(row)

    async def find_held(
        self, namespace_id: str, model_id: str, draft_id: str, sha256: str
    ) -> int | None:
        row = await self._session.row(
            HELD, namespace_id=namespace_id, model_id=model_id, draft_id=draft_id, sha256=sha256
        )
        return None if row is None else row[0]

    async def list(
        self, namespace_id: str, model_id: str, page: Page, *, created_by: str | None
    ) -> Paged[Draft]:
        statement, author = (
            (LIST, {}) if created_by is None else (LIST_BY, {"created_by": created_by})
        )
        return await read_page(
            self._session,
            statement,
            page,
            _OUTLINE.read,
            namespace_id=namespace_id,
            model_id=model_id,
            **author,
        )

    async def add(self, draft: Draft) -> None:
        await self._session.write(ADD, taken=AlreadyExists(_name(draft)), **_SHAPE.write(draft))
        if draft.files:
            files = [{**_keys(draft), **_FILE.write(file)} for file in draft.files]
            await self._session.write_many(PUT_FILE, files)

    async def save(self, draft: Draft) -> None:
        await self._session.write(SAVE, **_SHAPE.write(draft))

    async def put_file(self, draft: Draft, file: File) -> None:
        await self._session.write(PUT_FILE, **_keys(draft), **_FILE.write(file))

    async def remove_files(self, namespace_id: str, model_id: str, draft_id: str) -> None:
        await self._session.write(
            REMOVE_FILES, namespace_id=namespace_id, model_id=model_id, draft_id=draft_id
        )

    async def due(self, now: datetime, page: Page) -> Paged[DraftName]:
        return await read_page(
            self._session, DUE, page, lambda row: DraftName(*row[:3]), now=to_us(now)
        )

    async def _one(
        self, statement: Statement, namespace_id: str, model_id: str, draft_id: str
    ) -> Draft:
        row = await self._session.row(
            statement, namespace_id=namespace_id, model_id=model_id, draft_id=draft_id
        )
        if row is None:
            raise NotFound(draft_name(namespace_id, model_id, draft_id))
        return _SHAPE.read(row)


def _keys(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in _KEYS}


def _name(draft: Draft) -> str:
    return draft_name(draft.namespace_id, draft.model_id, draft.draft_id)
