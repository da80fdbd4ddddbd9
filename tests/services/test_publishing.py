"""Publishing: gates first, then a semantic version by rule, and why is kept."""

from dataclasses import replace

import pytest

from assay_server.domain.bumps import Asked
from assay_server.domain.errors import (
    BumpRequired,
    EtagMismatch,
    GateClosed,
    IllegalTransition,
    SemverTaken,
    SemverTooLow,
)
from assay_server.domain.evaluations import Direction, Metric, Slice
from assay_server.domain.facts import Facts, Signature, TensorSpec
from assay_server.domain.gates import (
    ChampionChange,
    Comparison,
    Rule,
    Threshold,
    TrustedEvaluator,
    WorstSlice,
)
from assay_server.domain.versions import Bump, VersionState
from tests.services.registry import ANN, EVE, MAX, SIGNED, Registry, again

ACCURATE = Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.9))
FAIR = Rule("worst-class", WorstSlice("accuracy", Comparison.AT_LEAST, 0.8, dimension="class"))
TRUSTED = Rule("trusted", TrustedEvaluator())
NOT_WORSE = Rule("not-worse", ChampionChange("accuracy", 0.0))

WIDER = Facts(
    signature=Signature(
        inputs=(TensorSpec("pixels", "float32", (-1, 784)),),
        outputs=(TensorSpec("label", "int64", (-1,)),),
    )
)


def eights(accuracy: float) -> tuple[Slice, ...]:
    metric = Metric("accuracy", accuracy, Direction.HIGHER_IS_BETTER, "ratio")
    return (Slice("class", "8", 50, (metric,)),)


async def test_without_a_gate_a_candidate_becomes_ready(registry: Registry) -> None:
    name = await registry.sealed()

    version = await registry.publish(name, by=ANN)

    assert (version.state, version.semver) == (VersionState.READY, "1.0.0")
    assert version.published_by == ANN.principal
    assert version.publish_verdict is not None
    assert version.publish_verdict.is_open
    assert version.semver_reasons == ("it is the first published version",)


async def test_a_closed_gate_names_every_unmet_rule_and_changes_nothing(
    registry: Registry,
) -> None:
    await registry.set_gate("publish", ACCURATE, FAIR)
    name = await registry.sealed()
    await registry.evaluate(name, 0.85, slices=eights(0.5))

    with pytest.raises(GateClosed) as refusal:
        await registry.publish(name)

    assert [finding.rule_id for finding in refusal.value.verdict.unmet] == [
        "accuracy",
        "worst-class",
    ]
    assert "class=8" in refusal.value.message
    found = await registry.versions.get(name)
    assert (found.answer.version.state, found.answer.version.semver) == (VersionState.CANDIDATE, "")


async def test_a_gate_on_the_model_adds_to_that_of_the_namespace(registry: Registry) -> None:
    await registry.set_gate("publish", ACCURATE)
    await registry.set_gate("publish", FAIR, on_model=True)
    name = await registry.sealed()
    await registry.evaluate(name, 0.95, slices=eights(0.5))

    with pytest.raises(GateClosed) as refusal:
        await registry.publish(name)

    findings = refusal.value.verdict.findings
    assert [(finding.rule_id, finding.is_met) for finding in findings] == [
        ("accuracy", True),
        ("worst-class", False),
    ]


async def test_the_authors_own_measurement_does_not_open_a_gate_that_asks_for_trust(
    registry: Registry,
) -> None:
    await registry.set_gate("publish", ACCURATE, TRUSTED)
    name = await registry.sealed(by=ANN)
    await registry.evaluate(name, 0.99, by=ANN)

    with pytest.raises(GateClosed, match="trusted evaluator"):
        await registry.publish(name)

    await registry.evaluate(name, 0.95, by=EVE)
    version = await registry.publish(name)
    assert version.state is VersionState.READY


async def test_a_version_is_held_against_the_champion(registry: Registry) -> None:
    champion, challenger = await registry.ready("a"), await registry.sealed("b")
    await registry.evaluate(champion, 0.95)
    await registry.evaluate(challenger, 0.94)
    await registry.point("champion", champion.number)
    await registry.set_gate("publish", NOT_WORSE)

    with pytest.raises(GateClosed, match=r"0\.94, and 0\.95 for version 1"):
        await registry.publish(challenger)


async def test_the_verdict_stays_as_it_was_when_the_gate_changes(registry: Registry) -> None:
    await registry.set_gate("publish", ACCURATE)
    name = await registry.sealed()
    evaluation = await registry.evaluate(name, 0.95)
    await registry.publish(name)
    await registry.set_gate(
        "publish", Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.99))
    )

    verdict = (await registry.versions.get(name)).answer.version.publish_verdict

    assert verdict is not None
    assert verdict.is_open
    assert verdict.evaluation_ids == (evaluation.evaluation_id,)
    assert verdict.findings[0].required == "at least 0.9"


async def test_a_retrain_is_a_patch_and_another_interface_a_major(registry: Registry) -> None:
    await registry.ready("a")

    retrained = await registry.publish(await registry.sealed("b"))
    rebuilt = await registry.publish(await registry.sealed("c", facts=WIDER))

    assert retrained.semver == "1.0.1"
    assert rebuilt.semver == "2.0.0"
    assert any("pixels" in reason for reason in rebuilt.semver_reasons)


async def test_less_than_the_rule_demands_is_refused_and_names_the_fields(
    registry: Registry,
) -> None:
    await registry.ready("a")
    name = await registry.sealed("b", facts=WIDER)

    with pytest.raises(SemverTooLow) as by_bump:
        await registry.publish(name, Asked(Bump.PATCH))
    with pytest.raises(SemverTooLow) as by_name:
        await registry.publish(name, Asked(semver="1.5.0"))

    assert "signature.inputs[pixels]" in by_bump.value.metadata["fields"]
    assert by_name.value.metadata["least"] == "2.0.0"


async def test_without_signatures_the_step_must_be_named(registry: Registry) -> None:
    await registry.ready("a", facts=Facts())
    name = await registry.sealed("b", facts=Facts())

    with pytest.raises(BumpRequired):
        await registry.publish(name)

    assert (await registry.publish(name, Asked(Bump.MINOR))).semver == "1.1.0"


async def test_a_deprecated_release_still_counts_as_what_callers_rely_on(
    registry: Registry,
) -> None:
    await registry.ready("a")
    old = await registry.ready("b")
    await registry.versions.deprecate(again(MAX), old, "use the next", etag="")

    with pytest.raises(SemverTooLow, match=r"1\.0\.2"):
        await registry.publish(await registry.sealed("c"), Asked(semver="1.0.1"))


async def test_the_semver_of_a_deleted_version_stays_taken(registry: Registry) -> None:
    await registry.ready("a")
    gone = await registry.ready("b")
    await registry.versions.delete(again(MAX), gone, "", etag="")
    name = await registry.sealed("c")

    with pytest.raises(SemverTaken, match="version 2"):
        await registry.publish(name, Asked(semver="1.0.1"))

    assert (await registry.publish(name)).semver == "1.0.2"


async def test_a_published_version_is_not_published_again(registry: Registry) -> None:
    name = await registry.ready()

    with pytest.raises(IllegalTransition, match=r"is READY and was published already, as 1\.0\.0;"):
        await registry.publish(name)


async def test_a_version_that_changed_since_it_was_read_is_not_published(
    registry: Registry,
) -> None:
    name = await registry.sealed()

    with pytest.raises(EtagMismatch):
        await registry.publishing.publish(again(ANN), name, Asked(), etag="stale")


async def test_a_prerelease_never_becomes_the_base(registry: Registry) -> None:
    await registry.ready("a")
    trial = await registry.publish(await registry.sealed("b"), Asked(semver="2.0.0-rc.1"))

    retrained = await registry.publish(await registry.sealed("c"))

    assert (trial.semver, retrained.semver) == ("2.0.0-rc.1", "1.0.1")


async def test_facts_that_say_nothing_more_are_no_reason_for_more_than_a_patch(
    registry: Registry,
) -> None:
    await registry.ready("a")
    tuned = replace(SIGNED, hyperparameters={"C": "10"})

    version = await registry.publish(await registry.sealed("a", facts=tuned))

    assert version.semver == "1.0.1"
