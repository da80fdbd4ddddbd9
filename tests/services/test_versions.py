"""Versions: described, withdrawn, restored; their files and facts never change."""

import pytest

from assay_server.domain.calls import Page
from assay_server.domain.errors import (
    EtagMismatch,
    IllegalTransition,
    NotDeleted,
    NotFound,
    VersionInUse,
)
from assay_server.domain.names import VersionName
from assay_server.domain.versions import VersionChange, VersionState
from tests.services.registry import ANN, DIGITS, MAX, Registry, again

LIVE = frozenset(VersionState) - {VersionState.DELETED}


async def test_a_version_is_read_with_files_and_the_aliases_that_point_to_it(
    registry: Registry,
) -> None:
    name = await registry.ready()
    await registry.point("stable", name.number)
    await registry.point("champion", name.number)

    found = (await registry.versions.get(name)).answer

    assert [file.path for file in found.version.manifest.files] == ["model.joblib"]
    assert found.alias_ids == ("champion", "stable")


async def test_a_batch_keeps_the_order_of_its_names_or_fails_as_a_whole(
    registry: Registry,
) -> None:
    first, second = await registry.sealed("a"), await registry.ready("b")
    await registry.point("champion", second.number)

    found = await registry.versions.get_many("vision", (second, first))

    assert [shown.version.number for shown in found.answer] == [2, 1]
    assert [shown.alias_ids for shown in found.answer] == [("champion",), ()]
    with pytest.raises(NotFound):
        await registry.versions.get_many("vision", (first, VersionName(*DIGITS, 9)))


async def test_a_list_is_newest_first_and_leaves_files_out_but_tells_their_size(
    registry: Registry,
) -> None:
    await registry.sealed("a")
    await registry.ready("bb")

    listed = (await registry.versions.list(DIGITS, Page(10), states=LIVE)).answer
    ready = await registry.versions.list(DIGITS, Page(10), states=frozenset({VersionState.READY}))

    assert [shown.version.number for shown in listed.items] == [2, 1]
    assert listed.items[0].version.manifest.files == ()
    assert (listed.items[0].version.size_bytes, listed.items[0].version.file_count) == (2, 1)
    assert [shown.version.number for shown in ready.answer.items] == [2]


async def test_pages_of_a_list_follow_each_other_without_gap_or_repetition(
    registry: Registry,
) -> None:
    for content in "abcde":
        await registry.sealed(content)

    numbers: list[int] = []
    page = Page(2)
    while True:
        found = (await registry.versions.list(DIGITS, page, states=LIVE)).answer
        numbers.extend(shown.version.number for shown in found.items)
        if found.next_after is None:
            break
        page = Page(2, after=found.next_after)

    assert numbers == [5, 4, 3, 2, 1]


async def test_an_edit_changes_what_people_say_and_nothing_that_was_sealed(
    registry: Registry,
) -> None:
    name = await registry.sealed()
    before = (await registry.versions.get(name)).answer.version

    change = VersionChange(card="# Digits", tags={"team": "vision"})
    await registry.versions.update(again(ANN), name, change, etag=before.etag)

    after = (await registry.versions.get(name)).answer.version
    assert (after.card, after.tags) == ("# Digits", {"team": "vision"})
    assert (after.record_digest, after.facts) == (before.record_digest, before.facts)
    with pytest.raises(EtagMismatch):
        await registry.versions.update(again(ANN), name, change, etag=before.etag)


async def test_states_move_only_down_the_ladder(registry: Registry) -> None:
    name = await registry.ready()

    deprecated = await registry.versions.deprecate(again(MAX), name, "use 2", etag="")
    yanked = await registry.versions.yank(again(MAX), name, "leaks", etag="")

    assert deprecated.answer.version.state is VersionState.DEPRECATED
    assert (yanked.answer.version.state, yanked.answer.version.state_reason) == (
        VersionState.YANKED,
        "leaks",
    )
    with pytest.raises(IllegalTransition, match="is YANKED and cannot become DEPRECATED"):
        await registry.versions.deprecate(again(MAX), name, "", etag="")


async def test_a_version_under_an_alias_is_not_deleted(registry: Registry) -> None:
    name = await registry.ready()
    await registry.point("champion", name.number)

    with pytest.raises(VersionInUse) as refusal:
        await registry.versions.delete(again(MAX), name, "", etag="")

    assert refusal.value.metadata["aliases"] == "champion"


async def test_a_deleted_version_returns_to_the_state_before(registry: Registry) -> None:
    name = await registry.ready()
    gone = await registry.versions.delete(again(MAX), name, "wrong data", etag="")

    restored = await registry.versions.undelete(again(MAX), name)

    assert gone.answer.version.state is VersionState.DELETED
    assert restored.answer.version.state is VersionState.READY
    assert restored.answer.version.delete_time is None
    with pytest.raises(NotDeleted):
        await registry.versions.undelete(again(MAX), name)
