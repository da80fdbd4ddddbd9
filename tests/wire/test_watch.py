"""Watching: in order, all of it, resumable, and only what one may read."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc

from assay.v1 import access_service_pb2, event_pb2, role_binding_pb2
from assay.v1 import watch_service_pb2 as api
from assay_server.app.rooms import CLOCK
from assay_server.domain.access import Role
from assay_server.domain.audit import AuditFilter
from assay_server.domain.calls import Change, Happened, Page
from assay_server.domain.events import EventType
from tests.contract.store.registries import make_call, make_model
from tests.pki import Authority
from tests.wire.registry import Registry, Stubs, open_registry, principal, settings
from tests.wire.scripted import info_of, refusal
from tests.wire.transfers import Transfers
from tests.wire.watching import until, whole

DEPLOYER = role_binding_pb2.ROLE_DEPLOYER


async def next_events(call: Any) -> api.WatchResponse:
    """The next message that is not a bookmark."""
    async with asyncio.timeout(10):
        while True:
            response = await call.read()
            assert response is not grpc.aio.EOF
            if response.events:
                return response  # type: ignore[no-any-return]


async def watch(stubs: Stubs, prefix: str = "", start: int = 0) -> tuple[Any, api.WatchResponse]:
    """A watch, and its first message."""
    call = stubs.watch.Watch(api.WatchRequest(name_prefix=prefix, start_revision=start))
    return call, await call.read()


async def test_a_watch_says_at_once_where_it_stands_and_then_what_happens(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs:
        revision = await stubs.create_namespace("before")
        call, first = await watch(stubs)
        made = await stubs.create_namespace("vision")
        seen = await next_events(call)
        call.cancel()

    [event] = seen.events
    assert (first.revision, len(first.events)) == (revision, 0)
    assert seen.revision == made == revision + 1
    assert event.type == event_pb2.EVENT_TYPE_CREATED
    assert event.name == event.namespace.name == "namespaces/vision"
    assert event.actor == principal(Role.ADMIN)
    assert event.action == "CreateNamespace"


async def test_a_watch_resumes_where_it_ended_without_a_gap_or_a_repetition(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs:
        call, first = await watch(stubs)
        await stubs.create_namespace("a")
        last = (await next_events(call)).revision
        call.cancel()
        await stubs.create_namespace("b")
        await stubs.create_namespace("c")
        resumed = stubs.watch.resume(call)
        one = await resumed.read()
        two = await next_events(resumed)
        resumed.cancel()

    assert last == first.revision + 1
    assert [r.events[0].name for r in (one, two)] == ["namespaces/b", "namespaces/c"]
    assert [one.revision, two.revision] == [last + 1, last + 2]


async def test_a_watch_without_news_gets_bookmarks(tmp_path: Path, authority: Authority) -> None:
    config = settings(tmp_path, authority, watch_bookmark_s=0.2)
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        call, first = await watch(stubs)
        async with asyncio.timeout(5):
            second = await call.read()
            third = await call.read()
        call.cancel()

    assert [r.revision for r in (second, third)] == [first.revision] * 2
    assert not second.events


async def test_a_revision_of_the_future_is_refused_with_the_current_one(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs:
        revision = await stubs.create_namespace("vision")
        call = stubs.watch.Watch(api.WatchRequest(start_revision=revision + 2))
        error = await refusal(call.read())
        next_one, _ = await watch(stubs, start=revision)
        next_one.cancel()

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert info_of(error).reason == "REVISION_IN_FUTURE"
    assert info_of(error).metadata["current_revision"] == str(revision)


async def test_a_prefix_narrows_a_watch_to_a_name_and_what_lies_below(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs:
        await stubs.create_namespace("vision")
        call, _ = await watch(stubs, prefix="namespaces/vision")
        await stubs.create_namespace("vision-2")
        await stubs.bind(DEPLOYER, principal("x"), "namespaces/vision")
        seen = await next_events(call)
        call.cancel()

    assert seen.events[0].name.startswith("namespaces/vision/roleBindings/")


async def test_a_watch_shows_only_what_its_caller_may_read_now(registry: Registry) -> None:
    async with registry.stubs() as admin, registry.stubs("ops") as ops:
        await admin.create_namespace("vision")
        await admin.create_namespace("secret")
        binding = await admin.bind(DEPLOYER, principal("ops"), "namespaces/vision")
        call, _ = await watch(ops)
        scoped, _ = await watch(ops, prefix="namespaces/vision")
        await rename(admin, "secret")
        await rename(admin, "vision")
        seen = await next_events(call)
        await admin.access.DeleteRoleBinding(
            access_service_pb2.DeleteRoleBindingRequest(name=binding)
        )
        await rename(admin, "vision")
        assert (await next_events(scoped)).events[0].name == "namespaces/vision"
        ended = await refusal(next_events(scoped))
        call.cancel()

    assert [event.name for event in seen.events] == ["namespaces/vision"]
    assert ended.code() is grpc.StatusCode.NOT_FOUND


async def test_a_draft_is_told_to_its_author_and_to_nobody_beside(registry: Registry) -> None:
    scientist = role_binding_pb2.ROLE_DATA_SCIENTIST
    async with (
        registry.channel() as channel,
        registry.stubs() as admin,
        registry.channel(Role.DATA_SCIENTIST) as writing,
        registry.stubs(Role.DATA_SCIENTIST) as author,
        registry.stubs("other") as other,
    ):
        await Transfers(channel).found()
        await admin.bind(scientist, principal("other"), "namespaces/vision")
        own, _ = await watch(author)
        beside, _ = await watch(other, prefix="namespaces/vision")
        draft = await Transfers(writing).draft()
        await rename(admin, "vision")
        told = [(await next_events(call)).events[0].name for call in (own, beside)]
        own.cancel()
        beside.cancel()

    assert told == [draft, "namespaces/vision"]


async def test_nothing_is_delivered_after_a_grant_was_revoked(registry: Registry) -> None:
    """A long watch over two namespaces, one of which it loses; another one ends at once."""
    async with registry.stubs() as admin, registry.stubs("ops") as ops:
        await admin.create_namespace("vision")
        await admin.create_namespace("speech")
        lost = await admin.bind(DEPLOYER, principal("ops"), "namespaces/vision")
        await admin.bind(DEPLOYER, principal("ops"), "namespaces/speech")
        both, _ = await watch(ops)
        reading = asyncio.create_task(both_until_speech(both))
        for _ in range(20):
            await rename(admin, "vision")
        revoked = await admin.access.DeleteRoleBinding(
            access_service_pb2.DeleteRoleBindingRequest(name=lost)
        )
        for _ in range(20):
            await rename(admin, "vision")
        await rename(admin, "speech")
        received = await reading
        both.cancel()

    names = [event.name for message in received for event in message.events]
    assert names[-1] == "namespaces/speech"
    assert set(names[:-1]) <= {"namespaces/vision"}
    assert max((m.revision for m in received[:-1]), default=0) < revoked.revision


async def both_until_speech(call: Any) -> list[api.WatchResponse]:
    received = []
    while not received or received[-1].events[0].name != "namespaces/speech":
        received.append(await next_events(call))
    return received


async def rename(stubs: Stubs, namespace_id: str) -> None:
    request = access_service_pb2.UpdateNamespaceRequest()
    request.namespace.name = f"namespaces/{namespace_id}"
    request.namespace.description = "again"
    request.update_mask.paths.append("description")
    await stubs.access.UpdateNamespace(request)


async def test_too_many_watches_are_refused_with_a_hint(
    tmp_path: Path, authority: Authority
) -> None:
    config = settings(tmp_path, authority, watches_max=1)
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        call, _ = await watch(stubs)
        error = await refusal(stubs.watch.Watch(api.WatchRequest()).read())
        call.cancel()

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert info_of(error).reason == "TOO_MANY_UPLOADS"


async def test_history_that_is_gone_is_refused_with_the_oldest_revision(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs:
        for number in range(3):
            await stubs.create_namespace(f"n{number}")
        await registry.stores.keep(CLOCK.now() + timedelta(days=31))
        newest = await stubs.create_namespace("n3")
        gone = stubs.watch.Watch(api.WatchRequest(start_revision=newest - 1))
        error = await refusal(gone.read())
        kept, first = await watch(stubs, start=newest)
        kept.cancel()

    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert info_of(error).reason == "REVISION_COMPACTED"
    assert info_of(error).metadata["oldest_revision"] == str(newest)
    assert first.events[0].name == "namespaces/n3"


async def test_draining_ends_a_watch_where_it_can_be_resumed(
    tmp_path: Path, authority: Authority
) -> None:
    config = settings(tmp_path, authority)
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        call, _ = await watch(stubs)
        last = await stubs.create_namespace("vision")
        seen = await next_events(call)
        await registry.running.server.stop()
        error = await refusal(next_events(call))

    assert seen.revision == last
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert info_of(error).reason == "SERVER_DRAINING"
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        resumed = stubs.watch.Watch(api.WatchRequest(start_revision=last + 1))
        await stubs.create_namespace("after")
        again = await next_events(resumed)
        resumed.cancel()
    assert again.events[0].name == "namespaces/after"
    assert again.revision == last + 1


async def test_a_watch_that_is_not_read_is_cut_off_where_it_can_be_resumed(
    tmp_path: Path, authority: Authority
) -> None:
    config = settings(tmp_path, authority, upload_idle_s=0.5, stream_window_bytes=64 * 1024)
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        first = 1 + await stubs.create_namespace("vision")
        for number in range(60):
            last = await happen(registry, f"m{number}", size_bytes=256 * 1024)
        slow, _ = await watch(stubs, start=first)
        await registry_closed_a_stream(registry)
        error = await refusal(everything(slow))
        resumed = stubs.watch.resume(slow)
        await until(resumed, last)

    info = info_of(error)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert info.reason == "WATCH_TOO_SLOW"
    assert first < int(info.metadata["resume_revision"]) <= slow.recording.last + 1 < last
    received = dict.fromkeys(fact[0] for fact in whole(resumed.recording))
    assert list(received) == [*range(first, last + 1)]


async def everything(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def registry_closed_a_stream(registry: Registry) -> None:
    """Wait until the trail has the end of a stream: the client does not look meanwhile."""
    wanted = AuditFilter(method="assay.v1.WatchService/Watch")
    async with asyncio.timeout(60):
        while True:
            entries = (await registry.stores.trail.list(wanted, Page(100))).items
            if any(entry.reason == "WATCH_TOO_SLOW" for entry in entries):
                return
            await asyncio.sleep(0.05)


async def happen(registry: Registry, model_id: str, *, size_bytes: int) -> int:
    """A change whose event is large, and its revision."""
    model = make_model(model_id, description="x" * size_bytes)
    event = Happened(EventType.CREATED, model.name, "vision", model)

    async def body(tx: Any) -> Change[str]:
        await tx.models.add(model)
        return Change("", (event,))

    return (await registry.stores.facts.change(make_call(), str, body)).revision
