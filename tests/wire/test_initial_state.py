"""A watch that begins with what is current: one revision, no gap, nothing twice."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from assay.v1 import access_service_pb2 as access
from assay.v1 import event_pb2
from assay.v1 import registry_service_pb2 as registry_api
from assay.v1 import watch_service_pb2 as api
from assay_server.app.rooms import CLOCK
from assay_server.domain.access import Role
from assay_server.services import initial_state
from assay_server.transport import initial_state as packing
from tests.pki import Authority
from tests.wire.publication import accurate, team_on
from tests.wire.registry import Registry, Stubs, open_registry, principal, settings
from tests.wire.scripted import info_of, refusal
from tests.wire.test_watch import DEPLOYER, everything, happen, next_events, rename
from tests.wire.test_watch import registry_closed_a_stream as closed_a_stream
from tests.wire.watching import RecordedCall, state_of

VISION = "namespaces/vision"
BINDINGS = "roleBindings/"


def begin(stubs: Stubs, prefix: str = "", **asked: Any) -> RecordedCall:
    request = api.WatchRequest(name_prefix=prefix, send_initial_state=True, **asked)
    call: RecordedCall = stubs.watch.Watch(request)
    return call


async def complete(call: RecordedCall) -> list[str]:
    """Read the whole initial state; gives the names that came, here and in what it resumes."""
    async with asyncio.timeout(60):
        while call.recording.complete_at is None:
            assert await call.read() is not grpc.aio.EOF
    return [name for name, *_ in state_of(call.recording)]


async def test_the_state_comes_first_then_its_revision_then_what_happens(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs:
        await stubs.create_namespace("vision")
        newest = await stubs.create_namespace("audio")
        call = begin(stubs)
        part, end = await call.read(), await call.read()
        made = await stubs.create_namespace("speech")
        after = await next_events(call)
        call.cancel()

    spaces = [event for event in part.events if event.HasField("namespace")]
    assert part.revision == 0
    assert part.initial_state_token
    assert {event.type for event in part.events} == {event_pb2.EVENT_TYPE_INITIAL}
    assert [event.namespace.name for event in spaces] == ["namespaces/audio", VISION]
    assert len([e for e in part.events if e.HasField("role_binding")]) == len(Role)
    assert spaces[1].action == "CreateNamespace"
    assert (end.revision, end.initial_state_complete, len(end.events)) == (newest, True, 0)
    assert (after.revision, after.events[0].name) == (made, "namespaces/speech")
    assert not after.initial_state_complete


async def test_every_kind_is_told_and_what_is_over_is_not(registry: Registry) -> None:
    async with team_on(registry) as team, registry.stubs() as admin:
        name = await team.ready("one")
        await team.evaluate(name, 0.9)
        await team.set_gate("publish", accurate())
        await team.point("champion", 1)
        open_draft = await team.draft("two")
        gone = (await team.seal(await team.draft("three"))).version.name
        await admin.registry.DeleteVersion(registry_api.DeleteVersionRequest(name=gone))
        call = begin(admin, VISION)
        names = await complete(call)
        call.cancel()

    model = "namespaces/vision/models/digits"
    kinds = [event.WhichOneof("subject") for m in call.recording.messages for event in m.events]
    assert sorted({*kinds} - {"role_binding"}) == [
        "alias", "draft", "evaluation", "gate", "model", "namespace", "version",
    ]  # fmt: skip
    assert {VISION, model, name, f"{model}/aliases/champion", open_draft} <= {*names}
    assert gone not in names
    assert [n for n in names if "/drafts/" in n] == [open_draft]


async def test_only_what_the_caller_may_read_now_is_told(registry: Registry) -> None:
    async with registry.stubs() as admin, registry.stubs("ops") as ops:
        for namespace_id in ("vision", "vision-2", "secret"):
            await admin.create_namespace(namespace_id)
        await admin.bind(DEPLOYER, principal("ops"), "namespaces/vision")
        await admin.bind(DEPLOYER, principal("ops"), "namespaces/vision-2")
        mine, hidden = begin(ops), begin(ops, "namespaces/secret")
        below = begin(ops, VISION)
        names, some = await complete(mine), await complete(below)
        error = await refusal(hidden.read())
        mine.cancel()
        below.cancel()

    assert names == [VISION, "namespaces/vision-2"]
    assert some == [VISION]
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_a_state_that_was_cut_off_goes_on_whatever_happened_meanwhile(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "EVENTS_MAX", 2)
    monkeypatch.setattr(initial_state, "BATCH_NAMES", 3)
    config = settings(tmp_path, authority)
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        for number in range(5):
            begun = await stubs.create_namespace(f"n{number}")
        first = begin(
            stubs,
        )
        await first.read()
        first.cancel()
        await rename(stubs, "n4")
        await stubs.create_namespace("n5")
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        registry.recordings.append(first.recording)
        resumed = stubs.watch.resume(first)
        names = await complete(resumed)
        after = [await next_events(resumed), await next_events(resumed)]
        resumed.cancel()

    assert len(first.recording.state) == 2
    assert [n for n in names if n[:3] == "nam"] == [f"namespaces/n{n}" for n in range(5)]
    assert resumed.recording.complete_at == begun
    assert [m.events[0].name for m in after] == ["namespaces/n4", "namespaces/n5"]


async def test_a_token_continues_only_its_own_request_and_nothing_else_goes_with_it(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs, registry.stubs(Role.AUDITOR) as other:
        await stubs.create_namespace("vision")
        call = begin(stubs)
        token = (await call.read()).initial_state_token
        call.cancel()
        refused = [
            begin(stubs, VISION, initial_state_token=token),
            begin(other, initial_state_token=token),
            begin(stubs, initial_state_token=token[:-2]),
            begin(stubs, start_revision=1),
            stubs.watch.Watch(api.WatchRequest(initial_state_token=token)),
        ]
        errors = [await refusal(one.read()) for one in refused]

    assert {error.code() for error in errors} == {grpc.StatusCode.INVALID_ARGUMENT}
    assert [info_of(error).reason for error in errors] == [
        *["PAGE_TOKEN_INVALID"] * 3, *["FIELD_INVALID"] * 2,
    ]  # fmt: skip


async def test_who_fell_out_of_history_has_everything_by_the_state_alone(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs:
        for number in range(3):
            first = await stubs.create_namespace(f"n{number}")
        binding = await stubs.bind(DEPLOYER, principal("ops"), "namespaces/n0")
        await stubs.access.DeleteRoleBinding(access.DeleteRoleBindingRequest(name=binding))
        await registry.stores.keep(CLOCK.now() + timedelta(days=31))
        newest = await stubs.create_namespace("n3")
        error = await refusal(stubs.watch.Watch(api.WatchRequest(start_revision=first)).read())
        call = begin(stubs)
        names = await complete(call)
        call.cancel()

    assert info_of(error).reason == "REVISION_COMPACTED"
    assert "send_initial_state" in error.details()
    assert [name for name in names if not name.startswith(BINDINGS)] == [
        f"namespaces/n{number}" for number in range(4)
    ]
    assert call.recording.complete_at == newest


async def test_a_state_whose_revision_was_forgotten_meanwhile_is_refused(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs:
        await stubs.create_namespace("n0")
        call = begin(stubs)
        token = (await call.read()).initial_state_token
        call.cancel()
        for number in range(1, 3):
            await stubs.create_namespace(f"n{number}")
        await registry.stores.keep(CLOCK.now() + timedelta(days=31))
        error = await refusal(begin(stubs, initial_state_token=token).read())

    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert info_of(error).reason == "REVISION_COMPACTED"


async def test_a_state_that_is_not_read_is_cut_off_where_it_can_be_gone_on_with(
    tmp_path: Path, authority: Authority
) -> None:
    config = settings(tmp_path, authority, upload_idle_s=0.5, stream_window_bytes=64 * 1024)
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        await stubs.create_namespace("vision")
        for number in range(40):
            await happen(registry, f"m{number:02}", size_bytes=256 * 1024)
        slow = begin(stubs, VISION)
        await slow.read()
        await closed_a_stream(registry)
        error = await refusal(everything(slow))
        resumed = stubs.watch.resume(slow)
        names = await complete(resumed)
        resumed.cancel()

    assert info_of(error).reason == "WATCH_TOO_SLOW"
    assert "resume_revision" not in info_of(error).metadata
    assert len(slow.recording.state) < 41
    assert names == [VISION, *(f"{VISION}/models/m{number:02}" for number in range(40))]
