"""Evaluations: of the very files of a version, trusted or not, never changed."""

from dataclasses import replace

import pytest

from assay_server.domain.access import Role
from assay_server.domain.calls import Page
from assay_server.domain.errors import InvalidField, ModelIsDeleted, NotFound
from assay_server.domain.evaluations import Trust
from assay_server.domain.names import EvaluationName, VersionName
from tests.services.registry import ANN, BOB, DIGITS, EVE, MAX, Registry, again, caller


async def test_an_evaluator_that_is_not_the_author_is_trusted(registry: Registry) -> None:
    name = await registry.sealed(by=ANN)
    author_as_evaluator = caller(ANN.principal, Role.EVALUATOR, Role.DATA_SCIENTIST)

    by_evaluator = await registry.evaluate(name, 0.9, by=EVE)
    by_colleague = await registry.evaluate(name, 0.9, by=BOB)
    by_author = await registry.evaluate(name, 0.9, by=author_as_evaluator)

    assert by_evaluator.trust is Trust.TRUSTED
    assert by_colleague.trust is Trust.SELF_REPORTED
    assert by_author.trust is Trust.SELF_REPORTED


async def test_an_evaluation_carries_the_digest_of_the_files_it_measured(
    registry: Registry,
) -> None:
    name = await registry.sealed()

    evaluation = await registry.evaluate(name, 0.9)

    version = (await registry.versions.get(name)).answer.version
    assert evaluation.manifest_digest == version.manifest.digest
    found = await registry.evaluations.get(EvaluationName(*name, evaluation.evaluation_id))
    assert found.answer == evaluation


async def test_what_was_measured_of_other_files_is_refused(registry: Registry) -> None:
    name = await registry.sealed()
    measured = await registry.evaluate(name, 0.9)
    other = replace(measured, manifest_digest="sha256:" + "0" * 64)

    with pytest.raises(InvalidField, match="record it on the version that was measured"):
        await registry.evaluations.record(again(EVE), other)


async def test_a_version_must_exist_to_be_measured(registry: Registry) -> None:
    with pytest.raises(NotFound):
        await registry.evaluate(VersionName(*DIGITS, 1), 0.9)


async def test_nothing_is_recorded_of_a_deleted_model(registry: Registry) -> None:
    name = await registry.sealed()
    await registry.models.delete(again(MAX), DIGITS, etag="")

    with pytest.raises(ModelIsDeleted):
        await registry.evaluate(name, 0.9)


async def test_a_list_is_newest_first_and_of_one_version_only(registry: Registry) -> None:
    first, second = await registry.sealed("a"), await registry.sealed("b")
    older = await registry.evaluate(first, 0.8)
    newer = await registry.evaluate(first, 0.9)
    await registry.evaluate(second, 0.7)

    listed = (await registry.evaluations.list(first, Page(10))).answer.items

    assert [evaluation.evaluation_id for evaluation in listed] == [
        newer.evaluation_id,
        older.evaluation_id,
    ]
    with pytest.raises(NotFound):
        await registry.evaluations.list(VersionName(*DIGITS, 9), Page(10))
