"""The main job over the wire: seal, measure, publish, point, resolve, and look back."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from assay.v1 import alias_pb2, draft_pb2, model_pb2, upload_pb2, version_pb2
from assay.v1 import evaluation_service_pb2 as evaluation_api
from assay.v1 import registry_service_pb2 as api
from assay_server.domain.access import Role
from tests.wire.publication import Team, accurate, team_on, worst_class
from tests.wire.registry import Registry, principal
from tests.wire.transfers import DIGITS

READY = version_pb2.VERSION_STATE_READY


@pytest_asyncio.fixture
async def team(registry: Registry) -> AsyncIterator[Team]:
    async with team_on(registry) as team:
        yield team


async def test_a_version_is_sealed_measured_published_and_found(team: Team) -> None:
    await team.set_gate("publish", accurate(), worst_class())
    sealed = await team.seal(await team.draft(card="# Digits"))
    evaluation = await team.evaluate(sealed.version.name, 0.97, eights=0.9)
    published = await team.publish(sealed.version.name)
    await team.point("champion", 1)
    resolved = await team.evaluator.registry.ResolveVersion(
        api.ResolveVersionRequest(reference="vision/digits@champion")
    )

    assert sealed.version.state == version_pb2.VERSION_STATE_CANDIDATE
    assert sealed.version.created_by == principal(Role.DATA_SCIENTIST)
    assert (published.version.state, published.version.semver) == (READY, "1.0.0")
    assert published.verdict.open
    assert published.verdict.evaluations == [evaluation.name]
    assert list(published.semver_reasons) == ["it is the first published version"]
    assert resolved.version.name == sealed.version.name
    assert resolved.version.aliases == ["champion"]
    assert resolved.revision >= published.revision > sealed.revision


async def test_a_version_keeps_its_verdict_files_and_card(team: Team) -> None:
    await team.set_gate("publish", accurate())
    sealed = await team.seal(await team.draft(card="# Digits"))
    await team.evaluate(sealed.version.name, 0.97)
    await team.publish(sealed.version.name)

    whole = await team.get(sealed.version.name)
    listed = await team.scientist.registry.ListVersions(api.ListVersionsRequest(parent=DIGITS))

    assert [file.path for file in whole.files] == ["model.bin"]
    assert whole.card == "# Digits"
    assert whole.publish_verdict.findings[0].required == "at least 0.9"
    assert not listed.versions[0].files
    assert not listed.versions[0].card
    assert listed.versions[0].file_count == 1
    assert listed.versions[0].size_bytes == len("weights")


async def test_the_same_record_is_sealed_once(team: Team) -> None:
    first = await team.seal(await team.draft())
    draft = await team.scientist.registry.CreateDraft(
        api.CreateDraftRequest(parent=DIGITS, draft=draft_pb2.Draft(facts=first.version.facts))
    )
    upload = await team.files.begin(draft.draft.name, b"weights")

    second = await team.seal(draft.draft.name)

    assert upload.state == upload_pb2.UPLOAD_STATE_COMPLETE
    assert (first.existed, second.existed) == (False, True)
    assert second.version.name == first.version.name


async def test_sealing_and_publishing_is_one_call_without_a_gate(team: Team) -> None:
    sealed = await team.seal(await team.draft(), publish=True)

    assert (sealed.version.state, sealed.version.semver) == (READY, "1.0.0")


async def test_a_retry_of_a_seal_gets_the_first_answer(team: Team) -> None:
    draft, request_id = await team.draft(), str(uuid.uuid4())

    first = await team.seal(draft, request_id=request_id)
    retry = await team.seal(draft, request_id=request_id)

    assert retry == first
    assert not retry.existed


async def test_a_model_is_edited_hidden_and_restored(team: Team) -> None:
    model = model_pb2.Model(name=DIGITS, task="image-classification", description="ignored")
    update = api.UpdateModelRequest(model=model)
    update.update_mask.paths.append("task")
    edited = await team.engineer.registry.UpdateModel(update)
    hidden = await team.engineer.registry.DeleteModel(api.DeleteModelRequest(name=DIGITS))
    listed = await team.engineer.registry.ListModels(
        api.ListModelsRequest(parent="namespaces/vision")
    )
    restored = await team.engineer.registry.UndeleteModel(api.UndeleteModelRequest(name=DIGITS))

    assert (edited.model.task, edited.model.description) == ("image-classification", "")
    assert hidden.model.HasField("delete_time")
    assert not listed.models
    assert not restored.model.HasField("delete_time")


async def test_pages_over_all_readable_namespaces_follow_each_other(team: Team) -> None:
    for model_id in ("letters", "faces"):
        await team.scientist.registry.CreateModel(
            api.CreateModelRequest(parent="namespaces/vision", model_id=model_id)
        )
    names: list[str] = []
    request = api.ListModelsRequest(parent="namespaces/-", page_size=2)
    while True:
        page = await team.scientist.registry.ListModels(request)
        names.extend(model.name.rpartition("/")[2] for model in page.models)
        request.page_token = page.next_page_token
        if not request.page_token:
            break

    assert names == ["digits", "faces", "letters"]


async def test_a_draft_is_changed_where_its_mask_says(team: Team) -> None:
    name = await team.draft(card="# Old")
    update = api.UpdateDraftRequest(draft=draft_pb2.Draft(name=name, card="# New"))
    update.update_mask.paths.append("card")

    changed = await team.scientist.registry.UpdateDraft(update)
    listed = await team.scientist.registry.ListDrafts(api.ListDraftsRequest(parent=DIGITS))

    assert changed.draft.card == "# New"
    assert changed.draft.facts.signature.inputs[0].name == "pixels"
    assert [draft.name for draft in listed.drafts] == [name]


async def test_the_history_of_an_alias_tells_who_why_and_what_the_gate_said(team: Team) -> None:
    first, second = await team.ready("a"), await team.ready("b")
    await team.point("champion", 1)
    await team.set_gate("alias-champion", accurate())
    await team.evaluate(second, 0.95)
    moved = await team.point("champion", 2, expected_version_number=1, reason="better")

    history = await team.scientist.registry.ListAliasMoves(
        api.ListAliasMovesRequest(parent=f"{DIGITS}/aliases/champion")
    )
    alias: alias_pb2.Alias = moved.alias

    assert (alias.version, alias.protected) == (second, True)
    assert [move.version_number for move in history.moves] == [2, 1]
    assert history.moves[0].reason == "better"
    assert history.moves[0].moved_by == principal(Role.ENGINEER)
    assert history.moves[0].verdict == moved.verdict
    assert history.moves[0].verdict.open
    assert not history.moves[1].HasField("verdict")
    assert history.moves[0].revision == moved.revision
    assert first != second


async def test_a_version_leaves_step_by_step(team: Team) -> None:
    name = await team.ready()
    versions = team.engineer.registry
    await versions.DeprecateVersion(api.DeprecateVersionRequest(name=name, reason="use 2"))
    warned = await versions.ResolveVersion(api.ResolveVersionRequest(reference="vision/digits@^1"))
    yanked = await versions.YankVersion(api.YankVersionRequest(name=name, reason="leaks"))
    deleted = await versions.DeleteVersion(api.DeleteVersionRequest(name=name))
    restored = await versions.UndeleteVersion(api.UndeleteVersionRequest(name=name))

    assert list(warned.warnings) == ["version 1 is deprecated: use 2"]
    assert yanked.version.state == version_pb2.VERSION_STATE_YANKED
    assert deleted.version.HasField("delete_time")
    assert restored.version.state == version_pb2.VERSION_STATE_YANKED


async def test_a_check_answers_like_the_move(team: Team) -> None:
    await team.set_gate("publish", accurate(), worst_class())
    name = await team.sealed()
    await team.evaluate(name, 0.97, eights=0.7)

    checked = await team.scientist.evaluation.CheckGate(
        evaluation_api.CheckGateRequest(version=name, gate_id="publish")
    )

    assert not checked.verdict.open
    assert [(finding.rule_id, finding.met) for finding in checked.verdict.findings] == [
        ("accuracy", True),
        ("worst-class", False),
    ]
    assert checked.verdict.findings[1].slice == "class=8"


async def test_a_batch_is_read_in_its_order(team: Team) -> None:
    first, second = await team.sealed("a"), await team.sealed("b")

    batch = await team.scientist.registry.BatchGetVersions(
        api.BatchGetVersionsRequest(parent="namespaces/vision", names=[second, first])
    )

    assert [version.name for version in batch.versions] == [second, first]
