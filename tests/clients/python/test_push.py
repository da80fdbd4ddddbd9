"""Push: what is sent, what is not sent again, and how an interrupted one goes on."""

import os
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Progress, Step, errors, retries
from assay.manifest import manifest_digest
from assay.transfer.envelope import PAYLOAD_BYTES, write_message
from assay.v1.artifact_service_pb2 import WriteUploadRequest
from assay.v1.file_pb2 import File
from assay.v1.model_pb2 import Model
from assay.v1.registry_service_pb2 import CreateModelResponse
from assay.v1.version_pb2 import Bump
from assay.verbs import transfers
from tests.clients.python.serving import refuse
from tests.clients.python.storing import DRAFT, VERSION, Store, digest_of

BIG = os.urandom(2 * PAYLOAD_BYTES + 12_345)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A model of three files, one of them empty."""
    made = tmp_path / "model"
    (made / "weights").mkdir(parents=True)
    (made / "weights/model.safetensors").write_bytes(BIG)
    (made / "config.json").write_text("{}")
    (made / "labels.txt").write_text("")
    return made


async def test_a_directory_arrives_whole_and_is_sealed_by_its_digest(
    connected: Any, store: Store, directory: Path
) -> None:
    client = await connected(store.handlers())

    version = await client.push(directory, to="vision/digits", card="# Digits", tags={"a": "b"})

    assert version.name == VERSION
    assert bytes(store.received["weights/model.safetensors"]) == BIG
    assert bytes(store.received["config.json"]) == b"{}"
    assert bytes(store.received["labels.txt"]) == b""
    assert store.drafts[0].card == "# Digits"
    assert store.drafts[0].tags == {"a": "b"}
    uploads = {upload.path: upload for upload in store.uploads.values()}
    assert uploads["config.json"].media_type == "application/json"
    assert uploads["weights/model.safetensors"].role == "weights"
    store.hold({path: bytes(content) for path, content in store.received.items()})
    for file in store.version.files:
        file.media_type, file.role = uploads[file.path].media_type, uploads[file.path].role
    assert store.seals[0].manifest_digest == manifest_digest(store.version.files)


async def test_a_file_is_pushed_under_its_name(
    connected: Any, store: Store, directory: Path
) -> None:
    client = await connected(store.handlers(), namespace="vision")

    await client.push(directory / "config.json", to="digits", publish=True, bump="minor")

    assert [*store.received] == ["config.json"]
    assert store.seals[0].publish
    assert store.seals[0].bump == Bump.BUMP_MINOR


async def test_content_that_the_server_has_is_not_sent(
    connected: Any, store: Store, directory: Path
) -> None:
    store.known = {digest_of(BIG), digest_of(b"{}"), digest_of(b"")}
    client = await connected(store.handlers())

    version = await client.push(directory, to="vision/digits", tags={"a": "b"}, publish=True)

    assert store.calls == ["CreateVersion"]
    assert version.name == VERSION
    (asked,) = store.created
    assert sorted(file.path for file in asked.version.files) == [
        "config.json",
        "labels.txt",
        "weights/model.safetensors",
    ]
    assert asked.manifest_digest == manifest_digest(asked.version.files)
    assert (dict(asked.version.tags), asked.publish) == ({"a": "b"}, True)


async def test_of_what_the_server_has_only_the_rest_is_sent(
    connected: Any, store: Store, directory: Path
) -> None:
    store.known = {digest_of(BIG), digest_of(b"")}
    client = await connected(store.handlers())

    await client.push(directory, to="vision/digits")

    assert store.calls[:2] == ["CreateVersion", "CreateDraft"]
    assert store.calls.count("BeginUpload") == 3
    assert store.calls.count("WriteUpload") == store.calls.count("CommitUpload") == 1
    assert store.calls[-1] == "SealDraft"


async def test_a_server_that_is_older_than_the_client_is_pushed_to_all_the_same(
    connected: Any, store: Store, directory: Path
) -> None:
    handlers = store.handlers()
    del handlers["CreateVersion"]
    client = await connected(handlers)

    assert (await client.push(directory, to="vision/digits")).name == VERSION


async def test_much_is_not_hashed_before_any_of_it_is_sent(
    connected: Any, store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "AT_ONCE_BYTES_MAX", len(BIG) - 1)
    client = await connected(store.handlers())

    await client.push(directory, to="vision/digits")

    assert "CreateVersion" not in store.calls


async def test_a_version_is_made_of_the_files_of_another(connected: Any, store: Store) -> None:
    store.known = {digest_of(b"{}")}
    files = [File(path="config.json", size_bytes=2, digest=digest_of(b"{}"))]
    client = await connected(store.handlers())

    made = await client.create_version("vision/digits", files, card="# Digits", bump="minor")

    assert made.name == VERSION
    assert store.created[0].version.card == "# Digits"
    assert store.created[0].bump == Bump.BUMP_MINOR
    with pytest.raises(errors.FilesMissing):
        await client.create_version("vision/digits", [*files, File(path="f", digest="sha256:0")])


async def test_a_broken_upload_goes_on_from_what_is_durable_and_is_never_just_repeated(
    connected: Any, store: Store, directory: Path
) -> None:
    store.breaks_at = [700_000, 1_500_000]
    client = await connected(store.handlers())

    await client.push(directory / "weights", to="vision/digits")

    assert bytes(store.received["model.safetensors"]) == BIG
    assert store.stream_starts == [0, 700_000, 1_500_000]
    assert store.calls.count("BeginUpload") == store.calls.count("WriteUpload") == 3
    assert len(store.uploads) == 1


async def test_an_upload_that_does_not_move_is_given_up_with_the_way_to_resume_it(
    connected: Any, store: Store, directory: Path
) -> None:
    store.breaks_at = [1000] * 50
    client = await connected(store.handlers(), patience_s=0.4)

    with pytest.raises(errors.UploadInterrupted) as caught:
        await client.push(directory / "weights", to="vision/digits")

    assert caught.value.draft == DRAFT
    assert "stands at 1000 of" in str(caught.value)
    assert f"draft='{DRAFT}'" in str(caught.value)
    store.breaks_at = []
    await client.push(directory / "weights", to="vision/digits", draft=DRAFT)
    assert bytes(store.received["model.safetensors"]) == BIG
    assert store.stream_starts[-1] == 1000
    assert store.calls.count("CreateDraft") == 1
    assert store.calls.count("UpdateDraft") == 1


async def test_a_server_that_takes_nothing_is_left(
    connected: Any, store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "SILENCE_S", 0.5)

    async def deaf(requests: Any, context: Any) -> Any:
        async for _ in requests:
            break
        async for _ in requests:
            await __import__("asyncio").Event().wait()

    client = await connected(store.handlers() | {"WriteUpload": deaf}, patience_s=0.3)

    with pytest.raises(errors.UploadInterrupted, match=r"took nothing .* for 0\.5 s"):
        await client.push(directory / "weights", to="vision/digits")


async def test_another_process_that_took_the_upload_over_is_not_fought(
    connected: Any, store: Store, directory: Path
) -> None:
    async def fenced(requests: Any, context: Any) -> Any:
        await refuse(context, grpc.StatusCode.ABORTED, "UPLOAD_FENCED", "taken over")

    client = await connected(store.handlers() | {"WriteUpload": fenced})

    with pytest.raises(errors.UploadFenced) as caught:
        await client.push(directory / "config.json", to="vision/digits")

    assert store.calls.count("BeginUpload") == 1
    assert any(DRAFT in note for note in caught.value.__notes__)


async def test_a_refusal_of_one_file_stops_the_others(
    connected: Any, store: Store, tmp_path: Path
) -> None:
    for number in range(40):
        (tmp_path / f"part-{number}.bin").write_bytes(b"x" * number)

    async def full(requests: Any, context: Any) -> Any:
        await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL", "full")

    client = await connected(store.handlers() | {"WriteUpload": full})

    with pytest.raises(errors.StorageFull):
        await client.push(tmp_path, to="vision/digits", exclude=["pki"])

    assert store.calls.count("BeginUpload") < 10


async def test_the_model_is_made_on_the_way_only_if_asked(
    connected: Any, store: Store, directory: Path
) -> None:
    made: list[Any] = []

    async def create_draft(request: Any, context: Any) -> Any:
        if not made:
            await refuse(context, grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND", "no model")
        return await store.create_draft(request, context)

    async def create_model(request: Any, context: Any) -> Any:
        made.append(request)
        return CreateModelResponse(model=Model())

    extra = {"CreateDraft": create_draft, "CreateModel": create_model}
    client = await connected(store.handlers() | extra)

    with pytest.raises(errors.NotFound) as caught:
        await client.push(directory / "config.json", to="vision/digits")
    assert "create=True" in caught.value.__notes__[0]

    await client.push(directory / "config.json", to="vision/digits", create=True)
    assert (made[0].parent, made[0].model_id) == ("namespaces/vision", "digits")


async def test_that_somebody_else_makes_the_model_meanwhile_is_no_failure(
    connected: Any, store: Store, directory: Path
) -> None:
    made: list[Any] = []

    async def create_draft(request: Any, context: Any) -> Any:
        if not made:
            await refuse(context, grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND", "no model")
        return await store.create_draft(request, context)

    async def create_model(request: Any, context: Any) -> Any:
        made.append(request)
        await refuse(context, grpc.StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS", "just now")

    extra = {"CreateDraft": create_draft, "CreateModel": create_model}
    client = await connected(store.handlers() | extra)

    version = await client.push(directory / "config.json", to="vision/digits", create=True)

    assert version.number == 1


async def test_progress_tells_of_every_file_before_any_moves_and_ends_complete(
    connected: Any, store: Store, directory: Path
) -> None:
    heard: list[Progress] = []
    client = await connected(store.handlers())

    await client.push(directory, to="vision/digits", on_progress=heard.append)

    sizes = {"config.json": 2, "labels.txt": 0, "weights/model.safetensors": len(BIG)}
    assert {p.path: p.total_bytes for p in heard[:3]} == sizes
    assert all(p.done_bytes == 0 for p in heard[:3])
    assert {p.path: p.done_bytes for p in heard if p.step is Step.DONE} == sizes
    sent = [p.done_bytes for p in heard if p.step is Step.SENDING and p.total_bytes == len(BIG)]
    assert sent == [PAYLOAD_BYTES, 2 * PAYLOAD_BYTES, len(BIG)]


async def test_a_file_that_shrinks_while_it_is_sent_is_named(
    connected: Any, store: Store, directory: Path
) -> None:
    def shrink(progress: Progress) -> None:
        if progress.step is Step.SENDING:
            os.truncate(directory / "weights/model.safetensors", 10)

    client = await connected(store.handlers())

    with pytest.raises(errors.ContentMismatch, match="became shorter while"):
        await client.push(directory / "weights", to="vision/digits", on_progress=shrink)

    assert store.calls[-1] == "AbortUpload"


async def test_a_file_that_changes_while_it_is_sent_is_not_sealed(
    connected: Any, store: Store, directory: Path
) -> None:
    def change(progress: Progress) -> None:
        if progress.step is Step.SENDING and progress.done_bytes == PAYLOAD_BYTES:
            with (directory / "weights/model.safetensors").open("r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(bytes([BIG[-1] ^ 1]))

    client = await connected(store.handlers())

    with pytest.raises(errors.ContentMismatch, match="changed while it was being sent"):
        await client.push(directory / "weights", to="vision/digits", on_progress=change)
    assert store.seals == []

    # What was sent of it is given up, or going on from there would fail for ever.
    (directory / "weights/model.safetensors").write_bytes(BIG)
    await client.push(directory / "weights", to="vision/digits", draft=DRAFT)
    assert bytes(store.received["model.safetensors"]) == BIG
    assert len(store.seals) == 1


async def test_what_a_callback_raises_reaches_the_caller(
    connected: Any, store: Store, directory: Path
) -> None:
    def fail(progress: Progress) -> None:
        if progress.step is Step.SENDING:
            raise ZeroDivisionError

    client = await connected(store.handlers())

    with pytest.raises(ZeroDivisionError):
        await client.push(directory / "weights", to="vision/digits", on_progress=fail)


async def test_nothing_is_sent_when_one_file_cannot_be_pushed(
    connected: Any, store: Store, directory: Path
) -> None:
    (directory / "link").symlink_to(directory / "config.json")
    client = await connected(store.handlers())

    with pytest.raises(errors.UnsafeFile, match="link is a link"):
        await client.push(directory, to="vision/digits")

    assert store.calls == []


@settings(deadline=None, max_examples=50)
@given(
    payload=st.binary(max_size=300),
    offset=st.integers(0, 2**63 - 1),
    upload=st.text(max_size=40),
    epoch=st.integers(0, 2**63 - 1),
)
def test_messages_encoded_by_hand_are_those_of_the_generated_class(
    payload: bytes, offset: int, upload: str, epoch: int
) -> None:
    encoded = write_message(payload, offset=offset, upload=upload, epoch=epoch)

    message = WriteUploadRequest.FromString(encoded)
    assert (message.data, message.offset) == (payload, offset)
    assert (message.upload, message.epoch) == (upload, epoch)
    assert encoded.endswith(payload)


async def test_what_the_server_refuses_in_the_middle_is_told_whatever_grpc_makes_of_it(
    connected: Any, store: Store, directory: Path
) -> None:
    async def full(requests: Any, context: Any) -> Any:
        await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL", "full")

    client = await connected(store.handlers() | {"WriteUpload": full})

    for _ in range(30):  # one in ten was lost
        with pytest.raises(errors.StorageFull):
            await client.push(directory / "weights", to="vision/digits")

    assert store.calls.count("BeginUpload") == 30
