"""Every list in pages of one shows each thing once, in order, while others are added."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.aliases import Alias, AliasMove
from assay_server.domain.calls import Page, Paged
from assay_server.domain.gates import Gate
from assay_server.domain.versions import DraftState, VersionState
from assay_server.ports.metadata import Reader, Transaction
from assay_server.sqlstore.opening import Store
from tests.contract.store.registries import (
    NOON,
    add_model,
    add_namespace,
    change,
    make_model,
    make_namespace,
    read,
)
from tests.unit.making import make_draft, make_evaluation, make_version

FIRST, LAST = 1, 4


def moment(number: int) -> Any:
    """Two things share each moment, so that the id has to tell them apart."""
    return NOON + timedelta(seconds=number // 2)


async def add_version(tx: Transaction, number: int) -> None:
    await tx.versions.add(
        make_version(number=number, version_uid=f"u{number}", record_digest=f"r{number}")
    )


async def move_alias(tx: Transaction, number: int) -> None:
    alias = Alias("vision", "digits", "champion", 9, "ann", NOON, "e")
    move = AliasMove("vision", "digits", "champion", 9, number, "ann", NOON, "", 0)
    await tx.aliases.save(alias, move)


async def add_alias(tx: Transaction, number: int) -> None:
    alias = Alias("vision", "digits", f"a{number}", 9, "ann", NOON, "e")
    move = AliasMove("vision", "digits", alias.alias_id, 9, 0, "ann", NOON, "", 0)
    await tx.aliases.save(alias, move)


@dataclass(frozen=True)
class Case:
    """How to add one of a noun, how to list them, and what tells them apart."""

    add: Callable[[Transaction, int], Awaitable[None]]
    list: Callable[[Reader, Page], Awaitable[Paged[Any]]]
    key: Callable[[Any], Any]
    newest_first: bool = False


CASES = {
    "namespaces": Case(
        lambda tx, n: tx.namespaces.add(make_namespace(f"w{n}")),
        lambda r, page: r.namespaces.list(page, among={f"w{n}" for n in range(9)}),
        lambda one: int(one.namespace_id[1:]),
    ),
    "models": Case(
        lambda tx, n: tx.models.add(make_model(f"m{n}")),
        lambda r, page: r.models.list(page, among={"vision"}),
        lambda one: one.model_id,
    ),
    "drafts": Case(
        lambda tx, n: tx.drafts.add(make_draft(draft_id=f"d{n}", create_time=moment(n))),
        lambda r, page: r.drafts.list("vision", "digits", page, created_by=None),
        lambda one: one.draft_id,
        newest_first=True,
    ),
    "versions": Case(
        add_version,
        lambda r, page: r.versions.list("vision", "digits", page, states={VersionState.CANDIDATE}),
        lambda one: one.number,
        newest_first=True,
    ),
    "aliases": Case(
        add_alias,
        lambda r, page: r.aliases.list("vision", "digits", page),
        lambda one: one.alias_id,
    ),
    "alias moves": Case(
        move_alias,
        lambda r, page: r.aliases.list_moves("vision", "digits", "champion", page),
        lambda one: one.previous_number,
        newest_first=True,
    ),
    "evaluations": Case(
        lambda tx, n: tx.evaluations.add(
            make_evaluation(number=9, evaluation_id=f"e{n}", create_time=moment(n))
        ),
        lambda r, page: r.evaluations.list("vision", "digits", 9, page),
        lambda one: one.evaluation_id,
        newest_first=True,
    ),
    "gates": Case(
        lambda tx, n: tx.gates.save(
            Gate("vision", "digits" if n % 2 else "", f"g{n}", (), "", "", "ann", NOON, "e")
        ),
        lambda r, page: r.gates.list("vision", "digits", page),
        lambda one: (one.model_id, one.gate_id),
    ),
    "bindings": Case(
        lambda tx, n: tx.bindings.add(RoleBinding("", f"b{n}", Role.ADMIN, f"m{n}", "ann", NOON)),
        lambda r, page: r.bindings.list("", page),
        lambda one: one.binding_id,
    ),
}


async def all_keys(store: Store, case: Case) -> list[Any]:
    listed = await read(store, lambda r: case.list(r, Page(1000)))
    assert listed.next_after is None
    return [case.key(item) for item in listed.items]


@pytest.fixture
async def store(registry: Store) -> Store:
    await add_namespace(registry)
    await add_model(registry)
    yanked = make_version(
        number=9, version_uid="other", record_digest="other", state=VersionState.YANKED
    )
    await change(registry, lambda tx: tx.versions.add(yanked))
    return registry


@pytest.mark.parametrize("noun", CASES)
async def test_pages_of_one_show_each_thing_once_while_more_are_added(
    store: Store, noun: str
) -> None:
    case = CASES[noun]
    for number in range(FIRST, LAST + 1):
        await change(store, lambda tx, number=number: case.add(tx, number))
    before = await all_keys(store, case)
    seen: list[Any] = []
    page: Page | None = Page(1)
    added = LAST

    while page is not None:
        listed = await read(store, lambda r, page=page: case.list(r, page))
        assert len(listed.items) == 1
        seen.extend(map(case.key, listed.items))
        if case.newest_first and added < LAST + 3:
            added += 1
            await change(store, lambda tx, number=added: case.add(tx, number))
        page = Page(1, listed.next_after) if listed.next_after else None

    assert seen == before == sorted(before, reverse=case.newest_first)
    assert len(before) >= LAST


async def names(store: Store, **wanted: Any) -> Sequence[tuple[str, str]]:
    listed = await read(store, lambda r: r.models.list(Page(100), **wanted))
    return [(model.namespace_id, model.model_id) for model in listed.items]


async def test_models_are_listed_across_namespaces_and_only_of_those_asked_for(
    store: Store,
) -> None:
    for namespace_id in ("audio", "zoo"):
        await add_namespace(store, namespace_id)
        await add_model(store, make_model("m", namespace_id))
    await add_model(store, make_model("gone", "zoo", delete_time=NOON))
    everything = [("audio", "m"), ("vision", "digits"), ("zoo", "m")]

    assert await names(store, among=None) == everything
    assert await names(store, among={"zoo", "audio"}) == [everything[0], everything[2]]
    assert await names(store, among=set()) == []
    assert await names(store, among={"zoo"}, show_deleted=True) == [("zoo", "gone"), ("zoo", "m")]


async def test_drafts_are_listed_while_open_and_by_author(store: Store) -> None:
    for draft_id, created_by, state in (
        ("d1", "ann", DraftState.OPEN),
        ("d2", "bob", DraftState.OPEN),
        ("d3", "ann", DraftState.ABANDONED),
    ):
        draft = make_draft(draft_id=draft_id, created_by=created_by, state=state, card="long")
        await change(store, lambda tx, draft=draft: tx.drafts.add(draft))

    every = await read(store, lambda r: r.drafts.list("vision", "digits", Page(9), created_by=None))
    anns = await read(store, lambda r: r.drafts.list("vision", "digits", Page(9), created_by="ann"))

    assert [(draft.draft_id, draft.card, draft.files) for draft in every.items] == [
        ("d2", "", ()),
        ("d1", "", ()),
    ]
    assert [draft.draft_id for draft in anns.items] == ["d1"]
