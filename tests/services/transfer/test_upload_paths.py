"""What a draft may take, and from where without sending it again."""

import uuid
from dataclasses import replace

import pytest

from assay_server.domain.errors import (
    DigestMismatch,
    DraftIncomplete,
    DraftNotOpen,
    DuplicatePath,
    SizeMismatch,
    UploadNotOpen,
)
from assay_server.domain.models import ModelChange
from assay_server.domain.names import DraftName, ModelName, UploadName, VersionName
from assay_server.domain.uploading import Announced
from assay_server.domain.uploads import UploadState
from assay_server.services.downloads import Wanted
from tests.services.registry import ANN, BOB, MAX, Registry, again
from tests.services.transfer.uploading import CONTENT, SHA256, Files, name_of


async def test_knowing_a_digest_does_not_give_the_bytes(registry: Registry, files: Files) -> None:
    secret = await registry.draft("", by=BOB)
    await files.put(secret, CONTENT, by=BOB)
    draft = await registry.draft("", by=ANN)

    upload = await files.begin(draft)
    with pytest.raises(SizeMismatch):
        await files.commit(upload)

    assert upload.state is UploadState.OPEN
    junk = bytes(len(CONTENT))
    await files.write(upload, junk)
    with pytest.raises(DigestMismatch):
        await files.commit(upload)


async def test_content_that_the_caller_may_read_is_not_sent_again(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, CONTENT)
    await registry.seal(draft)
    second = await registry.draft("", by=BOB)

    upload = await files.begin(second, path="copy.bin", by=BOB)

    assert upload.state is UploadState.COMPLETE
    assert await files.read(second, Wanted("copy.bin"), by=BOB) == CONTENT


async def test_content_is_taken_only_from_where_the_caller_may_read(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, CONTENT)
    await registry.seal(draft)
    await registry.add_namespace("audio")
    for model in (ModelName("vision", "letters"), ModelName("audio", "words")):
        await registry.models.create(again(MAX), model, ModelChange())
    elsewhere = await registry.draft("", model=ModelName("audio", "words"))
    same_namespace = await registry.draft("", model=ModelName("vision", "letters"))
    same_model = await registry.draft("")
    everywhere = ANN
    of_the_model = replace(ANN, readable_namespaces=frozenset())
    cannot_read = replace(ANN, permissions=ANN.permissions - {"artifacts.read"})

    states = [
        (await files.begin(place, path=f"{number}.bin", by=by)).state
        for number, (place, by) in enumerate(
            [
                (elsewhere, everywhere),
                (same_namespace, everywhere),
                (same_namespace, of_the_model),
                (same_model, of_the_model),
                (same_model, cannot_read),
            ]
        )
    ]

    # The last one has the content in the very draft by then.
    assert [state.value for state in states] == [
        "OPEN", "COMPLETE", "COMPLETE", "COMPLETE", "COMPLETE",
    ]  # fmt: skip


async def test_content_that_nobody_may_read_any_more_is_not_known(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, CONTENT)
    number = (await registry.seal(draft)).version.number
    second = await registry.draft("", by=BOB)
    await registry.versions.delete(
        again(MAX), VersionName(*draft[:2], number), "personal data", etag=""
    )

    upload = await files.begin(second, by=BOB)

    assert upload.state is UploadState.OPEN


async def test_content_of_a_deleted_model_is_not_known(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, CONTENT)
    await registry.seal(draft)
    letters = ModelName("vision", "letters")
    await registry.models.create(again(ANN), letters, ModelChange())
    await registry.models.delete(again(MAX), ModelName(*draft[:2]), etag="")

    upload = await files.begin(await registry.draft("", model=letters, by=BOB), by=BOB)

    assert upload.state is UploadState.OPEN


async def test_uploads_of_two_drafts_stay_apart_even_when_their_ids_are_the_same(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    await files.write(upload)
    name = UploadName(*await registry.draft("", by=BOB), upload.upload_id)

    other = await files.begin(DraftName(*name[:3]), b"other", name=name, by=BOB)
    await files.write(other, b"other", by=BOB)
    await files.uploads.abort(again(BOB), name)
    await files.commit(upload)

    assert await files.read(draft, Wanted("model.bin")) == CONTENT


async def test_an_announced_size_that_is_wrong_is_not_answered_with_known_content(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, CONTENT)
    name = UploadName(*draft, str(uuid.uuid4()))
    announced = Announced("copy.bin", 7, SHA256, "application/octet-stream", "")

    upload = (await files.uploads.begin(again(ANN), name, announced)).answer

    assert upload.state is UploadState.OPEN


async def test_a_file_is_replaced_by_a_later_upload_of_its_path(
    files: Files, draft: DraftName
) -> None:
    await files.put(draft, b"first")

    await files.put(draft, b"second")

    assert await files.read(draft, Wanted("model.bin")) == b"second"


async def test_a_later_upload_of_a_path_takes_over_from_an_open_one(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    abandoned = await files.begin(draft, b"first")

    await files.put(draft, b"second")

    with pytest.raises(UploadNotOpen):
        await files.write(abandoned, b"first")
    await registry.seal(draft)


async def test_a_path_that_collides_is_refused_at_once(files: Files, draft: DraftName) -> None:
    await files.begin(draft, b"first", path="a/b")

    for path in ("A/B", "a", "a/b/c"):
        with pytest.raises(DuplicatePath):
            await files.begin(draft, b"second", path=path)


async def test_a_draft_with_an_open_upload_is_not_sealed(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, CONTENT, path="done.bin")
    upload = await files.begin(draft, b"other")

    with pytest.raises(DraftIncomplete):
        await registry.seal(draft)
    await files.uploads.abort(again(ANN), name_of(upload))
    await registry.seal(draft)


async def test_an_upload_into_a_sealed_draft_is_refused(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, CONTENT)
    await registry.seal(draft)

    with pytest.raises(DraftNotOpen):
        await files.begin(draft, path="late.bin")
    with pytest.raises(DraftNotOpen):
        await files.read(draft, Wanted("model.bin"))
