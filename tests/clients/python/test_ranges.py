"""Part of a file in memory: it goes on after breaks, and is never more or less than was asked."""

import asyncio
from typing import Any

import google_crc32c
import grpc
import pytest

from assay import errors, retries
from assay.v1.artifact_service_pb2 import ReadArtifactResponse
from tests.clients.python.serving import refuse
from tests.clients.python.storing import Store

CONTENT = bytes(range(256)) * 40
REFERENCE = "vision/digits/1"


@pytest.fixture
def store() -> Store:
    made = Store()
    made.hold({"a.bin": CONTENT})
    return made


@pytest.mark.parametrize("length", [0, 9_000], ids=["to the end", "a part"])
async def test_a_broken_read_goes_on_from_what_has_arrived(
    connected: Any, store: Store, length: int
) -> None:
    store.sends_at_most = [2_000, 0, 3_000]
    client = await connected(store.handlers())

    part = await client.read_range(REFERENCE, "a.bin", offset=100, length=length)

    assert part == CONTENT[100 : 100 + length if length else None]
    assert [offset for _, _, offset in store.reads] == [100, 2_100, 2_100, 5_100]


async def test_a_damaged_message_is_asked_for_again(connected: Any, store: Store) -> None:
    asked = []

    async def damaged_once(request: Any, context: Any) -> Any:
        asked.append(request.offset)
        async for message in store.read_artifact(request, context):
            if len(asked) == 1 and message.offset == 4_096:
                message.crc32c += 1
            yield message

    client = await connected(store.handlers() | {"ReadArtifact": damaged_once})

    assert await client.read_range(REFERENCE, "a.bin") == CONTENT
    assert asked == [0, 4_096]


async def test_a_break_behind_the_last_byte_is_the_end(connected: Any, store: Store) -> None:
    async def breaks_at_the_end(request: Any, context: Any) -> Any:
        if request.offset == len(CONTENT):
            await refuse(context, grpc.StatusCode.OUT_OF_RANGE, "RANGE_PAST_END")
        async for message in store.read_artifact(request, context):
            yield message
        await refuse(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")

    client = await connected(store.handlers() | {"ReadArtifact": breaks_at_the_end})

    assert await client.read_range(REFERENCE, "a.bin") == CONTENT
    assert await client.read_range(REFERENCE, "a.bin", length=1_000) == CONTENT[:1_000]


async def test_a_read_that_falls_silent_is_given_up_when_patience_ends(
    connected: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "SILENCE_S", 0.2)

    async def silent(request: Any, context: Any) -> Any:
        yield ReadArtifactResponse()
        await asyncio.Event().wait()

    client = await connected(store.handlers() | {"ReadArtifact": silent}, patience_s=0.3)

    with pytest.raises(errors.DownloadInterrupted, match="stopped after 0 bytes"):
        await client.read_range(REFERENCE, "a.bin")


@pytest.mark.parametrize("sent_bytes", [9, 11])
async def test_more_or_less_than_was_asked_is_no_answer(
    connected: Any, store: Store, sent_bytes: int
) -> None:
    async def other(request: Any, context: Any) -> Any:
        data = CONTENT[:sent_bytes]
        yield ReadArtifactResponse(data=data, crc32c=google_crc32c.value(data))

    client = await connected(store.handlers() | {"ReadArtifact": other})

    with pytest.raises(errors.ContentMismatch):
        await client.read_range(REFERENCE, "a.bin", length=10)


async def test_a_range_behind_the_end_is_refused(connected: Any, store: Store) -> None:
    client = await connected(store.handlers())

    with pytest.raises(errors.RangePastEnd):
        await client.read_range(REFERENCE, "a.bin", offset=len(CONTENT), length=1)
