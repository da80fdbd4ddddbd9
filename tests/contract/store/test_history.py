"""What was: every earlier revision reads as those saw it who read it then, on every database."""

import random
from typing import Any

import pytest
from sqlalchemy import bindparam, literal_column, update

from assay_server.domain.calls import Page
from assay_server.domain.errors import NotFound, RevisionCompacted, RevisionInFuture
from assay_server.sqlstore import tables
from assay_server.sqlstore.columns import NUMBER
from assay_server.sqlstore.compiled import Statement
from assay_server.sqlstore.opening import Store
from tests.contract.store.lives import Life, seen
from tests.contract.store.registries import (
    add_model,
    add_namespace,
    change,
    newest_revision,
)


@pytest.fixture
async def store(registry: Store) -> Store:
    await add_namespace(registry)
    await add_namespace(registry, "speech")
    return registry


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_revision_reads_as_those_saw_it_who_read_it_then(
    store: Store, seed: int
) -> None:
    life = Life(store, random.Random(seed))
    then: dict[int, dict[str, Any]] = {}
    for _ in range(60):
        revision = await life.step()
        async with store.metadata.read() as reader:
            then[revision] = await seen(reader)

    assert len(then) == 60
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
