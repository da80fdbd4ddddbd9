"""Random histories: what a watch began with and what came then are what lists say at the end."""

import os
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from assay.v1 import access_service_pb2 as access
from assay.v1 import draft_pb2, event_pb2, model_pb2, version_pb2
from assay.v1 import evaluation_service_pb2 as evaluation
from assay.v1 import registry_service_pb2 as registry_api
from assay_server.config.settings import Config, StoreSection
from assay_server.domain.errors import RegistryError
from assay_server.domain.models import ModelChange
from assay_server.domain.names import AliasName, GateName, ModelName, VersionName
from assay_server.services import initial_state
from assay_server.transport import initial_state as packing
from tests.pki import Authority
from tests.services.registry import ANN, EVE, MAX, again
from tests.services.registry import Registry as Services
from tests.wire.registry import Stubs, open_registry, principal, settings
from tests.wire.test_initial_state import VISION, begin
from tests.wire.test_watch import DEPLOYER
from tests.wire.watching import RecordedCall, until

SEED = int(os.environ.get("ASSAY_SEED", "0")) or time.time_ns() % 1_000_000
ACTS = int(os.environ.get("ASSAY_ACTS", "60"))


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority) -> Config:
    """A registry on each database in turn."""
    made = settings(tmp_path, authority, watch_bookmark_s=0.2)
    if request.param == "sqlite":
        return made
    return replace(made, store=StoreSection(url=request.getfixturevalue("registry_url")))


async def test_state_and_events_together_are_what_lists_say_at_the_end(
    config: Config, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random histories; watches that begin anywhere in them, and break and go on."""
    monkeypatch.setattr(initial_state, "BATCH_NAMES", 5)
    monkeypatch.setattr(packing, "EVENTS_MAX", 3)
    chance, folds = random.Random(SEED), list[dict[str, event_pb2.Event]]()
    async with open_registry(config, authority) as registry, registry.stubs() as stubs:
        for namespace_id in ("vision", "vision-2"):
            await stubs.create_namespace(namespace_id)
        acts = Acts(Services(registry.stores.facts), stubs, chance)
        calls = []
        for number in range(ACTS):
            await acts.one()
            if number % (ACTS // 6) == 0:
                calls.append(begin(stubs, chance.choice(["", "", VISION])))
            if number % 7 == 0:
                place = chance.randrange(len(calls))
                calls[place] = await broken_and_resumed(stubs, calls[place])
        await acts.of_each_kind()
        newest = await stubs.create_namespace("the-end")
        for call in calls:
            await until(call, newest)
            folds.append(folded(call))
            call.cancel()
        listed = await everything_listed(stubs)

    for call, fold in zip(calls, folds, strict=True):
        prefix = call.recording.request.name_prefix
        expected = {
            name: told for name, told in listed.items() if not prefix or name.startswith(VISION)
        }
        if prefix:
            expected = {n: told for n, told in expected.items() if f"{n}/".startswith(f"{VISION}/")}
        assert {n: essence(event) for n, event in fold.items()} == expected, f"seed {SEED}"
    assert {"aliases", "drafts", "evaluations", "gates"} <= {n.split("/")[-2] for n in listed}


async def broken_and_resumed(stubs: Stubs, call: RecordedCall) -> RecordedCall:
    await call.read()
    call.cancel()
    resumed: RecordedCall = stubs.watch.resume(call)
    return resumed


class Acts:
    """Changes of every kind, some of which are refused."""

    def __init__(self, services: Services, stubs: Stubs, chance: random.Random) -> None:
        self._services = services
        self._stubs = stubs
        self._chance = chance
        self._count = 0
        self._acts: list[Callable[[], Awaitable[object]]] = [
            self._model, self._model, self._hide, self._restore, self._draft, self._draft,
            self._seal, self._seal, self._seal, self._evaluate, self._point, self._point,
            self._unpoint, self._delete, self._gate, self._ungate, self._bind,
        ]  # fmt: skip

    async def one(self) -> None:
        with suppress(RegistryError, grpc.aio.AioRpcError):
            if self._count == 0:
                await self._services.models.create(again(MAX), DIGITS, ModelChange())
            self._count += 1
            await self._chance.choice(self._acts)()

    async def of_each_kind(self) -> None:
        """What every history ends with."""
        name = await self._services.ready("the last")
        await self._services.evaluate(name, 0.9, by=EVE)
        await self._point_to("up", name.number)
        await self._services.set_gate("alias-x")
        await self._services.draft("never sealed")

    def _name(self) -> ModelName:
        return ModelName("vision", self._chance.choice(["digits", "a", "b"]))

    def _version(self) -> VersionName:
        return VersionName(*DIGITS, self._chance.randint(1, 3))

    async def _model(self) -> None:
        await self._services.models.create(again(MAX), self._name(), ModelChange())

    async def _hide(self) -> None:
        name = ModelName("vision", self._chance.choice("ab"))
        await self._services.models.delete(again(MAX), name, etag="")

    async def _restore(self) -> None:
        name = ModelName("vision", self._chance.choice("ab"))
        await self._services.models.undelete(again(MAX), name)

    async def _draft(self) -> None:
        draft = await self._services.draft(f"{self._count}")
        if self._chance.random() < 0.5:
            await self._services.drafts.abandon(again(ANN), draft)

    async def _seal(self) -> None:
        await self._services.ready(f"{self._count}")

    async def _evaluate(self) -> None:
        await self._services.evaluate(self._version(), 0.9, by=EVE)

    async def _point(self) -> None:
        await self._point_to(self._chance.choice(["up", "down"]), self._version().number)

    async def _point_to(self, alias_id: str, number: int) -> None:
        expected = await self._number_of(alias_id)
        await self._services.point(alias_id, number, expected=expected)

    async def _unpoint(self) -> None:
        name = AliasName(*DIGITS, self._chance.choice(["up", "down"]))
        expected = await self._number_of(name.alias_id)
        await self._services.aliases.delete(again(MAX), name, expected=expected, reason="")

    async def _number_of(self, alias_id: str) -> int | None:
        """Where the alias points now."""
        async with self._services.store.read() as reader:
            found = await reader.aliases.find(*DIGITS, alias_id)
        return found.number if found else None

    async def _delete(self) -> None:
        await self._services.versions.delete(again(MAX), self._version(), "", etag="")

    async def _gate(self) -> None:
        await self._services.set_gate(self._chance.choice(["alias-x", "alias-y"]))

    async def _ungate(self) -> None:
        await self._services.gates.delete(
            again(MAX), GateName("vision", "", self._chance.choice(["alias-x", "alias-y"])), etag=""
        )

    async def _bind(self) -> None:
        name = await self._stubs.bind(DEPLOYER, principal(f"p{self._count}"), VISION)
        if self._chance.random() < 0.5:
            request = access.DeleteRoleBindingRequest(name=name)
            await self._stubs.access.DeleteRoleBinding(request)


DIGITS = ModelName("vision", "digits")


def folded(call: RecordedCall) -> dict[str, event_pb2.Event]:
    """What a client knows that keeps what it was told last of each name."""
    known: dict[str, event_pb2.Event] = {}
    for watch in call.recording.chain:
        for message in watch.messages:
            for event in message.events:
                known[event.name] = event
    return {name: event for name, event in known.items() if not is_gone(event)}


def is_gone(event: event_pb2.Event) -> bool:
    if event.HasField("draft"):
        return event.draft.state != draft_pb2.DRAFT_STATE_OPEN
    return event.type == event_pb2.EVENT_TYPE_DELETED


async def everything_listed(stubs: Stubs) -> dict[str, bytes]:
    """All that lists say, by name."""
    found: dict[str, bytes] = {}

    async def take(answer: Awaitable[Any], field: str) -> list[Any]:
        listed = [*getattr(await answer, field)]
        found.update({one.name: bare(one) for one in listed})
        return listed

    reg, page = stubs.registry, {"page_size": 1000}
    spaces = await take(
        stubs.access.ListNamespaces(access.ListNamespacesRequest(**page)), "namespaces"
    )
    for parent in ("", *(space.name for space in spaces)):
        asked = access.ListRoleBindingsRequest(parent=parent, **page)
        await take(stubs.access.ListRoleBindings(asked), "role_bindings")
    for parent in (space.name for space in spaces):
        gates = evaluation.ListGatesRequest(parent=parent, **page)
        await take(stubs.evaluation.ListGates(gates), "gates")
    models = registry_api.ListModelsRequest(parent="namespaces/-", **page)
    for model in await take(reg.ListModels(models), "models"):
        asked = {"parent": model.name, **page}
        await take(reg.ListDrafts(registry_api.ListDraftsRequest(**asked)), "drafts")
        await take(reg.ListAliases(registry_api.ListAliasesRequest(**asked)), "aliases")
        versions = registry_api.ListVersionsRequest(**asked)
        numbered = await take(reg.ListVersions(versions), "versions")
        versions.states.append(version_pb2.VERSION_STATE_DELETED)
        for version in (*numbered, *(await reg.ListVersions(versions)).versions):
            runs = evaluation.ListEvaluationsRequest(parent=version.name, **page)
            await take(stubs.evaluation.ListEvaluations(runs), "evaluations")
    return found


def essence(event: event_pb2.Event) -> bytes:
    return bare(getattr(event, event.WhichOneof("subject")))


def bare(message: Any) -> bytes:
    """What is told, but for what an event leaves out: what other things have made of this one."""
    told = type(message)()
    told.CopyFrom(message)
    for field in ("latest_version_number", "aliases", "protected", "publish_verdict"):
        if field in told.DESCRIPTOR.fields_by_name:
            told.ClearField(field)
    if isinstance(told, model_pb2.Model):
        told.ClearField("update_time")  # which a sealed version moves, as it does the number
    return bytes(told.SerializeToString(deterministic=True))
