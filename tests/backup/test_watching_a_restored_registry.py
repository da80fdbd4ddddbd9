"""A registry that went back says so to those who saw more of it."""

import asyncio
from pathlib import Path

import grpc

from assay.v1 import watch_service_pb2 as api
from assay_server.app.backups import back_up, restore
from tests.backup.busy import quiet
from tests.pki import Authority
from tests.wire.registry import open_registry, settings
from tests.wire.scripted import info_of, refusal


async def test_a_watch_past_the_restored_revision_is_told_and_one_from_before_goes_on(
    tmp_path: Path, authority: Authority
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    config = settings(first, authority)
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        kept = await stubs.create_namespace("kept")
        backup = await asyncio.to_thread(
            asyncio.run, back_up(config, tmp_path / "backup", quiet, may_link=True)
        )
        await stubs.create_namespace("lost-1")
        seen = await stubs.create_namespace("lost-2")

    elsewhere = settings(second, authority)
    for file in second.glob("*.db*"):
        file.unlink()
    await restore(elsewhere, tmp_path / "backup", quiet, may_link=True)
    async with open_registry(elsewhere, authority) as registry, registry.stubs() as stubs:
        ahead = await refusal(stubs.watch.Watch(api.WatchRequest(start_revision=seen + 1)).read())
        call = stubs.watch.Watch(api.WatchRequest(start_revision=kept))
        again = await call.read()
        following = await stubs.create_namespace("following")
        news = await call.read()
        call.cancel()

    assert backup.facts.revision == kept
    assert ahead.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert info_of(ahead).reason == "REVISION_IN_FUTURE"
    assert info_of(ahead).metadata["current_revision"] == str(kept)
    assert str(seen + 1) in ahead.details()
    assert [event.name for event in again.events] == ["namespaces/kept"]
    assert (news.revision, following) == (kept + 1, kept + 1)
    assert [event.name for event in news.events] == ["namespaces/following"]
