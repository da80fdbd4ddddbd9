"""What was true at a revision: for those who may read now, and for nobody else."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import grpc
import pytest
import pytest_asyncio

from assay.v1 import registry_service_pb2 as api
from assay.v1 import version_pb2
from assay_server.domain.access import Role
from tests.wire.publication import Team, team_on
from tests.wire.registry import Registry, Stubs
from tests.wire.scripted import info_of, refusal
from tests.wire.transfers import DIGITS

CHAMPION = "vision/digits@champion"


@pytest_asyncio.fixture
async def team(registry: Registry) -> AsyncIterator[Team]:
    async with team_on(registry) as team:
        yield team


async def resolve(stubs: Stubs, reference: str = CHAMPION, *, as_of: int = 0) -> Any:
    request = api.ResolveVersionRequest(reference=reference, as_of=as_of)
    return await stubs.registry.ResolveVersion(request)


async def test_what_champion_was_then(team: Team) -> None:
    await team.ready("one")
    second = await team.publish(await team.sealed("two"))
    first = await team.point("champion", 1)
    moved = await team.point("champion", 2, expected_version_number=1)

    by = team.engineer
    then, now = await resolve(by, as_of=first.revision), await resolve(by)
    later = await resolve(by, as_of=moved.revision)
    alias = await by.registry.GetAlias(
        api.GetAliasRequest(name=f"{DIGITS}/aliases/champion", as_of=first.revision)
    )
    listed = await by.registry.ListAliases(
        api.ListAliasesRequest(parent=DIGITS, as_of=second.revision)
    )
    too_early = await refusal(resolve(by, as_of=second.revision))

    assert (then.version.number, then.revision) == (1, first.revision)
    assert list(then.version.aliases) == ["champion"]
    assert (later.version.number, now.version.number) == (2, 2)
    assert alias.alias == first.alias
    assert list(listed.aliases) == []
    assert info_of(too_early).reason == "RESOURCE_NOT_FOUND"


async def test_latest_and_greatest_are_those_of_the_revision(team: Team) -> None:
    first = await team.publish(await team.sealed("one"))
    await team.ready("two")

    for reference in ("vision/digits@latest", "vision/digits@greatest", "vision/digits@^1.0"):
        then = await resolve(team.engineer, reference, as_of=first.revision)
        now = await resolve(team.engineer, reference)
        assert (then.version.number, now.version.number) == (1, 2), reference


async def test_a_version_and_a_model_are_read_as_they_were(team: Team) -> None:
    name = await team.ready("one")
    read = team.engineer.registry
    before = await read.GetVersion(api.GetVersionRequest(name=name))
    model_before = await read.GetModel(api.GetModelRequest(name=DIGITS))
    await team.engineer.registry.YankVersion(api.YankVersionRequest(name=name, reason="bad"))
    await team.ready("two")
    as_of = before.revision

    version = await read.GetVersion(api.GetVersionRequest(name=name, as_of=as_of))
    batch = await read.BatchGetVersions(
        api.BatchGetVersionsRequest(parent="namespaces/vision", names=[name], as_of=as_of)
    )
    listed = await read.ListVersions(api.ListVersionsRequest(parent=DIGITS, as_of=as_of))
    model = await read.GetModel(api.GetModelRequest(name=DIGITS, as_of=as_of))
    models = await read.ListModels(api.ListModelsRequest(parent="namespaces/vision", as_of=as_of))

    assert version == before
    assert version.version.state == version_pb2.VERSION_STATE_READY
    assert [each.etag for each in batch.versions] == [before.version.etag]
    assert [each.etag for each in listed.versions] == [before.version.etag]
    assert model == model_before
    assert list(models.models) == [model.model]
    assert {a.revision for a in (batch, listed, models)} == {as_of}


async def test_pages_of_one_revision_do_not_shift_when_something_is_added(team: Team) -> None:
    for content in ("one", "two", "three"):
        await team.sealed(content)
    listing = api.ListVersionsRequest(parent=DIGITS, page_size=2)
    listing.as_of = (await team.engineer.registry.ListVersions(listing)).revision
    first = await team.engineer.registry.ListVersions(listing)
    await team.sealed("four")

    listing.page_token = first.next_page_token
    second = await team.engineer.registry.ListVersions(listing)
    listing.as_of += 1
    other = await refusal(team.engineer.registry.ListVersions(listing))

    numbers = [version.number for page in (first, second) for version in page.versions]
    assert numbers == [3, 2, 1]
    assert second.revision == first.revision
    assert info_of(other).reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize("as_of", [0, 3, 10_000])
async def test_who_may_not_read_now_learns_nothing_of_the_past(
    team: Team, registry: Registry, as_of: int
) -> None:
    await team.ready("one")
    await team.point("champion", 1)

    async with registry.stubs("stranger") as stranger:
        there = await refusal(resolve(stranger, as_of=as_of))
        nowhere = await refusal(resolve(stranger, "vision/nothing@champion", as_of=as_of))

    assert there.code() is nowhere.code() is grpc.StatusCode.NOT_FOUND
    assert there.details().replace("digits", "nothing") == nowhere.details()
    assert info_of(there).reason == info_of(nowhere).reason == "RESOURCE_NOT_FOUND"


async def test_the_future_is_refused_with_the_current_revision(team: Team) -> None:
    await team.ready("one")
    revision = (await team.point("champion", 1)).revision
    error = await refusal(resolve(team.engineer, as_of=revision + 1))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert info_of(error).reason == "REVISION_IN_FUTURE"
    assert info_of(error).metadata["current_revision"] == str(revision)


async def test_a_negative_revision_is_no_revision(team: Team) -> None:
    error = await refusal(resolve(team.engineer, as_of=-1))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(error).metadata["field"] == "as_of"


async def test_what_was_before_the_history_began_is_refused_with_the_oldest(
    registry: Registry,
) -> None:
    async with registry.stubs(Role.ADMIN) as stubs:
        newest = await stubs.create_namespace("vision")
        begin_history_at(registry, newest)
        error = await refusal(resolve(stubs, as_of=newest - 1))

    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert info_of(error).reason == "REVISION_COMPACTED"
    assert info_of(error).metadata["oldest_revision"] == str(newest)


def begin_history_at(registry: Registry, revision: int) -> None:
    """As a registry that is older than its history."""
    file = registry.config.store.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=10)) as connection:
        connection.execute("UPDATE counters SET value = ? WHERE name = 'oldest_state'", (revision,))
        connection.commit()
