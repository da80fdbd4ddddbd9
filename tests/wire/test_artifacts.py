"""Artifacts over a real server: what goes in comes out, and nothing else does."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from assay.v1 import artifact_service_pb2 as api
from assay.v1.role_binding_pb2 import Role as WireRole
from assay.v1.upload_pb2 import Upload, UploadState
from assay_server.domain.access import Role
from tests.pki import Authority
from tests.wire.registry import Registry, open_registry, principal, settings
from tests.wire.scripted import info_of, refusal
from tests.wire.transfers import MIB, Transfers, digest, each, messages_of

CONTENT = os.urandom(3 * MIB + 12_345)


@pytest_asyncio.fixture
async def ann(registry: Registry) -> AsyncIterator[Transfers]:
    """A data scientist, and a model to work on."""
    async with registry.channel(Role.ADMIN) as channel:
        await Transfers(channel).found()
    async with registry.channel(Role.DATA_SCIENTIST) as channel:
        yield Transfers(channel)


@pytest_asyncio.fixture
async def draft(ann: Transfers) -> str:
    return await ann.draft()


async def test_a_file_is_pushed_sealed_and_pulled_by_someone_else(
    registry: Registry, ann: Transfers, draft: str
) -> None:
    upload = await ann.begin(draft, CONTENT)
    written = await ann.write(upload, CONTENT)
    committed = await ann.commit(upload, CONTENT)
    version = await ann.seal(draft)

    assert upload.state == UploadState.UPLOAD_STATE_OPEN
    assert written.durable_bytes == len(CONTENT)
    assert committed.file.digest == digest(CONTENT)
    async with registry.channel(Role.CONSUMER) as channel:
        assert await Transfers(channel).read(version) == CONTENT


async def test_limits_are_told(ann: Transfers) -> None:
    limits = await ann.artifacts.GetTransferLimits(api.GetTransferLimitsRequest())

    assert limits.message_bytes_max == limits.message_bytes_preferred == MIB
    assert limits.upload_idle_s == 30


async def test_ranges_are_exact_and_past_the_end_refused(ann: Transfers, draft: str) -> None:
    await ann.put(draft, CONTENT)
    size = len(CONTENT)

    for offset, length in [(0, 1), (MIB - 1, 2), (MIB, MIB), (5, 0), (size - 1, 1), (size, 0)]:
        end = offset + length if length else size
        assert await ann.read(draft, offset=offset, length=length) == CONTENT[offset:end]
    for offset, length in [(0, size + 1), (size, 1), (size + 1, 0)]:
        error = await refusal(ann.read(draft, offset=offset, length=length))
        assert error.code() is grpc.StatusCode.OUT_OF_RANGE
        assert info_of(error).reason == "RANGE_PAST_END"
    error = await refusal(ann.read(draft, offset=-1))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_file_that_is_not_the_expected_one_is_not_read(ann: Transfers, draft: str) -> None:
    await ann.put(draft, CONTENT)

    assert await ann.read(draft, if_digest=digest(CONTENT), length=3) == CONTENT[:3]
    error = await refusal(ann.read(draft, if_digest=digest(b"other")))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert info_of(error).reason == "DIGEST_CHANGED"
    assert info_of(error).metadata["digest"] == digest(CONTENT)


async def test_an_empty_file_is_a_file(ann: Transfers, draft: str) -> None:
    upload = await ann.begin(draft, b"")
    await ann.commit(upload, b"")

    request = api.ReadArtifactRequest(name=draft, path="model.bin")
    messages = [message async for message in ann.artifacts.ReadArtifact(request)]

    assert [message.file.size_bytes for message in messages] == [0]


async def test_a_wrong_offset_is_refused_with_the_right_one(ann: Transfers, draft: str) -> None:
    upload = await ann.begin(draft, CONTENT)
    first, _, third, *_ = messages_of(upload, CONTENT)

    error = await refusal(ann.artifacts.WriteUpload(each([first, third])))

    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert info_of(error).reason == "UPLOAD_OFFSET_WRONG"
    assert info_of(error).metadata["expected_offset"] == str(MIB)
    found = await ann.get(upload)
    assert found.durable_bytes == MIB
    await ann.write(found, CONTENT)
    await ann.commit(upload, CONTENT)


async def test_a_damaged_message_is_refused_and_its_bytes_are_not_taken(
    ann: Transfers, draft: str
) -> None:
    upload = await ann.begin(draft, CONTENT)
    messages = messages_of(upload, CONTENT)
    messages[1].crc32c ^= 1

    error = await refusal(ann.artifacts.WriteUpload(each(messages)))

    assert error.code() is grpc.StatusCode.DATA_LOSS
    assert info_of(error).reason == "CHECKSUM_MISMATCH"
    assert (await ann.get(upload)).durable_bytes == MIB


async def test_a_commit_of_other_bytes_or_another_size_leaves_the_upload_open(
    ann: Transfers, draft: str
) -> None:
    name = f"{draft}/uploads/{uuid.uuid4()}"
    unknown = Upload(name=name, path="model.bin", size_bytes=-1)
    begun = await ann.artifacts.BeginUpload(api.BeginUploadRequest(upload=unknown))
    upload = await ann.write(begun.upload, CONTENT)

    size = await refusal(ann.commit(upload, CONTENT + b"more"))
    other = await refusal(ann.commit(upload, bytes(len(CONTENT))))

    assert (size.code(), info_of(size).reason) == (grpc.StatusCode.OUT_OF_RANGE, "SIZE_MISMATCH")
    assert info_of(size).metadata["sent_bytes"] == str(len(CONTENT))
    assert (other.code(), info_of(other).reason) == (grpc.StatusCode.DATA_LOSS, "DIGEST_MISMATCH")
    assert info_of(other).metadata["actual"] == digest(CONTENT)
    assert (await refusal(ann.read(draft))).code() is grpc.StatusCode.NOT_FOUND
    await ann.commit(upload, CONTENT)


async def test_a_message_over_the_limit_is_refused(ann: Transfers, draft: str) -> None:
    upload = await ann.begin(draft, CONTENT)

    for piece_bytes in (MIB + 1, len(CONTENT)):
        messages = messages_of(upload, CONTENT, piece_bytes=piece_bytes)
        error = await refusal(ann.artifacts.WriteUpload(each(messages)))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert info_of(error).reason == "MESSAGE_TOO_LARGE"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "a\\b", "CON", ".hidden"])
async def test_a_path_that_leads_elsewhere_is_refused(
    ann: Transfers, draft: str, path: str
) -> None:
    error = await refusal(ann.begin(draft, CONTENT, path=path))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(error).reason == "PATH_INVALID"


async def test_paths_that_collide_are_refused(ann: Transfers, draft: str) -> None:
    await ann.put(draft, b"weights", path="a/model.bin")

    error = await refusal(ann.begin(draft, CONTENT, path="A/Model.bin"))

    assert info_of(error).reason == "PATH_DUPLICATE"


@pytest.mark.parametrize(
    "upload_id", ["latest", "..", "u" * 36, "0641C7F8-39F1-4554-8741-EA713AF3B8FB"]
)
async def test_the_id_of_an_upload_is_a_uuid(ann: Transfers, draft: str, upload_id: str) -> None:
    error = await refusal(ann.begin(draft, CONTENT, name=f"{draft}/uploads/{upload_id}"))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(error).reason == "NAME_INVALID"


async def test_beginning_again_fences_the_stream_that_is_open(ann: Transfers, draft: str) -> None:
    upload = await ann.begin(draft, CONTENT)
    zombie = ann.artifacts.WriteUpload(each(messages_of(upload, CONTENT)[:2], then_hang=True))
    fenced = asyncio.ensure_future(refusal(zombie))
    await ann.some_durable(upload)

    upload = await ann.begin(draft, CONTENT, name=upload.name)

    error = await fenced
    assert error.code() is grpc.StatusCode.ABORTED
    assert info_of(error).reason == "UPLOAD_FENCED"
    assert upload.epoch == 2
    assert upload.durable_bytes >= MIB
    await ann.write(upload, CONTENT)
    await ann.commit(upload, CONTENT)


async def test_a_client_that_goes_away_can_go_on(
    registry: Registry, ann: Transfers, draft: str
) -> None:
    upload = await ann.begin(draft, CONTENT)
    async with registry.channel(Role.DATA_SCIENTIST) as channel:
        gone = Transfers(channel)
        call = gone.artifacts.WriteUpload(each(messages_of(upload, CONTENT)[:2], then_hang=True))
        await ann.some_durable(upload)
        call.cancel()

    upload = await ann.begin(draft, CONTENT, name=upload.name)
    await ann.write(upload, CONTENT)

    await ann.commit(upload, CONTENT)
    assert await ann.read(draft) == CONTENT


async def test_a_silent_client_is_closed_and_can_go_on(
    tmp_path: Path, authority: Authority
) -> None:
    config = settings(tmp_path, authority, upload_idle_s=1.0)
    async with open_registry(config, authority) as registry, registry.channel() as channel:
        admin = Transfers(channel)
        await admin.found()
        draft = await admin.draft()
        upload = await admin.begin(draft, CONTENT)
        messages = messages_of(upload, CONTENT)[:1]

        error = await refusal(admin.artifacts.WriteUpload(each(messages, then_hang=True)))

        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert info_of(error).reason == "STREAM_STALLED"
        found = await admin.get(upload)
        assert found.durable_bytes == MIB
        await admin.write(found, CONTENT)
        await admin.commit(upload, CONTENT)


async def test_aborting_may_be_repeated_and_ends_the_upload(ann: Transfers, draft: str) -> None:
    upload = await ann.begin(draft, CONTENT)

    for name in (upload.name, upload.name, f"{draft}/uploads/{uuid.uuid4()}"):
        await ann.artifacts.AbortUpload(api.AbortUploadRequest(name=name))

    error = await refusal(ann.write(upload, CONTENT))
    assert info_of(error).reason == "UPLOAD_NOT_OPEN"


async def test_known_content_is_not_sent_twice_where_the_caller_may_read_it(
    ann: Transfers, draft: str
) -> None:
    await ann.put(draft, CONTENT)
    await ann.seal(draft)
    second = await ann.draft()

    upload = await ann.begin(second, CONTENT, path="again.bin")

    assert upload.state == UploadState.UPLOAD_STATE_COMPLETE
    assert await ann.read(second, "again.bin") == CONTENT


async def test_content_of_a_namespace_that_the_caller_cannot_read_must_be_sent(
    registry: Registry, ann: Transfers, draft: str
) -> None:
    await ann.put(draft, CONTENT)
    await ann.seal(draft)
    words = "namespaces/audio/models/words"
    async with registry.channel(Role.ADMIN) as channel:
        admin = Transfers(channel)
        await admin.found(words)
        await admin.bind(principal("bob"), WireRole.ROLE_DATA_SCIENTIST, "namespaces/audio")
    async with registry.channel("bob") as channel:
        bob = Transfers(channel)
        own = await bob.draft(words)

        held = await bob.begin(own, CONTENT)
        unheld = await bob.begin(own, os.urandom(len(CONTENT)), path="other.bin")
        stolen = await refusal(bob.commit(held, CONTENT))
        elsewhere = await refusal(bob.begin(draft, CONTENT))

        assert held.state == unheld.state == UploadState.UPLOAD_STATE_OPEN
        assert info_of(stolen).reason == "SIZE_MISMATCH"
        assert elsewhere.code() is grpc.StatusCode.NOT_FOUND
        await bob.write(held, CONTENT)
        await bob.commit(held, CONTENT)


async def test_content_of_another_model_is_known_only_to_who_reads_the_whole_namespace(
    registry: Registry, ann: Transfers, draft: str
) -> None:
    await ann.put(draft, CONTENT)
    await ann.seal(draft)
    letters = "namespaces/vision/models/letters"
    async with registry.channel(Role.ADMIN) as channel:
        admin = Transfers(channel)
        await admin.add_model(letters)
        await admin.bind(principal("carol"), WireRole.ROLE_DATA_SCIENTIST, letters)
    async with registry.channel("carol") as channel:
        carol = Transfers(channel)
        hers = await carol.begin(await carol.draft(letters), CONTENT)
    anns = await ann.begin(await ann.draft(letters), CONTENT)

    assert hers.state == UploadState.UPLOAD_STATE_OPEN
    assert anns.state == UploadState.UPLOAD_STATE_COMPLETE


async def test_who_may_not_upload_is_told_what_is_missing_and_a_stranger_nothing(
    registry: Registry, ann: Transfers, draft: str
) -> None:
    upload = await ann.begin(draft, CONTENT)
    async with registry.channel(Role.CONSUMER) as channel:
        consumer = Transfers(channel)
        error = await refusal(consumer.write(upload, CONTENT))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
        assert info_of(error).metadata["permission"] == "artifacts.write"
    async with registry.channel("stranger") as channel:
        stranger = Transfers(channel)
        for attempt in (stranger.write(upload, CONTENT), stranger.read(draft)):
            assert (await refusal(attempt)).code() is grpc.StatusCode.NOT_FOUND


async def test_a_stream_without_a_first_name_is_refused(ann: Transfers) -> None:
    error = await refusal(ann.artifacts.WriteUpload(each([api.WriteUploadRequest(data=b"x")])))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_blob_that_was_damaged_ends_the_stream_before_a_wrong_byte(
    registry: Registry, ann: Transfers, draft: str
) -> None:
    await ann.put(draft, CONTENT)
    sha256 = digest(CONTENT).removeprefix("sha256:")
    blob = registry.config.blobs.directory / "blobs/sha256" / sha256[:2] / sha256[2:4] / sha256
    damaged = bytearray(CONTENT)
    damaged[2 * MIB] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(damaged)

    request = api.ReadArtifactRequest(name=draft, path="model.bin")
    received = bytearray()
    stream = ann.artifacts.ReadArtifact(request)
    error = await refusal(_collected(stream, received))

    assert error.code() is grpc.StatusCode.DATA_LOSS
    assert info_of(error).reason == "BLOB_CORRUPT"
    assert bytes(received) == CONTENT[: 2 * MIB]


async def _collected(stream: AsyncIterator[api.ReadArtifactResponse], received: bytearray) -> None:
    async for message in stream:
        received += message.data
