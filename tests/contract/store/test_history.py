"""What was: every earlier revision reads as those saw it who read it then, on every database."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import bindparam, literal_column, update

from assay_server.domain.aliases import Alias, AliasMove
from assay_server.domain.calls import Page
from assay_server.domain.errors import NotFound, RevisionCompacted, RevisionInFuture
from assay_server.domain.events import EventType
from assay_server.domain.models import Model
from assay_server.domain.versions import Version, VersionState
from assay_server.ports.metadata import Reader, Transaction
from assay_server.sqlstore import tables
from assay_server.sqlstore.columns import NUMBER
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.opening import Store
from tests.contract.store.odd_values import ODD_TEXT, VERDICT
from tests.contract.store.registries import (
    NOON,
    add_model,
    add_namespace,
    change,
    happened,
    make_model,
    newest_revision,
)
from tests.unit.making import make_version

MODELS = ("digits", "letters")
NUMBERS = range(1, 6)
ALIASES = ("champion", "shadow")
STATES = frozenset(VersionState)
FEW = Page(2)


@pytest.fixture
async def store(registry: Store) -> Store:
    await add_namespace(registry)
    await add_namespace(registry, "speech")
    return registry


async def seen(reader: Reader) -> dict[str, Any]:
    """Everything that the ports tell of models, versions and aliases."""
    models, versions, aliases = reader.models, reader.versions, reader.aliases
    found: dict[str, Any] = {
        "all": await every(lambda page: models.list(page, among=None, show_deleted=True)),
        "live": await every(lambda page: models.list(page, among=frozenset({"vision"}))),
        "some": await every(
            lambda page: models.list(page, among=frozenset({"vision"}), show_deleted=True)
        ),
        "none": await every(lambda page: models.list(page, among=frozenset({"speech"}))),
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
            await versions.standings(*name),
            await versions.standings(*name, with_deleted=True),
            await versions.with_manifest(*name, make_version().manifest.digest),
            [await versions.find_semver(*name, f"1.{n}.0") for n in NUMBERS],
            [await versions.find_record(*name, f"sha256:{n}") for n in NUMBERS],
            await versions.get_many(name[0], tuple((name[1], one.number) for one in listed)),
            [await versions.get(*name, one.number) for one in listed],
            await every(lambda page, name=name: aliases.list(*name, page)),
            await aliases.of_versions(*name, frozenset(NUMBERS)),
            [await aliases.find(*name, alias_id) for alias_id in ALIASES],
        )
    return found


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
        self.steps = 0

    async def step(self) -> int:
        self.steps += 1
        act = self.chance.choice([self.model, self.version, self.version, self.alias, self.both])
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


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_revision_reads_as_those_saw_it_who_read_it_then(
    store: Store, seed: int
) -> None:
    life = Life(store, random.Random(seed))
    then: dict[int, dict[str, Any]] = {}
    for _ in range(40):
        revision = await life.step()
        async with store.metadata.read() as reader:
            then[revision] = await seen(reader)

    assert len(then) == 40
    for revision, expected in then.items():
        async with store.metadata.read(revision) as reader:
            assert await seen(reader) == expected, f"seed {seed}, revision {revision}"
            assert reader.revision == revision


async def test_what_did_not_exist_yet_is_absent(store: Store) -> None:
    before = await newest_revision(store)
    await add_model(store)

    async with store.metadata.read(before) as reader:
        assert (await reader.models.list(Page(10), among=None)).items == ()
        with pytest.raises(NotFound):
            await reader.models.get("vision", "digits")


async def test_a_revision_that_was_not_reached_is_refused(store: Store) -> None:
    newest = await newest_revision(store)

    with pytest.raises(RevisionInFuture) as refused:
        async with store.metadata.read(newest + 1):
            pass

    assert refused.value.metadata == {"current_revision": str(newest)}
    async with store.metadata.read(newest) as reader:
        assert reader.revision == newest


async def test_a_revision_that_is_no_longer_kept_is_refused_with_the_oldest(
    store: Store,
) -> None:
    newest = await newest_revision(store)
    await forget_before(store, newest)

    with pytest.raises(RevisionCompacted) as refused:
        async with store.metadata.read(newest - 1):
            pass

    assert refused.value.metadata == {"oldest_revision": str(newest)}


async def forget_before(store: Store, revision: int) -> None:
    """As a registry that is older than its history."""
    counters = tables.counters
    forget = Statement(
        update(counters)
        .where(counters.c.name == literal_column("'oldest_state'"))
        .values(value=bindparam("oldest", type_=NUMBER))
    )

    async def act(tx: Any) -> None:
        await tx._session.write(forget, oldest=revision)

    await change(store, act)
