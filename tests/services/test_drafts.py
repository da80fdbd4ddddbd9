"""Drafts: seen by their author and by managers, and only open ones change."""

from datetime import timedelta

import pytest

from assay_server.domain.calls import Page
from assay_server.domain.errors import DraftNotOpen, NotFound
from assay_server.domain.names import DraftName
from assay_server.domain.versions import DraftChange, DraftState
from tests.services.registry import ANN, BOB, DIGITS, MAX, Registry, again


async def test_the_draft_of_another_looks_like_one_that_never_was(registry: Registry) -> None:
    draft = await registry.draft(by=ANN)
    absent = DraftName(*DIGITS, "00000000-0000-0000-0000-000000000000")

    with pytest.raises(NotFound) as hidden:
        await registry.drafts.get(BOB, draft)
    with pytest.raises(NotFound) as missing:
        await registry.drafts.get(BOB, absent)

    assert hidden.value.message.replace(draft.draft_id, absent.draft_id) == missing.value.message


async def test_nobody_else_changes_abandons_or_seals_a_draft(registry: Registry) -> None:
    draft = await registry.draft(by=ANN)

    with pytest.raises(NotFound):
        await registry.drafts.update(again(BOB), draft, DraftChange(card="mine"))
    with pytest.raises(NotFound):
        await registry.drafts.abandon(again(BOB), draft)
    with pytest.raises(NotFound):
        await registry.seal(draft, by=BOB)


async def test_a_manager_sees_and_handles_every_draft(registry: Registry) -> None:
    draft = await registry.draft(by=ANN)

    found = await registry.drafts.get(MAX, draft)
    sealed = await registry.seal(draft, by=MAX)

    assert found.answer.created_by == ANN.principal
    assert sealed.version.created_by == ANN.principal


async def test_a_list_shows_the_callers_own_drafts_or_to_managers_all(registry: Registry) -> None:
    first, second = await registry.draft(by=ANN), await registry.draft(by=BOB)

    own = await registry.drafts.list(ANN, DIGITS, Page(10))
    every = await registry.drafts.list(MAX, DIGITS, Page(10))

    assert [draft.draft_id for draft in own.answer.items] == [first.draft_id]
    assert [d.draft_id for d in every.answer.items] == [second.draft_id, first.draft_id]


async def test_a_draft_is_kept_for_a_week_after_its_last_change(registry: Registry) -> None:
    name = await registry.draft()

    made = await registry.drafts.update(again(ANN), name, DraftChange(card="# Digits"))

    assert made.answer.expire_time - made.answer.update_time == timedelta(days=7)
    assert made.answer.card == "# Digits"
    assert made.answer.files[0].path == "model.joblib"


async def test_an_abandoned_draft_changes_no_more(registry: Registry) -> None:
    name = await registry.draft()
    made = await registry.drafts.abandon(again(ANN), name)

    assert made.answer.state is DraftState.ABANDONED
    with pytest.raises(DraftNotOpen, match="is ABANDONED"):
        await registry.drafts.update(again(ANN), name, DraftChange(card="late"))
    with pytest.raises(DraftNotOpen):
        await registry.seal(name)
