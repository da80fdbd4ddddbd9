"""Request ids: a retry gets the first answer, another payload is refused."""

import uuid

import pytest

from assay_server.domain.calls import Call, Page
from assay_server.domain.errors import RequestIdReused
from assay_server.domain.versions import DraftChange
from tests.services.registry import ANN, DIGITS, Registry, caller

SCIENTIST = next(iter(ANN.roles))


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
