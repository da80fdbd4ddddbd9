"""Bad input to the registry: the right status, a reason, and a sentence that says what to do."""

import math
import uuid
from collections.abc import AsyncIterator

import grpc
import pytest_asyncio
from google.rpc import error_details_pb2

from assay.v1 import evaluation_pb2, gate_pb2, model_pb2, version_pb2
from assay.v1 import evaluation_service_pb2 as evaluation_api
from assay.v1 import registry_service_pb2 as api
from assay_server.domain.access import Role
from tests.wire.mutations import of_content
from tests.wire.publication import HIGHER, TEST_SET, Team, accurate, team_on, worst_class
from tests.wire.registry import Registry
from tests.wire.scripted import details_of, info_of, refusal
from tests.wire.transfers import DIGITS, digest

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
NOT_FOUND = grpc.StatusCode.NOT_FOUND
ABORTED = grpc.StatusCode.ABORTED


@pytest_asyncio.fixture
async def team(registry: Registry) -> AsyncIterator[Team]:
    async with team_on(registry) as team:
        yield team


def told(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    return error.code(), info_of(error).reason


async def test_a_reference_to_nothing_says_what_is_missing(team: Team) -> None:
    cases = [
        ("vision/digits/9", NOT_FOUND, "RESOURCE_NOT_FOUND", "versions/9 does not exist"),
        ("vision/letters/1", NOT_FOUND, "RESOURCE_NOT_FOUND", "does not exist, or you may not"),
        ("vision/digits@champion", NOT_FOUND, "RESOURCE_NOT_FOUND", "aliases/champion does not"),
        ("vision/digits@latest", NOT_FOUND, "NOTHING_RESOLVES", "publish one first"),
        ("vision/digits@^2", NOT_FOUND, "NOTHING_RESOLVES", "no READY or DEPRECATED release"),
        ("vision/digits@1.x", INVALID, "REFERENCE_INVALID", "Write one like vision/digits/7"),
        ("digits", INVALID, "REFERENCE_INVALID", "Write one like vision/digits/7"),
    ]
    for reference, status, reason, sentence in cases:
        request = api.ResolveVersionRequest(reference=reference)

        error = await refusal(team.scientist.registry.ResolveVersion(request))

        assert told(error) == (status, reason), reference
        assert sentence in (error.details() or ""), reference


async def test_a_version_of_content_that_is_nowhere_is_told_which(team: Team) -> None:
    await team.sealed("had")
    request = of_content(b"had")
    made = await team.scientist.registry.CreateVersion(request)
    many = [request.version.files.add(path=f"new/{n:04}", size_bytes=1) for n in range(400)]
    for file in many:
        file.digest = digest(file.path.encode())

    error = await refusal(team.scientist.registry.CreateVersion(request))
    request.version.ClearField("files")
    empty = await refusal(team.scientist.registry.CreateVersion(request))

    assert (made.version.number, made.existed) == (2, False)
    assert told(error) == (PRECONDITION, "FILES_MISSING")
    assert "'new/0000', 'new/0001'" in (error.details() or "")
    assert "and 380 more" in (error.details() or "")
    assert info_of(error).metadata["model"] == DIGITS
    assert "again.bin" not in info_of(error).metadata["paths"]
    missing = error_details_pb2.PreconditionFailure()
    assert any(each.Unpack(missing) for each in details_of(error).details)
    assert missing.violations[0].subject == "new/0000"
    assert "push this file" in missing.violations[0].description
    assert told(empty) == (INVALID, "FIELD_INVALID")


async def test_the_loser_of_an_alias_race_learns_where_it_points(team: Team) -> None:
    await team.ready("a")
    await team.ready("b")
    await team.point("champion", 1)

    lost = await refusal(team.point("champion", 2, expected_version_number=2))
    blind = await refusal(team.point("champion", 2))

    for error in (lost, blind):
        assert told(error) == (ABORTED, "ALIAS_MOVED")
        assert info_of(error).metadata["current_version_number"] == "1"
    assert "someone moved it first" in (lost.details() or "")


async def test_a_request_id_used_for_another_payload_is_refused(team: Team) -> None:
    request_id = str(uuid.uuid4())
    parent = "namespaces/vision"
    await team.scientist.registry.CreateModel(
        api.CreateModelRequest(parent=parent, model_id="letters", request_id=request_id)
    )

    error = await refusal(
        team.scientist.registry.CreateModel(
            api.CreateModelRequest(parent=parent, model_id="faces", request_id=request_id)
        )
    )

    assert told(error) == (INVALID, "REQUEST_ID_REUSED")
    assert "Make a new one" in (error.details() or "")


async def test_a_metric_that_is_no_number_is_refused(team: Team) -> None:
    name = await team.sealed()
    for value in (math.nan, math.inf, -math.inf):
        metric = evaluation_pb2.Metric(metric="accuracy", value=value, direction=HIGHER)
        evaluation = evaluation_pb2.Evaluation(dataset=TEST_SET, metrics=[metric], sample_count=1)

        error = await refusal(
            team.evaluator.evaluation.ImportEvaluation(
                evaluation_api.ImportEvaluationRequest(parent=name, evaluation=evaluation)
            )
        )

        assert told(error) == (INVALID, "METRIC_INVALID")
        assert info_of(error).metadata["metric"] == "accuracy"
        assert "only finite numbers can be compared" in (error.details() or "")


async def test_a_semver_lower_than_the_rule_names_the_fields(team: Team) -> None:
    await team.ready("a")
    wider = await team.sealed("b", width=784)

    error = await refusal(team.publish(wider, semver="1.1.0"))
    by_bump = await refusal(team.publish(wider, bump=version_pb2.BUMP_PATCH))

    assert told(error) == told(by_bump) == (PRECONDITION, "SEMVER_TOO_LOW")
    assert info_of(error).metadata["least"] == "2.0.0"
    assert "signature.inputs[pixels]" in info_of(error).metadata["fields"]
    assert "it must be at least 2.0.0, because" in (error.details() or "")


async def test_a_sealed_draft_is_not_sealed_again(team: Team) -> None:
    draft = await team.draft()
    await team.seal(draft)

    error = await refusal(team.seal(draft))

    assert told(error) == (PRECONDITION, "DRAFT_NOT_OPEN")
    assert info_of(error).metadata["version"] == "1"
    assert "Make a new draft" in (error.details() or "")


async def test_a_draft_that_is_empty_or_unfinished_is_not_sealed(team: Team) -> None:
    empty = await team.draft("")
    unfinished = await team.draft("")
    await team.files.begin(unfinished, b"weights", path="weights/model.bin")

    without_files = await refusal(team.seal(empty))
    with_upload = await refusal(team.seal(unfinished))

    assert told(without_files) == (PRECONDITION, "DRAFT_EMPTY")
    assert told(with_upload) == (PRECONDITION, "DRAFT_INCOMPLETE")
    assert "weights/model.bin" in (with_upload.details() or "")


async def test_other_files_than_expected_are_not_sealed(team: Team) -> None:
    draft = await team.draft()

    wrong = await refusal(team.seal(draft, manifest_digest="sha256:" + "0" * 64))
    unreadable = await refusal(team.seal(draft, manifest_digest="md5:1"))

    assert told(wrong) == (grpc.StatusCode.DATA_LOSS, "DIGEST_MISMATCH")
    assert told(unreadable) == (INVALID, "FIELD_INVALID")


async def test_a_closed_gate_names_every_unmet_rule_and_the_slice(team: Team) -> None:
    await team.set_gate("publish", accurate(), worst_class())
    name = await team.sealed()
    await team.evaluate(name, 0.8, eights=0.4)

    error = await refusal(team.publish(name))

    sentence = error.details() or ""
    assert told(error) == (PRECONDITION, "GATE_CLOSED")
    assert info_of(error).metadata["gate_id"] == "publish"
    assert "accuracy is 0.8, needs at least 0.9" in sentence
    assert "class=8" in sentence
    assert (await team.get(name)).state == version_pb2.VERSION_STATE_CANDIDATE


async def test_a_protected_alias_says_who_may_move_it(team: Team) -> None:
    name = await team.ready()
    await team.evaluate(name, 0.95)
    await team.set_gate("alias-champion", accurate())
    request = api.SetAliasRequest(name=f"{DIGITS}/aliases/champion", version_number=1)

    error = await refusal(team.scientist.registry.SetAlias(request))

    assert told(error) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING")
    assert info_of(error).metadata["permission"] == "aliases.move-protected"
    assert "engineer" in (error.details() or "")


async def test_a_version_in_use_or_unpublished_says_what_stands_in_the_way(team: Team) -> None:
    ready, candidate = await team.ready("a"), await team.sealed("b")
    await team.point("champion", 1)

    in_use = await refusal(
        team.engineer.registry.DeleteVersion(api.DeleteVersionRequest(name=ready))
    )
    not_ready = await refusal(team.point("stable", 2))
    again = await refusal(team.publish(ready))

    assert told(in_use) == (PRECONDITION, "VERSION_IN_USE")
    assert "champion" in (in_use.details() or "")
    assert told(not_ready) == (PRECONDITION, "VERSION_NOT_READY")
    assert told(again) == (PRECONDITION, "TRANSITION_ILLEGAL")
    assert candidate.endswith("/2")


async def test_a_page_token_of_another_query_is_refused(team: Team) -> None:
    await team.sealed("a")
    await team.sealed("b")
    page = await team.scientist.registry.ListVersions(
        api.ListVersionsRequest(parent=DIGITS, page_size=1)
    )
    other = api.ListVersionsRequest(
        parent=DIGITS, page_token=page.next_page_token, show_deleted=True
    )

    error = await refusal(team.scientist.registry.ListVersions(other))

    assert told(error) == (INVALID, "PAGE_TOKEN_INVALID")


async def test_input_is_refused_where_it_breaks_its_rule(team: Team) -> None:
    registry, evaluation = team.engineer.registry, team.engineer.evaluation
    nameless = gate_pb2.Gate(name="namespaces/vision/gates/publish", rules=[gate_pb2.Rule()])
    foreign = f"{DIGITS.replace('vision', 'speech')}/versions/1"
    update = api.UpdateModelRequest(model=model_pb2.Model(name=DIGITS))
    update.update_mask.paths.append("created_by")
    cases = [
        (registry.CreateModel(api.CreateModelRequest(parent="namespaces/vision", model_id="1x")),
         "NAME_INVALID"),
        (registry.UpdateModel(update), "UPDATE_MASK_INVALID"),
        (registry.YankVersion(api.YankVersionRequest(name=f"{DIGITS}/versions/1")),
         "FIELD_INVALID"),
        (registry.BatchGetVersions(
            api.BatchGetVersionsRequest(parent="namespaces/vision", names=[foreign])),
         "FIELD_INVALID"),
        (registry.ListModels(api.ListModelsRequest(parent="namespaces/vision", page_size=-1)),
         "FIELD_INVALID"),
        (registry.SetAlias(
            api.SetAliasRequest(name=f"{DIGITS}/aliases/latest", version_number=1)),
         "NAME_INVALID"),
        (evaluation.SetGate(evaluation_api.SetGateRequest(gate=nameless)), "FIELD_INVALID"),
        (evaluation.CheckGate(
            evaluation_api.CheckGateRequest(version=f"{DIGITS}/versions/1", gate_id="release")),
         "NAME_INVALID"),
    ]  # fmt: skip

    reasons = [(*told(await refusal(call)), expected) for call, expected in cases]

    assert [(status, reason) for status, reason, _ in reasons] == [
        (INVALID, expected) for *_, expected in reasons
    ]


async def test_a_draft_of_another_is_not_there(team: Team, registry: Registry) -> None:
    draft = await team.draft()
    async with registry.stubs(Role.CONSUMER) as consumer, registry.stubs(Role.ENGINEER) as manager:
        hidden = await refusal(consumer.registry.GetDraft(api.GetDraftRequest(name=draft)))
        seen = await manager.registry.GetDraft(api.GetDraftRequest(name=draft))

    assert hidden.code() in {NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED}
    assert seen.draft.name == draft
