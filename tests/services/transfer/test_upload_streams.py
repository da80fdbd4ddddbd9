"""Streams break, pause, step aside for each other, and go on."""

import asyncio
import itertools
from dataclasses import replace

import pytest

from assay_server.domain.errors import (
    StreamStalled,
    TooManyUploads,
    UploadFenced,
    UploadOffsetWrong,
)
from assay_server.domain.names import DraftName
from assay_server.domain.uploading import TransferLimits, staging_id, upload_name_of
from assay_server.domain.uploads import Upload
from assay_server.services.downloads import Wanted
from tests.services.registry import ANN, BOB, MAX, Registry
from tests.services.transfer.uploading import CONTENT, MIB, SHA256, Files, name_of


async def until_durable(files: Files, upload: Upload) -> None:
    """Until the store knows of a durable byte; it tells nobody when."""
    async with asyncio.timeout(10):
        for wait_s in itertools.repeat(0.001):
            if await files.durable_bytes(upload):
                return
            await asyncio.sleep(wait_s)


async def test_a_broken_stream_keeps_what_arrived_and_the_next_goes_on(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    with pytest.raises(ConnectionError):
        await files.send(upload, (0, CONTENT[: MIB + 77]), then="the client went away")

    upload = await files.begin(draft, name=name_of(upload))

    assert (upload.durable_bytes, upload.epoch) == (MIB + 77, 2)
    await files.write(upload)
    await files.commit(upload)
    assert await files.read(draft, Wanted("model.bin")) == CONTENT


async def test_an_upload_goes_on_in_a_new_process(files: Files, draft: DraftName) -> None:
    upload = await files.begin(draft)
    await files.write(upload, CONTENT[: 2 * MIB])

    files.restart()
    found = await files.uploads.get(ANN, name_of(upload))
    await files.write(found.answer)
    files.restart()
    await files.commit(upload)

    assert found.answer.durable_bytes == 2 * MIB
    assert await files.read(draft, Wanted("model.bin")) == CONTENT


async def test_bytes_become_durable_while_the_stream_goes_on(
    files: Files, draft: DraftName
) -> None:
    files.restart(TransferLimits(durable_after_bytes=MIB, durable_after_s=60))
    upload = await files.begin(draft)

    async with files.uploads.writing(ANN, name_of(upload), epoch=1) as stream:
        await stream.append(0, CONTENT[:MIB])
        await until_durable(files, upload)


async def test_bytes_become_durable_on_a_stream_that_pauses(files: Files, draft: DraftName) -> None:
    files.restart(TransferLimits(durable_after_bytes=64 * MIB, durable_after_s=0.01))
    upload = await files.begin(draft)

    async with files.uploads.writing(ANN, name_of(upload), epoch=1) as stream:
        await stream.append(0, CONTENT[:10])
        await until_durable(files, upload)


async def test_a_wrong_offset_hears_the_right_one(files: Files, draft: DraftName) -> None:
    upload = await files.begin(draft)

    with pytest.raises(UploadOffsetWrong) as refused:
        await files.send(upload, (0, CONTENT[:100]), (99, CONTENT[99:200]))

    assert refused.value.metadata["expected_offset"] == "100"
    assert await files.durable_bytes(upload) == 100


async def test_beginning_again_stops_the_stream_that_is_open(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    is_open = asyncio.Event()

    writing = asyncio.create_task(files.hang(upload, is_open))
    await is_open.wait()
    upload = await files.begin(draft, name=name_of(upload))

    with pytest.raises(UploadFenced):
        await writing
    assert writing.cancelling() == 0
    await files.write(upload)
    await files.commit(upload)


async def test_a_second_stream_of_the_same_epoch_stops_the_first(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    is_open = asyncio.Event()

    writing = asyncio.create_task(files.hang(upload, is_open))
    await is_open.wait()
    await files.write(upload)

    with pytest.raises(UploadFenced):
        await writing
    await files.commit(upload)


async def test_a_stream_in_another_process_is_fenced_by_the_store(
    files: Files, draft: DraftName, registry: Registry
) -> None:
    upload = await files.begin(draft)
    other = Files(registry, files.root, files.limits)

    async with files.uploads.writing(ANN, name_of(upload), epoch=1) as stream:
        await stream.append(0, CONTENT[:MIB])
        begun_again = await other.begin(draft, name=name_of(upload))
        with pytest.raises(UploadFenced):
            await stream.finish()

    assert (begun_again.epoch, begun_again.durable_bytes) == (2, 0)
    await other.write(begun_again)
    await other.commit(begun_again)
    await other.blobs.close()


async def test_an_old_epoch_opens_no_stream(files: Files, draft: DraftName) -> None:
    old = await files.begin(draft)
    await files.begin(draft, name=name_of(old))

    with pytest.raises(UploadFenced):
        await files.write(old)


async def test_only_so_many_streams_are_open_at_once(files: Files, draft: DraftName) -> None:
    files.restart(TransferLimits(streams_max=1))
    first = await files.begin(draft, path="one")
    second = await files.begin(draft, path="two")

    async with files.uploads.writing(ANN, name_of(first), epoch=1):
        with pytest.raises(TooManyUploads):
            await files.write(second)
    await files.write(second)


async def test_one_principal_cannot_take_every_place(files: Files, registry: Registry) -> None:
    files.restart(TransferLimits(streams_max=3, streams_per_principal_max=1))
    greedy, polite = await registry.draft("", by=ANN), await registry.draft("", by=BOB)
    first = await files.begin(greedy, path="one")
    second = await files.begin(greedy, path="two")
    other = await files.begin(polite, by=BOB)

    async with files.uploads.writing(ANN, name_of(first), epoch=1):
        with pytest.raises(TooManyUploads, match="1 of your uploads"):
            await files.write(second)
        await files.write(other, by=BOB)
    await files.write(second)


async def test_a_place_is_of_whoever_fills_it_not_of_whoever_began(
    files: Files, registry: Registry
) -> None:
    files.restart(TransferLimits(streams_max=4, streams_per_principal_max=1))
    draft = await registry.draft("", by=ANN)
    ours, hers, next_one = [await files.begin(draft, path=path) for path in ("a", "b", "c")]

    async with (
        files.uploads.writing(MAX, name_of(ours), epoch=1),
        files.uploads.writing(ANN, name_of(hers), epoch=1),
    ):
        for holder in (MAX, ANN):
            with pytest.raises(TooManyUploads, match="1 of your uploads"):
                await files.write(next_one, by=holder)
        with pytest.raises(TooManyUploads, match="1 of your uploads"):
            await files.write(hers, by=MAX)  # taking it over would be a second place
    await files.write(next_one, by=MAX)


async def test_a_stream_that_trickles_loses_its_place_and_nothing_else(
    files: Files, draft: DraftName
) -> None:
    files.restart(TransferLimits(pace_after_s=0, bytes_per_s_min=1 << 40))
    upload = await files.begin(draft, CONTENT)

    with pytest.raises(StreamStalled, match="bytes per second moved"):
        await files.send(upload, (0, b"w"), (1, b"e"))

    files.restart(TransferLimits())
    upload = (await files.uploads.get(ANN, name_of(upload))).answer
    await files.write(upload, CONTENT)
    assert (await files.commit(upload, CONTENT)).sha256 == SHA256


async def test_bytes_that_vanished_from_the_disk_are_asked_for_again(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    upload = await files.write(upload, CONTENT[:MIB])
    files.restart()
    (files.root / "staging" / staging_id(upload_name_of(upload))).unlink()

    with pytest.raises(UploadOffsetWrong) as refused:
        await files.write(upload)

    assert refused.value.metadata["expected_offset"] == "0"
    await files.write(replace(upload, durable_bytes=0))
    await files.commit(upload)
