"""Races: whoever is later is told so, and numbers stay without gap or duplicate.

On both databases: what a lock means is theirs to say.
"""

import asyncio

import pytest

from assay_server.domain.bumps import Asked
from assay_server.domain.calls import Page
from assay_server.domain.errors import AliasMoved, GateClosed, RegistryError
from assay_server.domain.gates import Comparison, Rule, Threshold
from assay_server.domain.names import AliasName, GateName
from assay_server.domain.versions import VersionState
from tests.services.registry import ANN, DIGITS, MAX, Registry, again

SEALERS = 32
ACCURATE = Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.9))


async def test_many_that_seal_at_once_get_numbers_without_gap_or_duplicate(
    each_registry: Registry,
) -> None:
    drafts = [await each_registry.draft(f"content {n}") for n in range(SEALERS)]

    sealed = await asyncio.gather(*(each_registry.seal(draft) for draft in drafts))

    numbers = sorted(answer.version.number for answer in sealed)
    assert numbers == list(range(1, SEALERS + 1))
    model = await each_registry.models.get(DIGITS)
    assert model.answer.version_high_water == SEALERS


async def test_many_that_seal_the_same_record_at_once_make_one_version(
    each_registry: Registry,
) -> None:
    drafts = [await each_registry.draft("same") for _ in range(8)]

    sealed = await asyncio.gather(*(each_registry.seal(draft) for draft in drafts))

    assert {answer.version.number for answer in sealed} == {1}
    assert sorted(answer.existed for answer in sealed) == [False] + [True] * 7


async def test_of_two_moves_with_the_same_expectation_one_wins(each_registry: Registry) -> None:
    for content in "abc":
        await each_registry.ready(content)
    await each_registry.point("champion", 1)

    outcomes = await asyncio.gather(
        each_registry.point("champion", 2, expected=1),
        each_registry.point("champion", 3, expected=1),
        return_exceptions=True,
    )

    lost = [outcome for outcome in outcomes if isinstance(outcome, RegistryError)]
    won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert [type(refusal) for refusal in lost] == [AliasMoved]
    assert lost[0].metadata["current_version_number"] == str(won[0].number)
    moves = await each_registry.aliases.list_moves(AliasName(*DIGITS, "champion"), Page(10))
    assert len(moves.answer.items) == 2


async def test_a_gate_set_before_a_publication_is_never_passed_by(
    each_registry: Registry,
) -> None:
    for content in "abcd":
        name = await each_registry.sealed(content)
        gate = each_registry.gates.set(
            again(MAX),
            GateName("vision", "digits", "publish"),
            (ACCURATE,),
            dataset_digest="",
            description="",
            etag="",
        )
        publication = each_registry.publishing.publish(again(ANN), name, Asked(), etag="")

        made, outcome = await asyncio.gather(gate, publication, return_exceptions=True)

        assert not isinstance(made, BaseException)
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, GateClosed)
        else:
            assert outcome.revision < made.revision
        await each_registry.gates.delete(
            again(MAX), GateName("vision", "digits", "publish"), etag=""
        )


async def test_an_alias_never_points_to_a_version_deleted_at_the_same_moment(
    each_registry: Registry,
) -> None:
    name = await each_registry.ready()

    outcomes = await asyncio.gather(
        each_registry.point("champion", name.number),
        each_registry.versions.delete(again(MAX), name, "", etag=""),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, RegistryError)]
    assert len(refused) == 1
    found = (await each_registry.versions.get(name)).answer
    assert (found.version.state is VersionState.DELETED) == (found.alias_ids == ())


async def test_of_two_that_publish_at_once_each_gets_a_semver_of_its_own(
    each_registry: Registry,
) -> None:
    await each_registry.ready("a")
    names = [await each_registry.sealed(content) for content in "bcde"]

    published = await asyncio.gather(*(each_registry.publish(name) for name in names))

    assert {version.semver for version in published} == {"1.0.1", "1.0.2", "1.0.3", "1.0.4"}


@pytest.mark.parametrize("repeats", [8])
async def test_of_many_that_publish_the_same_version_one_does(
    each_registry: Registry, repeats: int
) -> None:
    name = await each_registry.sealed()

    outcomes = await asyncio.gather(
        *(each_registry.publish(name) for _ in range(repeats)), return_exceptions=True
    )

    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
