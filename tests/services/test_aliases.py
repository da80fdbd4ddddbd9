"""Aliases: compare-and-set, history, and gates that protect some."""

import pytest

from assay_server.domain.calls import Page
from assay_server.domain.errors import (
    AliasMoved,
    GateClosed,
    NotFound,
    PermissionDenied,
    VersionNotReady,
)
from assay_server.domain.gates import Comparison, Rule, Threshold
from assay_server.domain.names import AliasName
from tests.services.registry import ANN, DIGITS, MAX, Registry, again

CHAMPION = AliasName(*DIGITS, "champion")
ACCURATE = Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.9))


async def test_an_alias_moves_for_who_knows_where_it_points(registry: Registry) -> None:
    await registry.ready("a")
    await registry.ready("b")

    await registry.point("champion", 1)
    await registry.point("champion", 2, expected=1)

    assert (await registry.aliases.get(CHAMPION)).answer.alias.number == 2


@pytest.mark.parametrize("expected", [None, 0, 2])
async def test_who_does_not_is_told_where_it_points(
    registry: Registry, expected: int | None
) -> None:
    await registry.ready("a")
    await registry.ready("b")
    await registry.point("champion", 1)

    with pytest.raises(AliasMoved) as refusal:
        await registry.point("champion", 2, expected=expected)

    assert refusal.value.metadata["current_version_number"] == "1"


async def test_an_alias_points_to_published_versions_only(registry: Registry) -> None:
    candidate = await registry.sealed()

    with pytest.raises(VersionNotReady, match="is CANDIDATE"):
        await registry.point("champion", candidate.number)
    with pytest.raises(NotFound):
        await registry.point("champion", 9)


async def test_the_history_tells_every_step_also_after_removal(registry: Registry) -> None:
    await registry.ready("a")
    await registry.ready("b")
    await registry.point("champion", 1)
    await registry.point("champion", 2, expected=1)
    await registry.aliases.delete(again(MAX), CHAMPION, expected=2, reason="retired")

    moves = (await registry.aliases.list_moves(CHAMPION, Page(10))).answer.items

    assert [(move.previous_number, move.number) for move in moves] == [(2, 0), (1, 2), (0, 1)]
    assert moves[0].reason == "retired"
    assert moves[0].revision > moves[1].revision > moves[2].revision > 0
    with pytest.raises(NotFound):
        await registry.aliases.get(CHAMPION)


async def test_setting_an_alias_where_it_points_adds_no_step(registry: Registry) -> None:
    await registry.ready("a")
    first = await registry.point("champion", 1)

    again_there = await registry.point("champion", 1, expected=1)

    assert again_there == first
    assert len((await registry.aliases.list_moves(CHAMPION, Page(10))).answer.items) == 1


async def test_removing_an_alias_blindly_is_refused(registry: Registry) -> None:
    await registry.ready("a")
    await registry.point("champion", 1)

    with pytest.raises(AliasMoved):
        await registry.aliases.delete(again(MAX), CHAMPION, expected=None, reason="")
    with pytest.raises(NotFound):
        await registry.aliases.delete(
            again(MAX), AliasName(*DIGITS, "absent"), expected=1, reason=""
        )


async def test_a_protected_alias_needs_the_permission_to_move_such(registry: Registry) -> None:
    await registry.ready("a")
    await registry.evaluate(await registry.ready("b"), 0.95)
    await registry.set_gate("alias-champion", ACCURATE)

    with pytest.raises(PermissionDenied) as refusal:
        await registry.point("champion", 2, by=ANN)

    assert refusal.value.metadata["permission"] == "aliases.move-protected"
    assert "engineer" in refusal.value.metadata["roles"]
    await registry.point("free", 2, by=ANN)
    await registry.point("champion", 2, by=MAX)
    with pytest.raises(PermissionDenied):
        await registry.aliases.delete(again(ANN), CHAMPION, expected=2, reason="")


async def test_a_protected_alias_moves_only_through_an_open_gate(registry: Registry) -> None:
    name = await registry.ready()
    await registry.set_gate("alias-champion", ACCURATE, on_model=True)

    with pytest.raises(GateClosed, match="accuracy was not measured"):
        await registry.point("champion", name.number)

    await registry.evaluate(name, 0.95)
    made = await registry.aliases.set(
        again(MAX), CHAMPION, name.number, expected=None, reason="best"
    )
    assert made.answer.is_protected
    assert made.answer.verdict is not None
    assert made.answer.verdict.is_open
    moves = (await registry.aliases.list_moves(CHAMPION, Page(10))).answer.items
    assert moves[0].verdict == made.answer.verdict


async def test_a_list_says_which_aliases_are_protected(registry: Registry) -> None:
    name = await registry.ready()
    await registry.point("champion", name.number)
    await registry.point("stable", name.number)
    await registry.set_gate("alias-champion", ACCURATE)

    listed = (await registry.aliases.list(DIGITS, Page(10))).answer.items

    assert [(shown.alias.alias_id, shown.is_protected) for shown in listed] == [
        ("champion", True),
        ("stable", False),
    ]
