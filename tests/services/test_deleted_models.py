"""Nothing of a model changes after its deletion, whoever of the two came first to the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from assay_server.domain.errors import ModelIsDeleted
from assay_server.domain.gates import Comparison, Rule, Threshold
from assay_server.domain.names import DraftName, VersionName
from assay_server.domain.versions import DraftChange
from tests.services.registry import ANN, DIGITS, MAX, SIGNED, Registry, again

ACCURATE = Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.1))
Act = Callable[[Registry, DraftName, VersionName], Awaitable[Any]]
ACTS: Mapping[str, Act] = {
    "begin a draft": lambda r, d, v: r.drafts.create(again(ANN), DIGITS, DraftChange(facts=SIGNED)),
    "change a draft": lambda r, d, v: r.drafts.update(again(ANN), d, DraftChange(facts=SIGNED)),
    "give a draft up": lambda r, d, v: r.drafts.abandon(again(ANN), d),
    "seal a draft": lambda r, d, v: r.seal(d),
    "record an evaluation": lambda r, d, v: r.evaluate(v, 0.9),
    "set a gate": lambda r, d, v: r.set_gate("publish", ACCURATE, on_model=True),
    "yank a version": lambda r, d, v: r.versions.yank(again(MAX), v, "broken", etag=""),
    "set an alias": lambda r, d, v: r.point("champion", v.number),
}


@asynccontextmanager
async def no_commit(url: str) -> AsyncIterator[None]:
    """Hold what the last step of every change takes, as the commit of another server does."""
    if not url.startswith("postgresql"):
        yield
        return
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT * FROM counters FOR UPDATE")
            yield
    finally:
        await connection.close()


@pytest.mark.parametrize("act", ACTS)
async def test_what_began_before_a_deletion_was_made_does_not_end_after_it(
    each_url: str, each_registry: Registry, act: str
) -> None:
    registry = each_registry
    version, draft = await registry.ready("sealed"), await registry.draft("open")

    async with no_commit(each_url):
        deleting = asyncio.create_task(registry.models.delete(again(MAX), DIGITS, etag=""))
        await asyncio.sleep(0.1)
        acting = asyncio.create_task(_done(ACTS[act](registry, draft, version)))
        await asyncio.sleep(0.1)

    assert (await deleting).answer.delete_time is not None
    with pytest.raises(ModelIsDeleted):
        await acting


async def _done(act: Awaitable[Any]) -> Any:
    return await act
