"""Request ids: a retry gets the first answer, another payload is refused."""

import uuid

import pytest

from assay_server.domain.access import Role
from assay_server.domain.calls import Call, Committed, Page
from assay_server.domain.errors import NotFound, PermissionDenied, RequestIdReused
from assay_server.domain.names import AliasName
from assay_server.domain.versions import DraftChange
from assay_server.services.aliases import ShownAlias
from tests.services.registry import ANN, DIGITS, MAX, Registry, again, caller

SCIENTIST = next(iter(ANN.roles))
REQUEST_ID = "6f1d1d5e-6c1c-4d6f-9f1b-0e4a5c8f0a11"


async def test_a_retry_gets_the_first_answer_and_does_nothing(registry: Registry) -> None:
    request_id = str(uuid.uuid4())
    draft = await registry.draft()

    def call() -> Call:
        return caller(ANN.principal, SCIENTIST, request_id=request_id, payload="seal")

    first = await registry.sealing.seal(call(), draft, manifest_digest="", publish=None)
    retry = await registry.sealing.seal(call(), draft, manifest_digest="", publish=None)

    assert (first.is_replay, retry.is_replay) == (False, True)
    assert (retry.answer, retry.revision) == (first.answer, first.revision)


async def test_every_kind_of_answer_is_kept_word_for_word(registry: Registry) -> None:
    request_id = str(uuid.uuid4())
    call = caller(ANN.principal, SCIENTIST, request_id=request_id, payload="draft")

    first = await registry.drafts.create(call, DIGITS, DraftChange(card="# Digits"))
    retry = await registry.drafts.create(
        caller(ANN.principal, SCIENTIST, request_id=request_id, payload="draft"),
        DIGITS,
        DraftChange(card="# Digits"),
    )

    assert retry.answer == first.answer
    listed = await registry.drafts.list(ANN, DIGITS, Page(10))
    assert len(listed.answer.items) == 1


async def test_a_request_id_belongs_to_one_payload(registry: Registry) -> None:
    request_id = str(uuid.uuid4())
    one = caller(ANN.principal, SCIENTIST, request_id=request_id, payload="one")
    await registry.drafts.create(one, DIGITS, DraftChange())

    other = caller(ANN.principal, SCIENTIST, request_id=request_id, payload="other")
    with pytest.raises(RequestIdReused):
        await registry.drafts.create(other, DIGITS, DraftChange(card="x"))

    listed = await registry.drafts.list(ANN, DIGITS, Page(10))
    assert len(listed.answer.items) == 1


def repeated(principal: str, role: Role) -> Call:
    """The same request again, by whoever has ``role`` now."""
    return caller(principal, role, request_id=REQUEST_ID, payload="same")


async def test_who_manages_drafts_no_more_gets_no_first_answer_either(
    each_registry: Registry,
) -> None:
    draft = await each_registry.draft()
    described = DraftChange(description="mine")
    before = repeated(MAX.principal, Role.ENGINEER)
    await each_registry.drafts.update(before, draft, described)

    demoted = repeated(MAX.principal, Role.DATA_SCIENTIST)
    with pytest.raises(NotFound):
        await each_registry.drafts.update(demoted, draft, described)

    kept = await each_registry.drafts.update(again(before), draft, described)
    assert kept.is_replay


async def test_who_may_not_see_a_draft_any_more_is_not_told_what_it_was_sealed_as(
    each_registry: Registry,
) -> None:
    draft = await each_registry.draft()
    before = repeated(MAX.principal, Role.ENGINEER)
    await each_registry.sealing.seal(before, draft, manifest_digest="", publish=None)

    demoted = repeated(MAX.principal, Role.DATA_SCIENTIST)
    with pytest.raises(NotFound):
        await each_registry.sealing.seal(demoted, draft, manifest_digest="", publish=None)


@pytest.mark.parametrize("removes", [False, True])
async def test_who_moves_protected_aliases_no_more_gets_no_first_answer_either(
    each_registry: Registry, removes: bool
) -> None:
    number = (await each_registry.ready()).number
    await each_registry.set_gate("alias-champion")
    champion = AliasName(*DIGITS, "champion")
    if removes:
        await each_registry.point("champion", number)

    async def move(call: Call) -> Committed[ShownAlias]:
        if removes:
            return await each_registry.aliases.delete(call, champion, expected=number, reason="")
        return await each_registry.aliases.set(call, champion, number, expected=None, reason="")

    first = await move(repeated(MAX.principal, Role.ENGINEER))
    with pytest.raises(PermissionDenied):
        await move(repeated(MAX.principal, Role.DATA_SCIENTIST))
    kept = await move(repeated(MAX.principal, Role.ENGINEER))

    assert (kept.is_replay, kept.answer) == (True, first.answer)
