"""Bytes come out of versions, and of the open drafts of their authors."""

import pytest

from assay_server.domain.errors import (
    DigestChanged,
    ModelIsDeleted,
    NotFound,
    RangePastEnd,
)
from assay_server.domain.names import DraftName, VersionName
from assay_server.services.downloads import Wanted
from tests.services.registry import BOB, DIGITS, MAX, Registry, again
from tests.services.transfer.uploading import Files, name_of


async def test_the_uploads_of_another_look_like_none(files: Files, draft: DraftName) -> None:
    upload = await files.begin(draft)
    name = name_of(upload)

    for attempt in (
        files.begin(draft, by=BOB),
        files.write(upload, by=BOB),
        files.commit(upload, by=BOB),
        files.uploads.get(BOB, name),
        files.uploads.abort(again(BOB), name),
        files.read(draft, Wanted("model.bin"), by=BOB),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await files.uploads.get(MAX, name)).answer == upload


async def test_reads_say_what_is_wrong_with_them(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, b"ten bytes.")

    with pytest.raises(RangePastEnd):
        await files.read(draft, Wanted("model.bin", offset=11))
    with pytest.raises(RangePastEnd):
        await files.read(draft, Wanted("model.bin", offset=9, length=2))
    with pytest.raises(DigestChanged):
        await files.read(draft, Wanted("model.bin", if_sha256="0" * 64))
    with pytest.raises(NotFound):
        await files.read(draft, Wanted("other.bin"))
    assert await files.read(draft, Wanted("model.bin", offset=10)) == b""


async def test_a_deleted_version_is_not_read(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, b"bytes")
    sealed = await registry.seal(draft)
    version = VersionName(*DIGITS, sealed.version.number)
    await registry.versions.delete(again(MAX), version, "wrong weights", etag="")

    with pytest.raises(NotFound):
        await files.read(version, Wanted("model.bin"))


async def test_nothing_of_a_deleted_model_is_read(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, b"bytes")
    sealed = await registry.seal(draft)
    version = VersionName(*DIGITS, sealed.version.number)
    second = await registry.draft("")
    await files.put(second, b"other bytes")
    await registry.models.delete(again(MAX), DIGITS, etag="")

    for name in (version, second):
        with pytest.raises(ModelIsDeleted):
            await files.read(name, Wanted("model.bin"))
