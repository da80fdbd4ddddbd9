"""Lives of a registry by chance, and everything that its readers see of them."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.aliases import Alias, AliasMove
from assay_server.domain.bumps import BASES
from assay_server.domain.calls import Page
from assay_server.domain.events import EventType
from assay_server.domain.gates import Gate, MinimumSamples, Rule
from assay_server.domain.models import Model
from assay_server.domain.versions import Version, VersionState
from assay_server.ports.metadata import Reader, Transaction
from assay_server.sqlstore.opening import Store
from tests.contract.store.odd_values import ODD_TEXT, VERDICT
from tests.contract.store.registries import NOON, add_model, change, happened, make_model
from tests.unit.making import make_evaluation, make_metric, make_version

MODELS = ("digits", "letters")
NUMBERS = range(1, 6)
ALIASES = ("champion", "shadow")
GATES = ("alias-champion", "publish")
SCOPES = ("", "namespaces/vision", "namespaces/vision/models/digits")
STATES = frozenset(VersionState)
FEW = Page(2)


async def seen(reader: Reader) -> dict[str, Any]:
    """Everything that the ports tell of what has a history."""
    models, versions, aliases = reader.models, reader.versions, reader.aliases
    found: dict[str, Any] = {
        "all": await every(lambda page: models.list(page, among=None, show_deleted=True)),
        "live": await every(lambda page: models.list(page, among=frozenset({"vision"}))),
        "some": await every(
            lambda page: models.list(page, among=frozenset({"vision"}), show_deleted=True)
        ),
        "none": await every(lambda page: models.list(page, among=frozenset({"speech"}))),
        "gates": [await seen_of_gates(reader, model_id) for model_id in ("", *MODELS)],
        "bindings": await seen_of_bindings(reader),
    }
    for model in found["all"]:
        name = (model.namespace_id, model.model_id)
        listed = await every(lambda page, name=name: versions.list(*name, page, states=STATES))
        found[model.name] = (
            await models.get(*name),
            listed,
            await every(
                lambda page, name=name: versions.list(
                    *name, page, states=frozenset({VersionState.READY})
                )
            ),
            await versions.latest(*name),
            await versions.greatest(*name, {VersionState.READY}),
            await versions.past_greatest(*name, BASES),
            await versions.with_manifest(*name, make_version().manifest.digest),
            [await versions.find_semver(*name, f"1.{n}.0") for n in NUMBERS],
            [await versions.find_record(*name, f"sha256:{n}") for n in NUMBERS],
            await versions.get_many(name[0], tuple((name[1], one.number) for one in listed)),
            [await versions.get(*name, one.number) for one in listed],
            await every(lambda page, name=name: aliases.list(*name, page)),
            await aliases.of_versions(*name, frozenset(NUMBERS)),
            [await aliases.find(*name, alias_id) for alias_id in ALIASES],
            [await seen_of_evaluations(reader, *name, one.number) for one in listed],
            await reader.evaluations.of_versions(*name, frozenset(NUMBERS)),
        )
    return found


async def seen_of_gates(reader: Reader, model_id: str) -> Any:
    """Those of the namespace and of one model."""
    name = ("vision", model_id)
    return (
        await every(lambda page: reader.gates.list(*name, page)),
        await reader.gates.ids(*name),
        [await reader.gates.find(*name, gate_id) for gate_id in GATES],
        [await reader.gates.applying(*name, gate_id) for gate_id in GATES],
    )


async def seen_of_evaluations(reader: Reader, *name: Any) -> Any:
    """Those of a version, listed and one by one."""
    listed = await every(lambda page: reader.evaluations.list(*name, page))
    return listed, [await reader.evaluations.get(*name, one.evaluation_id) for one in listed]


async def seen_of_bindings(reader: Reader) -> Any:
    """Those of every scope, listed and one by one."""
    bindings = await reader.bindings.all()
    listed = [
        await every(lambda page, scope=scope: reader.bindings.list(scope, page)) for scope in SCOPES
    ]
    return (
        bindings,
        listed,
        [await reader.bindings.get(one.scope, one.binding_id) for one in bindings],
    )


async def every(read: Callable[[Page], Awaitable[Any]]) -> list[Any]:
    """All items, a few on each page."""
    items, page = [], FEW
    while True:
        paged = await read(page)
        items += paged.items
        if paged.next_after is None:
            return items
        page = Page(FEW.size, paged.next_after)


class Life:
    """Changes by chance, each of which is legal for the store."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        self.store = store
        self.chance = chance
        self.models: dict[str, Model] = {}
        self.versions: dict[tuple[str, int], Version] = {}
        self.aliases: dict[tuple[str, str], Alias] = {}
        self.gates: dict[tuple[str, str], Gate] = {}
        self.bindings: dict[tuple[str, str], RoleBinding] = {}
        self.steps = 0

    async def step(self) -> int:
        self.steps += 1
        often = [self.version, self.alias, self.gate, self.binding]
        act = self.chance.choice([self.model, *often, *often, self.both, self.evaluation])
        return await act()

    async def model(self) -> int:
        model_id = self.chance.choice(MODELS)
        known = self.models.get(model_id)
        if known is None:
            made = self.models[model_id] = make_model(model_id)
            return await add_model(self.store, made)
        changed = self._other(known)
        return await self._commit(changed, lambda tx: tx.models.save(changed))

    async def version(self) -> int:
        if not self.models:
            return await self.model()
        model_id = self.chance.choice(sorted(self.models))
        number = self.chance.choice(NUMBERS)
        known = self.versions.get((model_id, number))
        changed = self._next(known, model_id, number)
        if known is None:
            return await self._commit(changed, lambda tx: tx.versions.add(changed))
        return await self._commit(changed, lambda tx: tx.versions.save(changed))

    async def alias(self) -> int:
        if not self.versions:
            return await self.version()
        model_id, number = self.chance.choice(sorted(self.versions))
        alias_id = self.chance.choice(ALIASES)
        known = self.aliases.get((model_id, alias_id))
        if known is not None and self.chance.random() < 0.3:
            del self.aliases[model_id, alias_id]
            removal = self._moved(known, 0)
            return await self._commit(known, lambda tx: tx.aliases.remove(known, removal))
        alias = Alias("vision", model_id, alias_id, number, "ann", NOON, f"a{self.steps}")
        self.aliases[model_id, alias_id] = alias
        move = self._moved(alias, number)
        return await self._commit(alias, lambda tx: tx.aliases.save(alias, move))

    async def gate(self) -> int:
        """Set, changed, or removed and perhaps set again later."""
        place = self.chance.choice(["", *self.models]), self.chance.choice(GATES)
        known = self.gates.get(place)
        if known is not None and self.chance.random() < 0.3:
            del self.gates[place]
            return await self._commit(known, lambda tx: tx.gates.remove(known))
        rules = (Rule(f"r{self.steps}", MinimumSamples(self.steps)),)
        gate = Gate("vision", *place, rules, "", ODD_TEXT, "ann", NOON, f"g{self.steps}")
        self.gates[place] = gate
        return await self._commit(gate, lambda tx: tx.gates.save(gate))

    async def binding(self) -> int:
        """Given, or taken back and perhaps given again later, under the same id."""
        place = self.chance.choice(SCOPES), self.chance.choice(["b1", "b2"])
        known = self.bindings.pop(place, None)
        if known is not None:
            return await self._commit(known, lambda tx: tx.bindings.remove(known))
        role, member = self.chance.choice([*Role]), f"{place[1]} {self.steps}"
        binding = self.bindings[place] = RoleBinding(*place, role, member, "ann", NOON)
        return await self._commit(binding, lambda tx: tx.bindings.add(binding))

    async def evaluation(self) -> int:
        if not self.versions:
            return await self.version()
        model_id, number = self.chance.choice(sorted(self.versions))
        evaluation = replace(
            make_evaluation(make_metric("accuracy", 0.5), minute=self.chance.randrange(60)),
            evaluation_id=f"evaluation {self.steps}",
            model_id=model_id,
            number=number,
        )
        return await self._commit(evaluation, lambda tx: tx.evaluations.add(evaluation))

    async def both(self) -> int:
        """Several facts under one revision, one of them written twice, as sealing does."""
        if not self.models:
            return await self.model()
        model_id = self.chance.choice(sorted(self.models))
        number = self.chance.choice(NUMBERS)
        known = self.versions.get((model_id, number))
        first = self._next(known, model_id, number)
        second = self._next(first, model_id, number)
        model = self._other(self.models[model_id])

        async def act(tx: Transaction) -> None:
            await (tx.versions.add(first) if known is None else tx.versions.save(first))
            await tx.models.save(model)
            await tx.versions.save(second)

        return await self._commit(second, act)

    def _other(self, model: Model) -> Model:
        """``model`` with everything changed that may change."""
        changed = replace(
            model,
            description=f"{ODD_TEXT} {self.steps}",
            keywords=(f"k{self.steps}",),
            etag=f"m{self.steps}",
            version_high_water=self.steps,
            delete_time=NOON if self.chance.random() < 0.4 else None,
        )
        self.models[model.model_id] = changed
        return changed

    def _next(self, known: Version | None, model_id: str, number: int) -> Version:
        if known is None:
            made = make_version(
                model_id=model_id,
                number=number,
                version_uid=f"{model_id} {number}",
                record_digest=f"sha256:{number}",
                semver="",
                publish_time=None,
                state=VersionState.CANDIDATE,
            )
        else:
            state = self.chance.choice(sorted(VersionState))
            is_published = state is not VersionState.CANDIDATE
            made = replace(
                known,
                state=state,
                card=f"{ODD_TEXT} {self.steps}",
                tags={"step": str(self.steps)},
                etag=f"v{self.steps}",
                semver=f"1.{number}.0" if is_published else "",
                publish_time=NOON if is_published else None,
                publish_verdict=VERDICT if is_published else None,
                delete_time=NOON if state is VersionState.DELETED else None,
                state_reason=f"step {self.steps}",
            )
        self.versions[model_id, number] = made
        return made

    def _moved(self, alias: Alias, number: int) -> AliasMove:
        place = (alias.namespace_id, alias.model_id, alias.alias_id)
        etag = alias.etag if number else ""
        return AliasMove(*place, number, 0, "ann", alias.move_time, "", 0, VERDICT, etag)

    async def _commit(self, subject: Any, act: Callable[[Transaction], Awaitable[object]]) -> int:
        name = f"namespaces/vision/{self.steps}"
        event = happened(subject, name, event_type=EventType.UPDATED)
        return await change(self.store, act, event)
