"""A change with a request id happens once, whatever is lost and however often it is asked for.

Every RPC that the contract lets change something has its case: a new one without is red.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from assay_server.app import housekeeping
from assay_server.config import Config
from assay_server.config.settings import StoreSection
from assay_server.domain.audit import AuditFilter
from assay_server.domain.calls import Page
from assay_server.transport.api import METHODS, is_read
from tests.lossy import COMMIT, LossyProxy, address_in, through
from tests.pki import Authority
from tests.wire.calling import CALL_S, Heard, hear
from tests.wire.mutations import MUTATIONS, Workshop
from tests.wire.publication import Team
from tests.wire.registry import Registry, Stubs, open_registry, settings
from tests.wire.scripted import ADMIN, secure_channel
from tests.wire.transfers import Transfers

BY_NAME = {"BeginUpload", "WriteUpload", "AbortUpload"}
"""Harmless to repeat by what they name, not by a request id; ``test_artifacts.py`` repeats them."""

OK, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE


@pytest.fixture(autouse=True)
def only_calls_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Housekeeping, which commits when a server starts, would be what the proxies wait for."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(housekeeping, "_tidy", never)


def test_every_rpc_that_changes_something_has_its_case() -> None:
    changing = {method.name for method in METHODS.values() if not is_read(method)}
    asked = {
        method.name
        for method in METHODS.values()
        if "request_id" in method.input_type.fields_by_name
    }

    assert set(MUTATIONS) == asked == changing - BY_NAME


@dataclass
class Bench:
    """A registry whose admin works on a model, and what is known of its history."""

    registry: Registry
    channel: grpc.aio.Channel
    shop: Workshop

    async def newest(self) -> int:
        return await self.registry.stores.facts.wait_past(-1, 0)

    async def revisions_since(self, revision: int) -> list[int]:
        """The revision of each event past ``revision``."""
        async with self.registry.stores.facts.read() as reader:
            events, _ = await reader.events.since(
                revision + 1, name_prefix="", among=None, limit=100
            )
        return [event.revision for event in events]

    async def entries_of(self, request_id: str) -> list[tuple[str, int]]:
        """Status and revision of each call with this request id, in their order."""
        found = await self.registry.stores.trail.list(AuditFilter(), Page(20))
        return [
            (entry.status, entry.revision)
            for entry in reversed(found.items)
            if entry.request_id == request_id
        ]


@asynccontextmanager
async def opened(config: Config, authority: Authority) -> AsyncIterator[Bench]:
    async with open_registry(config, authority) as registry, registry.channel() as channel:
        files, stubs = Transfers(channel), Stubs(channel)
        await files.found()
        team = Team(stubs, stubs, stubs, files)
        yield Bench(registry, channel, Workshop(stubs, team))


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority) -> Config:
    """A registry on each database in turn."""
    made = settings(tmp_path, authority)
    if request.param == "sqlite":
        return made
    url = request.getfixturevalue("registry_url")
    return replace(made, store=StoreSection(url=url))


async def test_the_same_request_twice_is_one_change_with_one_answer(
    config: Config, authority: Authority
) -> None:
    async with opened(config, authority) as bench:
        for method, case in MUTATIONS.items():
            request = await case(bench.shop)
            request.request_id = str(uuid.uuid4())
            before = await bench.newest()

            first = await hear(bench.channel, method, request)
            again = await hear(bench.channel, method, request)
            other = await hear(bench.channel, method, _another(request))

            assert first.code is OK, (method, first)
            assert again.answer == first.answer, method
            assert other.code is not OK, method
            assert other.reason == REFUSED_AS.get(method, "REQUEST_ID_REUSED"), (method, other)
            assert first.answer.revision == await bench.newest() == before + 1, method
            assert set(await bench.revisions_since(before)) == {before + 1}, method
            told = await bench.entries_of(request.request_id)
            assert told[:2] == [("OK", before + 1), ("OK", 0)], method


async def test_a_change_whose_answer_the_client_lost_is_not_made_again(
    config: Config, authority: Authority
) -> None:
    async with (
        opened(config, authority) as bench,
        LossyProxy(bench.registry.running.target) as wire,
    ):
        for method, case in MUTATIONS.items():
            request = await case(bench.shop)
            request.request_id = str(uuid.uuid4())
            before = await bench.newest()

            lost = await _answer_lost(bench, wire, method, request)
            again = await hear(bench.channel, method, request)

            assert lost.code is UNAVAILABLE, (method, lost)
            assert again.code is OK, (method, again)
            assert again.answer.revision == await bench.newest() == before + 1, method


async def test_a_commit_whose_answer_the_server_lost_is_told_truly(
    registry_url: str, tmp_path: Path, authority: Authority
) -> None:
    async with LossyProxy(address_in(registry_url)) as wire:
        store = StoreSection(url=through(registry_url, wire))
        lossy = replace(settings(tmp_path, authority), store=store)
        async with opened(lossy, authority) as bench:
            for method, case in MUTATIONS.items():
                request = await case(bench.shop)
                request.request_id = str(uuid.uuid4())
                before = await bench.newest()

                wire.drops = COMMIT
                undone = await hear(bench.channel, method, request)
                between = await bench.newest()
                wire.loses_commit = True
                done = await hear(bench.channel, method, request)
                again = await hear(bench.channel, method, request)

                assert (wire.drops, wire.loses_commit) == (b"", False), method
                assert (undone.code, between) == (UNAVAILABLE, before), (method, undone)
                assert undone.reason == "STORE_UNAVAILABLE", method
                assert done.code is OK, (method, done)
                assert again.answer == done.answer, method
                assert done.answer.revision == await bench.newest() == before + 1, method


async def test_without_a_request_id_a_lost_commit_is_never_called_a_success(
    registry_url: str, tmp_path: Path, authority: Authority
) -> None:
    async with LossyProxy(address_in(registry_url)) as wire:
        store = StoreSection(url=through(registry_url, wire))
        lossy = replace(settings(tmp_path, authority), store=store)
        async with opened(lossy, authority) as bench:
            for method in ("CreateDraft", "SetAlias"):
                request = await MUTATIONS[method](bench.shop)
                wire.loses_commit = True

                heard = await hear(bench.channel, method, request)

                assert (heard.code, heard.reason) == (UNAVAILABLE, "STORE_UNAVAILABLE"), method


REFUSED_AS = {"CommitUpload": "UPLOAD_NOT_OPEN"}
"""What the bytes themselves contradict is said before the request id is looked up."""


def _another(request: Any) -> Any:
    """A request of the same kind and id that says something else."""
    if hasattr(request, "digest"):
        other = type(request)()
        other.CopyFrom(request)
        other.digest = "sha256:" + "0" * 64
        return other
    said: bytes = request.SerializeToString()
    assert b"digits" in said, request
    return type(request).FromString(said.replace(b"digits", b"letter"))


async def _answer_lost(bench: Bench, wire: LossyProxy, method: str, request: Any) -> Heard:
    """What a client hears whose request is done when its connection breaks."""
    authority, before = bench.registry.authority, await bench.newest()
    credentials = authority.issue_client(ADMIN)
    async with secure_channel(f"localhost:{wire.port}", authority, credentials) as channel:
        await channel.channel_ready()
        wire.loses_answers = True
        call = asyncio.create_task(hear(channel, method, request))
        try:
            assert await bench.registry.stores.facts.wait_past(before, CALL_S) > before
        finally:
            wire.cut()
            wire.loses_answers = False
        return await call
