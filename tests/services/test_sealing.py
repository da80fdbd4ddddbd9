"""Sealing: one number per record, whole or not at all."""

from dataclasses import replace

import pytest

from assay_server.domain.bumps import Asked
from assay_server.domain.calls import Change, Page
from assay_server.domain.errors import (
    DigestMismatch,
    DraftEmpty,
    DraftIncomplete,
    DraftNotOpen,
    DuplicatePath,
    GateClosed,
    IllegalTransition,
)
from assay_server.domain.facts import Runtime
from assay_server.domain.gates import Comparison, Rule, Threshold
from assay_server.domain.names import DraftName
from assay_server.domain.uploads import Upload, UploadState
from assay_server.domain.versions import DraftState, VersionState
from assay_server.ports.metadata import Transaction
from tests.services.registry import (
    ANN,
    DIGITS,
    MAX,
    NOON,
    SIGNED,
    Registry,
    again,
)

ACCURATE = Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.9))


async def test_versions_count_from_1_and_carry_what_was_stated(registry: Registry) -> None:
    first = await registry.seal(await registry.draft("a"))
    second = await registry.seal(await registry.draft("b"))

    assert (first.version.number, second.version.number) == (1, 2)
    assert first.version.state is VersionState.CANDIDATE
    assert first.version.facts == SIGNED
    assert (first.version.size_bytes, first.version.file_count) == (1, 1)
    model = await registry.models.get(DIGITS)
    assert model.answer.version_high_water == 2


async def test_the_same_record_is_sealed_once(registry: Registry) -> None:
    first = await registry.seal(await registry.draft("a"))
    draft = await registry.draft("a")

    second = await registry.seal(draft)

    assert second.existed
    assert second.version.number == first.version.number == 1
    found = await registry.drafts.get(ANN, draft)
    assert (found.answer.state, found.answer.sealed_number) == (DraftState.SEALED, 1)
    third = await registry.seal(await registry.draft("b"))
    assert third.version.number == 2


async def test_other_facts_about_the_same_files_are_another_version(registry: Registry) -> None:
    first = await registry.seal(await registry.draft("a"))
    other = replace(SIGNED, runtime=Runtime(language="python", language_version="3.12.1"))

    second = await registry.seal(await registry.draft("a", facts=other))

    assert not second.existed
    assert second.version.manifest.digest == first.version.manifest.digest
    assert second.version.record_digest != first.version.record_digest


async def test_a_sealed_draft_is_not_sealed_again(registry: Registry) -> None:
    draft = await registry.draft()
    await registry.seal(draft)

    with pytest.raises(DraftNotOpen) as refusal:
        await registry.seal(draft)

    assert refusal.value.metadata["version"] == "1"
    assert "it became version 1" in refusal.value.message


async def test_a_draft_without_files_is_not_sealed(registry: Registry) -> None:
    with pytest.raises(DraftEmpty):
        await registry.seal(await registry.draft(""))


async def test_a_draft_with_an_open_upload_is_not_sealed_and_stays_open(
    registry: Registry,
) -> None:
    draft = await registry.draft()
    await _open_upload(registry, draft, "weights.bin")

    with pytest.raises(DraftIncomplete, match="weights"):
        await registry.seal(draft)

    found = await registry.drafts.get(ANN, draft)
    assert found.answer.state is DraftState.OPEN


async def test_other_files_than_the_caller_expects_are_not_sealed(registry: Registry) -> None:
    draft = await registry.draft()

    with pytest.raises(DigestMismatch):
        await registry.seal(draft, digest="sha256:" + "0" * 64)

    sealed = await registry.seal(draft)
    assert sealed.version.number == 1


async def test_paths_that_differ_by_case_only_are_not_sealed(registry: Registry) -> None:
    name = await registry.draft()
    draft = (await registry.drafts.get(ANN, name)).answer
    await registry.put_file(draft, "other", path="MODEL.joblib")

    with pytest.raises(DuplicatePath):
        await registry.seal(name)


async def test_sealing_publishes_in_the_same_step_when_asked(registry: Registry) -> None:
    sealed = await registry.seal(await registry.draft(), publish=Asked())

    assert sealed.version.state is VersionState.READY
    assert sealed.version.semver == "1.0.0"


async def test_where_a_gate_closes_nothing_is_sealed(registry: Registry) -> None:
    await registry.set_gate("publish", ACCURATE)
    draft = await registry.draft()

    with pytest.raises(GateClosed):
        await registry.seal(draft, publish=Asked())

    found = await registry.drafts.get(ANN, draft)
    model = await registry.models.get(DIGITS)
    versions = await registry.versions.list(DIGITS, Page(10), states=frozenset(VersionState))
    assert found.answer.state is DraftState.OPEN
    assert model.answer.version_high_water == 0
    assert versions.answer.items == ()


async def test_the_same_record_sealed_with_publish_is_published_once(registry: Registry) -> None:
    await registry.sealed("a")

    first = await registry.seal(await registry.draft("a"), publish=Asked())
    second = await registry.seal(await registry.draft("a"), publish=Asked())

    assert first.existed
    assert second.existed
    assert first.version.semver == second.version.semver == "1.0.0"
    assert second.version.etag == first.version.etag


async def test_a_yanked_record_is_not_published_by_sealing_it_again(registry: Registry) -> None:
    name = await registry.ready("a")
    await registry.versions.yank(again(MAX), name, "leaks", etag="")

    with pytest.raises(IllegalTransition, match="is YANKED"):
        await registry.seal(await registry.draft("a"), publish=Asked())


async def _open_upload(registry: Registry, draft: DraftName, path: str) -> None:
    upload = Upload(
        *draft,
        upload_id="u1",
        path=path,
        size_bytes=10,
        sha256="",
        media_type="application/octet-stream",
        role="",
        state=UploadState.OPEN,
        durable_bytes=0,
        epoch=1,
        created_by=ANN.principal,
        create_time=NOON,
        expire_time=NOON,
    )

    async def add(tx: Transaction) -> Change[None]:
        await tx.uploads.add(upload)
        return Change(None)

    await registry.store.change(again(ANN), type(None), add)
