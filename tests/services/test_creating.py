"""A version made in one call: what sealing a draft would have made, under the same rules."""

import hashlib
from dataclasses import replace

import pytest

from assay_server.access.permissions import Permission
from assay_server.domain.bumps import Asked
from assay_server.domain.calls import Call, Page
from assay_server.domain.errors import (
    BumpRequired,
    DigestMismatch,
    DuplicatePath,
    FilesMissing,
    GateClosed,
    IllegalTransition,
    ModelIsDeleted,
    NotFound,
)
from assay_server.domain.facts import Facts
from assay_server.domain.gates import Comparison, Rule, Threshold
from assay_server.domain.manifest import File
from assay_server.domain.models import ModelChange
from assay_server.domain.names import ModelName, VersionName
from assay_server.domain.versions import Bump, DraftChange, VersionState
from assay_server.services.sealing import SealedVersion
from tests.services.registry import ANN, DIGITS, MAX, SIGNED, Registry, again

ACCURATE = Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.9))
LETTERS = ModelName("vision", "letters")


def file_of(content: str, path: str = "model.joblib") -> File:
    return File(path, len(content), hashlib.sha256(content.encode()).hexdigest())


async def create(
    registry: Registry,
    *files: File,
    by: Call = ANN,
    model: ModelName = DIGITS,
    facts: Facts = SIGNED,
    digest: str = "",
    publish: Asked | None = None,
) -> SealedVersion:
    wanted = DraftChange(facts=facts, description="made at once", card="# Card", tags={"a": "b"})
    made = await registry.sealing.create(
        again(by), model, wanted, files, manifest_digest=digest, publish=publish
    )
    return made.answer


async def test_it_is_the_version_that_a_draft_would_have_become(each_registry: Registry) -> None:
    registry = each_registry
    await registry.models.create(again(ANN), LETTERS, ModelChange())
    await registry.sealed("a")
    await registry.publish(await registry.sealed("b"))
    patch = Asked(Bump.PATCH)
    of_draft = await registry.seal(await registry.draft("c"), publish=patch)
    other = await registry.seal(await registry.draft("a", model=LETTERS), publish=None)

    created = await create(
        registry, file_of("c"), model=LETTERS, publish=None, digest=of_draft.version.manifest.digest
    )
    published = await create(registry, file_of("a", "new/path.bin"), publish=patch)

    assert (created.version.number, created.existed, other.version.number) == (2, False, 1)
    kept = (await registry.versions.get(VersionName(*LETTERS, 2))).answer.version
    assert kept.manifest.files == (file_of("c"),)
    assert (kept.description, kept.card, kept.tags) == ("made at once", "# Card", {"a": "b"})
    assert (kept.created_by, kept.state) == (ANN.principal, VersionState.CANDIDATE)
    assert kept.record_digest == of_draft.version.record_digest
    assert (published.version.number, published.version.semver) == (4, "1.0.2")
    by_draft = await registry.seal(await registry.draft("a", model=LETTERS))
    assert by_draft.existed


async def test_nothing_changes_where_the_same_version_is_there(registry: Registry) -> None:
    await registry.sealed("a")
    before = await registry.store.wait_past(-1, 0)

    created = await create(registry, file_of("a"))

    assert (created.version.number, created.existed) == (1, True)
    assert await registry.store.wait_past(-1, 0) == before
    assert not (await registry.drafts.list(MAX, DIGITS, Page(9))).answer.items


async def test_a_candidate_that_is_there_can_be_published_so(registry: Registry) -> None:
    await registry.sealed("a")

    created = await create(registry, file_of("a"), publish=Asked())

    assert (created.existed, created.version.state) == (True, VersionState.READY)


async def test_content_that_is_nowhere_is_named_and_nothing_is_made(registry: Registry) -> None:
    await registry.sealed("a")
    wrong_size = replace(file_of("a", "wrong"), size_bytes=2)

    with pytest.raises(FilesMissing) as caught:
        await create(registry, file_of("a"), file_of("b", "new"), wrong_size)

    assert caught.value.paths == ("new", "wrong")
    assert (await registry.models.get(DIGITS)).answer.version_high_water == 1


async def test_knowing_a_digest_is_not_enough(registry: Registry) -> None:
    await registry.sealed("a")
    await registry.models.create(again(ANN), LETTERS, ModelChange())
    await registry.draft("drafted")
    blind = replace(ANN, permissions=ANN.permissions - {Permission.ARTIFACTS_READ})
    narrow = replace(ANN, readable_namespaces=frozenset({"sound"}))

    for by, model, content in (
        (blind, DIGITS, "a"),
        (narrow, LETTERS, "a"),
        (ANN, DIGITS, "drafted"),
    ):
        with pytest.raises(FilesMissing):
            await create(registry, file_of(content), by=by, model=model)
    assert (await create(registry, file_of("a", "p"), by=narrow)).version.number == 2


async def test_the_content_of_a_deleted_version_is_nowhere(registry: Registry) -> None:
    name = await registry.sealed("a")
    await registry.versions.delete(again(MAX), name, "gone", etag="")

    with pytest.raises(FilesMissing):
        await create(registry, file_of("a"))


@pytest.mark.parametrize("publish", [None, Asked()])
async def test_what_was_deleted_is_not_made_again_but_undeleted(
    each_registry: Registry, publish: Asked | None
) -> None:
    registry = each_registry
    name = await registry.sealed("a")
    await registry.sealed("a", facts=replace(SIGNED, hyperparameters={"c": "1"}))
    await registry.versions.delete(again(MAX), name, "gone", etag="")
    draft = await registry.draft("a")

    with pytest.raises(IllegalTransition, match="has the same files and facts; undelete it first"):
        await registry.seal(draft, publish=publish)
    with pytest.raises(IllegalTransition, match="has the same files and facts; undelete it first"):
        await create(registry, file_of("a"), publish=publish)

    await registry.versions.undelete(again(MAX), name)
    sealed = await registry.seal(draft)
    assert (sealed.version.number, sealed.existed) == (1, True)


async def test_a_closed_gate_lets_nothing_through(each_registry: Registry) -> None:
    registry = each_registry
    await registry.sealed("a")
    await registry.set_gate("publish", ACCURATE)

    with pytest.raises(GateClosed):
        await create(registry, file_of("a", "other"), publish=Asked())

    assert (await registry.models.get(DIGITS)).answer.version_high_water == 1
    assert (await create(registry, file_of("a", "other"))).version.number == 2


async def test_without_a_signature_the_step_must_be_named(registry: Registry) -> None:
    await registry.publish(await registry.sealed("a"))

    with pytest.raises(
        BumpRequired, match="the new version of namespaces/vision/models/digits has"
    ):
        await create(registry, file_of("a", "other"), facts=Facts(), publish=Asked())


async def test_files_are_checked_as_those_of_a_draft(registry: Registry) -> None:
    await registry.sealed("a")

    with pytest.raises(DuplicatePath):
        await create(registry, file_of("a", "A"), file_of("a", "a"))
    with pytest.raises(DigestMismatch):
        await create(registry, file_of("a"), digest="sha256:" + "0" * 64)


async def test_it_needs_a_live_model(registry: Registry) -> None:
    await registry.sealed("a")
    with pytest.raises(NotFound, match="letters"):
        await create(registry, file_of("a"), model=LETTERS)
    await registry.models.delete(again(MAX), DIGITS, etag="")

    with pytest.raises(ModelIsDeleted):
        await create(registry, file_of("a"))
