"""Models: names for ever, deletion that can be undone, and what it stops."""

from dataclasses import replace

import pytest

from assay_server.domain.calls import Page
from assay_server.domain.errors import AlreadyExists, EtagMismatch, ModelIsDeleted, NotFound
from assay_server.domain.models import ModelChange
from assay_server.domain.names import ModelName
from assay_server.domain.references import parse_reference
from tests.services.registry import ANN, DIGITS, MAX, Registry, again, caller


async def test_a_model_needs_its_namespace(registry: Registry) -> None:
    with pytest.raises(NotFound, match="namespaces/nowhere does not exist"):
        await registry.models.create(again(ANN), ModelName("nowhere", "x"), ModelChange())


async def test_a_name_is_never_given_twice_even_after_deletion(registry: Registry) -> None:
    await registry.models.delete(again(MAX), DIGITS, etag="")

    with pytest.raises(AlreadyExists):
        await registry.models.create(again(ANN), DIGITS, ModelChange())


async def test_an_update_with_a_stale_etag_changes_nothing(registry: Registry) -> None:
    before = await registry.models.get(DIGITS)
    change = ModelChange(description="Reads digits")
    await registry.models.update(again(ANN), DIGITS, change, etag=before.answer.etag)

    stale = ModelChange(description="Other")
    with pytest.raises(EtagMismatch):
        await registry.models.update(again(ANN), DIGITS, stale, etag=before.answer.etag)

    after = await registry.models.get(DIGITS)
    assert after.answer.description == "Reads digits"
    assert after.answer.task == "image-classification"
    assert after.revision > before.revision


async def test_a_deleted_model_refuses_drafts_seals_aliases_and_resolves(
    registry: Registry,
) -> None:
    version, draft = await registry.ready(), await registry.draft("b")
    await registry.models.delete(again(MAX), DIGITS, etag="")

    with pytest.raises(ModelIsDeleted):
        await registry.draft("c")
    with pytest.raises(ModelIsDeleted):
        await registry.seal(draft)
    with pytest.raises(ModelIsDeleted):
        await registry.point("champion", version.number)
    with pytest.raises(ModelIsDeleted):
        await registry.resolving.resolve(parse_reference("vision/digits/1"))


async def test_a_restored_model_is_as_it_was(registry: Registry) -> None:
    await registry.ready()
    await registry.models.delete(again(MAX), DIGITS, etag="")

    restored = await registry.models.undelete(again(MAX), DIGITS)

    assert restored.answer.delete_time is None
    found = await registry.resolving.resolve(parse_reference("vision/digits@latest"))
    assert found.answer.version.number == 1


async def test_deleted_models_are_listed_only_when_asked_for(registry: Registry) -> None:
    await registry.models.create(again(ANN), ModelName("vision", "letters"), ModelChange())
    await registry.models.delete(again(MAX), DIGITS, etag="")

    shown = await registry.models.list(MAX, "vision", Page(10), show_deleted=False)
    every = await registry.models.list(MAX, "vision", Page(10), show_deleted=True)

    assert [model.model_id for model in shown.answer.items] == ["letters"]
    assert [model.model_id for model in every.answer.items] == ["digits", "letters"]


async def test_a_list_over_all_namespaces_shows_those_that_may_be_read(registry: Registry) -> None:
    await registry.add_namespace("speech")
    await registry.models.create(again(MAX), ModelName("speech", "words"), ModelChange())
    limited = replace(caller("spiffe://lab/zoe"), readable_namespaces=frozenset({"speech"}))

    every = await registry.models.list(MAX, "-", Page(10), show_deleted=False)
    some = await registry.models.list(limited, "-", Page(10), show_deleted=False)

    assert [model.model_id for model in every.answer.items] == ["words", "digits"]
    assert [model.model_id for model in some.answer.items] == ["words"]
