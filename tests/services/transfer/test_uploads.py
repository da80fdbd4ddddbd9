"""Files go into drafts, by upload and commit."""

import asyncio
import uuid

import pytest

from assay_server.domain.access import Role
from assay_server.domain.errors import (
    DigestMismatch,
    SizeMismatch,
    UploadFenced,
)
from assay_server.domain.manifest import File
from assay_server.domain.names import DraftName, UploadName, VersionName
from assay_server.domain.uploading import staging_id, upload_name_of
from assay_server.domain.uploads import UploadState
from assay_server.services.downloads import Wanted
from tests.services.registry import ANN, DIGITS, Registry, again, caller
from tests.services.transfer.uploading import CONTENT, SHA256, Files, name_of


async def test_a_file_goes_into_a_draft_and_comes_out_of_it_and_of_the_version(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    assert (upload.state, upload.durable_bytes) == (UploadState.OPEN, 0)

    written = await files.write(upload)
    file = await files.commit(upload)

    assert written.durable_bytes == len(CONTENT)
    assert file == File("model.bin", len(CONTENT), SHA256, "application/octet-stream", "weights")
    assert await files.read(draft, Wanted("model.bin")) == CONTENT
    sealed = await registry.seal(draft)
    version = VersionName(*DIGITS, sealed.version.number)
    assert await files.read(version, Wanted("model.bin", offset=5, length=9)) == CONTENT[5:14]


async def test_size_and_digest_may_be_known_at_the_end_only(files: Files, draft: DraftName) -> None:
    upload = await files.begin(draft, says=False)
    await files.write(upload)

    file = await files.commit(upload)

    assert (file.size_bytes, file.sha256) == (len(CONTENT), SHA256)


async def test_an_empty_file_needs_no_stream(files: Files, draft: DraftName) -> None:
    upload = await files.begin(draft, b"")

    file = await files.commit(upload, b"")

    assert file.size_bytes == 0
    assert await files.read(draft, Wanted("model.bin")) == b""


@pytest.mark.parametrize("size_bytes", [len(CONTENT) - 1, len(CONTENT) + 1])
async def test_a_commit_of_a_size_that_was_not_sent_changes_nothing(
    files: Files, draft: DraftName, size_bytes: int
) -> None:
    upload = await files.begin(draft, says=False)
    await files.write(upload)

    with pytest.raises(SizeMismatch):
        await files.uploads.commit(
            again(ANN), name_of(upload), sha256=SHA256, size_bytes=size_bytes
        )

    await files.commit(upload)


async def test_a_commit_of_another_digest_names_the_path_and_changes_nothing(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft, says=False)
    await files.write(upload)

    with pytest.raises(DigestMismatch, match=r"model\.bin") as refused:
        await files.uploads.commit(
            again(ANN), name_of(upload), sha256="0" * 64, size_bytes=len(CONTENT)
        )

    assert refused.value.metadata["actual"] == f"sha256:{SHA256}"
    assert (await files.registry.drafts.get(ANN, draft)).answer.files == ()
    await files.commit(upload)


async def test_a_commit_may_be_repeated_with_and_without_a_request_id(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    await files.write(upload)
    call = caller(
        ANN.principal, Role.DATA_SCIENTIST, request_id=str(uuid.uuid4()), payload="commit"
    )

    first = await files.uploads.commit(
        call, name_of(upload), sha256=SHA256, size_bytes=len(CONTENT)
    )
    replayed = await files.uploads.commit(
        again(call), name_of(upload), sha256=SHA256, size_bytes=len(CONTENT)
    )
    repeated = await files.commit(upload)

    assert first.answer == replayed.answer == repeated
    assert (first.revision, first.is_replay) == (replayed.revision, not replayed.is_replay)


async def test_a_commit_whose_transaction_was_lost_is_repeated_in_a_new_process(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    await files.write(upload)
    await files.blobs.commit(
        staging_id(upload_name_of(upload)), sha256=SHA256, size_bytes=len(CONTENT)
    )

    files.restart()
    await files.commit(upload)

    assert await files.read(draft, Wanted("model.bin")) == CONTENT


async def test_aborting_stops_the_stream_and_forgets_the_bytes_and_may_be_repeated(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    is_open = asyncio.Event()

    writing = asyncio.create_task(files.hang(upload, is_open))
    await is_open.wait()
    for _ in range(2):
        await files.uploads.abort(again(ANN), name_of(upload))

    with pytest.raises(UploadFenced):
        await writing
    assert not [*(files.root / "staging").iterdir()]
    await files.uploads.abort(again(ANN), UploadName(*draft, str(uuid.uuid4())))
