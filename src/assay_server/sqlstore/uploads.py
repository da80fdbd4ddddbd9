"""Uploads in SQL, and which content is referred to."""

from collections.abc import Mapping, Set
from datetime import datetime

from sqlalchemy import (
    Integer,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.sql import ColumnElement

from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.names import UploadName, upload_name
from assay_server.domain.paths import collision_forms
from assay_server.domain.uploads import Rivals, Upload, UploadState
from assay_server.domain.versions import VersionState
from assay_server.sqlstore import tables
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.composing import (
    among,
    at,
    each_text,
    inserting,
    locking,
    reading,
    updating,
)
from assay_server.sqlstore.records import json_array
from assay_server.sqlstore.session import Session
from assay_server.sqlstore.shapes import Shape
from assay_server.sqlstore.times import to_us

_TABLE = tables.uploads
_SHAPE = Shape(Upload, _TABLE)
_KEYS = at(_TABLE, "namespace_id", "model_id", "draft_id", "upload_id")
_ONE = select(*_SHAPE.columns).where(*_KEYS)
_IS_OPEN = _TABLE.c.state == literal_column(f"'{UploadState.OPEN}'")
_SEALED = tables.version_files
_FILLED = tables.draft_files

GET = reading(_ONE)
LOCK = locking(_ONE)
OPEN_PATHS = reading(
    select(_TABLE.c.path)
    .where(*at(_TABLE, "namespace_id", "model_id", "draft_id"), _IS_OPEN)
    .order_by(_TABLE.c.path)
)
_OTHERS = union(
    select(_FILLED.c.path).where(
        *at(_FILLED, "namespace_id", "model_id", "draft_id"), _FILLED.c.path != bindparam("path")
    ),
    select(_TABLE.c.path).where(
        *at(_TABLE, "namespace_id", "model_id", "draft_id"),
        _IS_OPEN,
        _TABLE.c.path != bindparam("path"),
    ),
).subquery()
_FORM: ColumnElement[str] = func.lower(_OTHERS.c.path, type_=Text)
_BELOW = func.substr(_FORM, 1, bindparam("below_characters", type_=Integer), type_=Text)
COUNT_OTHERS = Statement(select(func.count()).select_from(_OTHERS))
COLLIDING = Statement(
    select(_OTHERS.c.path)
    .where(among(_FORM, "forms") | (bindparam("below", type_=Text) == _BELOW))
    .order_by(_OTHERS.c.path)
    .limit(literal_column("2"))
)
_VERSIONS = tables.versions
_MODELS = tables.models
_DIGESTS = each_text("digests")
_BLOB = (
    select(_SEALED.c.size_bytes)
    .join(
        _VERSIONS,
        (_VERSIONS.c.namespace_id == _SEALED.c.namespace_id)
        & (_VERSIONS.c.model_id == _SEALED.c.model_id)
        & (_VERSIONS.c.number == _SEALED.c.number),
    )
    .join(
        _MODELS,
        (_MODELS.c.namespace_id == _SEALED.c.namespace_id)
        & (_MODELS.c.model_id == _SEALED.c.model_id),
    )
    # What a deleted version or model holds cannot be read, nor may a digest give it away.
    .where(
        *at(_SEALED, "namespace_id"),
        _SEALED.c.sha256 == _DIGESTS.c.value,
        _VERSIONS.c.state != literal_column(f"'{VersionState.DELETED}'"),
        _MODELS.c.delete_time.is_(None),
    )
    .limit(literal_column("1"))
)
BLOB_SIZES = Statement(select(_DIGESTS.c.value, _BLOB.scalar_subquery()))
BLOB_SIZES_OF_MODEL = Statement(
    select(_DIGESTS.c.value, _BLOB.where(*at(_SEALED, "model_id")).scalar_subquery())
)
REFERENCED = Statement(
    union_all(
        select(_SEALED.c.sha256).where(among(_SEALED.c.sha256, "digests")),
        select(_FILLED.c.sha256).where(among(_FILLED.c.sha256, "digests")),
        select(_TABLE.c.sha256).where(among(_TABLE.c.sha256, "digests"), _IS_OPEN),
    )
)
ADD = inserting(_TABLE)
SAVE = updating(_TABLE, fixed=("created_by", "create_time"))
ABORT_OTHERS = Statement(
    update(_TABLE)
    .where(
        *at(_TABLE, "namespace_id", "model_id", "draft_id", "path"),
        _TABLE.c.upload_id != bindparam("upload_id"),
        _IS_OPEN,
    )
    .values(state=literal_column(f"'{UploadState.ABORTED}'"))
)
EXPIRE = Statement(
    update(_TABLE)
    .where(
        *at(_TABLE, "namespace_id", "model_id", "draft_id"),
        _IS_OPEN,
        _TABLE.c.expire_time <= bindparam("now"),
    )
    .values(state=literal_column(f"'{UploadState.ABORTED}'"), epoch=_TABLE.c.epoch + 1)
    .returning(_TABLE.c.upload_id)
)
NOTE_DURABLE = Statement(
    update(_TABLE)
    .where(*_KEYS, _IS_OPEN, _TABLE.c.epoch == bindparam("of_epoch"))
    .values(durable_bytes=bindparam("durable_bytes"))
    .returning(_TABLE.c.epoch)
)


class SqlUploads:
    """The port ``Uploads``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, namespace_id: str, model_id: str, draft_id: str, upload_id: str) -> Upload:
        name = UploadName(namespace_id, model_id, draft_id, upload_id)
        return _found(await self._one(GET, name), name)

    async def lock(self, namespace_id: str, model_id: str, draft_id: str, upload_id: str) -> Upload:
        name = UploadName(namespace_id, model_id, draft_id, upload_id)
        return _found(await self._one(LOCK, name), name)

    async def find(
        self, namespace_id: str, model_id: str, draft_id: str, upload_id: str
    ) -> Upload | None:
        return await self._one(GET, UploadName(namespace_id, model_id, draft_id, upload_id))

    async def open_paths(self, namespace_id: str, model_id: str, draft_id: str) -> tuple[str, ...]:
        rows = await self._session.rows(
            OPEN_PATHS, namespace_id=namespace_id, model_id=model_id, draft_id=draft_id
        )
        return tuple(row[0] for row in rows)

    async def rivals(self, namespace_id: str, model_id: str, draft_id: str, path: str) -> Rivals:
        draft = {"namespace_id": namespace_id, "model_id": model_id, "draft_id": draft_id}
        folded, folders = collision_forms(path)
        below = f"{folded}/"
        ((count,),), rows = await self._session.together(
            (
                self._session.rows(COUNT_OTHERS, path=path, **draft),
                self._session.rows(
                    COLLIDING,
                    path=path,
                    forms=json_array((folded, *folders)),
                    below=below,
                    below_characters=len(below),
                    **draft,
                ),
            )
        )
        return Rivals(count, tuple(row[0] for row in rows))

    async def blob_sizes(
        self, namespace_id: str, digests: Set[str], *, model_id: str | None
    ) -> Mapping[str, int]:
        wanted = {"namespace_id": namespace_id, "digests": json_array(digests)}
        if model_id is None:
            rows = await self._session.rows(BLOB_SIZES, **wanted)
        else:
            rows = await self._session.rows(BLOB_SIZES_OF_MODEL, model_id=model_id, **wanted)
        return {sha256: size_bytes for sha256, size_bytes in rows if size_bytes is not None}

    async def referenced(self, digests: Set[str]) -> frozenset[str]:
        rows = await self._session.rows(REFERENCED, digests=json_array(digests))
        return frozenset(row[0] for row in rows)

    async def add(self, upload: Upload) -> None:
        taken = AlreadyExists(
            upload_name(upload.namespace_id, upload.model_id, upload.draft_id, upload.upload_id)
        )
        await self._session.write(ADD, taken=taken, **_SHAPE.write(upload))

    async def save(self, upload: Upload) -> None:
        await self._session.write(SAVE, **_SHAPE.write(upload))

    async def abort_others(self, upload: Upload) -> None:
        await self._session.write(
            ABORT_OTHERS,
            namespace_id=upload.namespace_id,
            model_id=upload.model_id,
            draft_id=upload.draft_id,
            path=upload.path,
            upload_id=upload.upload_id,
        )

    async def expire(
        self, namespace_id: str, model_id: str, draft_id: str, *, now: datetime
    ) -> int:
        rows = await self._session.rows(
            EXPIRE,
            namespace_id=namespace_id,
            model_id=model_id,
            draft_id=draft_id,
            now=to_us(now),
        )
        return len(rows)

    async def note_durable(self, name: UploadName, *, epoch: int, durable_bytes: int) -> bool:
        """Whether the upload was still open in this epoch."""
        row = await self._session.row(
            NOTE_DURABLE, **name._asdict(), of_epoch=epoch, durable_bytes=durable_bytes
        )
        return row is not None

    async def _one(self, statement: Statement, name: UploadName) -> Upload | None:
        row = await self._session.row(statement, **name._asdict())
        return None if row is None else _SHAPE.read(row)


def _found(upload: Upload | None, name: UploadName) -> Upload:
    if upload is None:
        raise NotFound(upload_name(*name))
    return upload
