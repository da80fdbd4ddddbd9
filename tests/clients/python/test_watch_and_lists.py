"""Iterators: pages are hidden, streams end with their loop, and a watch survives breaks."""

import asyncio
from contextlib import aclosing
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2 as rpc

from assay import errors
from assay.v1.access_service_pb2 import ListNamespacesResponse
from assay.v1.event_pb2 import Event
from assay.v1.model_pb2 import Model
from assay.v1.registry_service_pb2 import ListModelsResponse
from assay.v1.watch_service_pb2 import WatchRequest, WatchResponse
from tests.clients.python.serving import refuse


def change(revision: int) -> WatchResponse:
    return WatchResponse(revision=revision, events=[Event(name=f"r{revision}")])


async def test_a_list_hides_its_pages(connected: Any) -> None:
    asked = []

    async def list_models(request: Any, context: Any) -> Any:
        asked.append((request.parent, request.page_token, request.show_deleted))
        page = int(request.page_token or 0)
        return ListModelsResponse(
            models=[Model(name=f"m{page}a"), Model(name=f"m{page}b")],
            next_page_token=str(page + 1) if page < 2 else "",
        )

    client = await connected({"ListModels": list_models})

    names = [model.name async for model in client.list_models("vision", show_deleted=True)]

    assert names == ["m0a", "m0b", "m1a", "m1b", "m2a", "m2b"]
    assert asked == [("namespaces/vision", str(page or ""), True) for page in range(3)]


async def test_an_empty_page_in_the_middle_does_not_end_a_list(connected: Any) -> None:
    async def list_models(request: Any, context: Any) -> Any:
        if request.page_token:
            return ListModelsResponse(models=[Model(name="last")])
        return ListModelsResponse(next_page_token="more")

    client = await connected({"ListModels": list_models})

    assert [model.name async for model in client.list_models()] == ["last"]


async def test_pages_that_are_not_wanted_are_not_fetched(connected: Any) -> None:
    asked = []

    async def list_models(request: Any, context: Any) -> Any:
        asked.append(request.page_token)
        return ListModelsResponse(models=[Model(name="m")], next_page_token="more")

    client = await connected({"ListModels": list_models})

    async for _ in client.list_models():
        break

    assert asked == [""]


async def test_a_watch_that_is_left_ends_its_call(connected: Any) -> None:
    cancelled = asyncio.Event()

    async def watch(request: Any, context: Any) -> Any:
        try:
            yield change(1)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    client = await connected({"Watch": watch})

    async for _ in client.watch("vision", start_revision=1):
        break

    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_watch_closed_by_hand_ends_its_call_at_once(connected: Any) -> None:
    cancelled = asyncio.Event()

    async def watch(request: Any, context: Any) -> Any:
        try:
            yield change(1)
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    client = await connected({"Watch": watch})

    async with aclosing(client.watch(start_revision=1)) as changes:
        assert (await anext(changes)).revision == 1

    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_watch_survives_a_restart_and_goes_on_from_the_next_revision(
    connected: Any,
) -> None:
    requests: list[WatchRequest] = []

    async def watch(request: Any, context: Any) -> Any:
        requests.append(request)
        for revision in range(request.start_revision, request.start_revision + 2):
            yield change(revision)
        await refuse(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")

    client = await connected({"Watch": watch})

    revisions = []
    async with aclosing(client.watch("vision/digits", start_revision=5)) as changes:
        async for seen in changes:
            revisions.append(seen.revision)
            if len(revisions) == 5:
                break

    assert revisions == [5, 6, 7, 8, 9]
    assert [request.start_revision for request in requests] == [5, 7, 9]
    assert requests[0].name_prefix == "namespaces/vision/models/digits"


async def test_a_watch_from_now_on_whose_first_answer_is_lost_misses_nothing(
    connected: Any,
) -> None:
    """What happens between the two tries was after "now"."""
    requests: list[WatchRequest] = []
    newest = 7

    async def list_namespaces(request: Any, context: Any) -> Any:
        return ListNamespacesResponse(revision=newest)

    async def watch(request: Any, context: Any) -> Any:
        nonlocal newest
        requests.append(request)
        if len(requests) == 1:
            newest = 9
            await refuse(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        yield change(request.start_revision)

    client = await connected({"Watch": watch, "ListNamespaces": list_namespaces})

    async with aclosing(client.watch("vision")) as changes:
        assert (await anext(changes)).revision == 8
    assert [request.start_revision for request in requests] == [8, 8]


async def test_a_watch_whose_share_was_used_up_comes_back_when_it_was_told(connected: Any) -> None:
    calls = []
    later = rpc.RetryInfo()
    later.retry_delay.FromMilliseconds(400)
    reasons = ["TOO_MANY_CALLS", "TOO_MANY_UPLOADS"]

    async def watch(request: Any, context: Any) -> Any:
        calls.append(asyncio.get_running_loop().time())
        if len(calls) <= len(reasons):
            reason = reasons[len(calls) - 1]
            full = grpc.StatusCode.RESOURCE_EXHAUSTED
            await refuse(context, full, reason, details=(later,))
        yield change(7)

    client = await connected({"Watch": watch})

    async for seen in client.watch(start_revision=7):
        assert seen.revision == 7
        break

    assert len(calls) == 3
    assert calls[-1] - calls[0] >= 0.8


async def test_bookmarks_move_the_place_to_resume_but_are_not_shown(connected: Any) -> None:
    starts = []

    async def watch(request: Any, context: Any) -> Any:
        starts.append(request.start_revision)
        if len(starts) == 1:
            yield WatchResponse(revision=40)
            await refuse(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        yield change(50)

    client = await connected({"Watch": watch})

    async for seen in client.watch(start_revision=1):
        assert seen.revision == 50
        break

    assert starts == [1, 41]


async def test_an_initial_state_that_breaks_goes_on_behind_its_last_part(connected: Any) -> None:
    requests: list[WatchRequest] = []

    def part(number: int) -> WatchResponse:
        return WatchResponse(events=[Event(name=f"s{number}")], initial_state_token=f"t{number}")

    async def watch(request: Any, context: Any) -> Any:
        requests.append(request)
        if not request.send_initial_state:
            yield change(8)
            await asyncio.Event().wait()
        if request.initial_state_token:
            yield part(2)
            yield WatchResponse(revision=7, initial_state_complete=True)
        else:
            yield part(1)
        await refuse(context, grpc.StatusCode.UNAVAILABLE, "WATCH_TOO_SLOW")

    client = await connected({"Watch": watch})

    seen = []
    async with aclosing(client.watch("vision", initial_state=True)) as changes:
        async for one in changes:
            seen.append((one.revision, [event.name for event in one.events]))
            if one.revision == 8:
                break

    assert seen == [(0, ["s1"]), (0, ["s2"]), (7, []), (8, ["r8"])]
    assert [
        (one.send_initial_state, one.initial_state_token, one.start_revision) for one in requests
    ] == [(True, "", 0), (True, "t1", 0), (False, "", 8)]


async def test_history_that_is_gone_is_not_retried(connected: Any) -> None:
    starts = []

    async def watch(request: Any, context: Any) -> Any:
        starts.append(request.start_revision)
        await refuse(
            context, grpc.StatusCode.OUT_OF_RANGE, "REVISION_COMPACTED", oldest_revision="9"
        )
        yield change(1)

    client = await connected({"Watch": watch})

    with pytest.raises(errors.RevisionCompacted) as caught:
        await anext(client.watch(start_revision=3))

    assert caught.value.oldest_revision == 9
    assert starts == [3]


async def test_a_watch_that_never_connects_gives_up(connected: Any) -> None:
    async def watch(request: Any, context: Any) -> Any:
        await refuse(context, grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        yield change(1)

    client = await connected({"Watch": watch}, patience_s=0.2)

    with pytest.raises(errors.Unavailable):
        await anext(client.watch(start_revision=1))


async def test_a_stream_that_falls_silent_is_taken_for_dead(connected: Any) -> None:
    async def watch(request: Any, context: Any) -> Any:
        yield change(1)
        await asyncio.Event().wait()

    client = await connected({"Watch": watch})
    call = client.stubs.watch.Watch(WatchRequest())

    messages = client._calls.messages(call, silence_s=0.2)
    assert (await anext(messages)).revision == 1

    with pytest.raises(errors.ConnectionFailed, match=r"sent nothing for 0\.2 s"):
        await anext(messages)


async def test_cancelling_who_listens_is_not_taken_for_silence(connected: Any) -> None:
    async def watch(request: Any, context: Any) -> Any:
        yield change(1)
        await asyncio.Event().wait()

    client = await connected({"Watch": watch})
    heard = asyncio.Event()

    async def listen() -> None:
        async for _ in client.watch(start_revision=1):
            heard.set()

    task = asyncio.create_task(listen())
    await heard.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
