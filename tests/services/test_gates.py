"""Gates: set with an etag, listed for namespace and model, asked without moving anything."""

import pytest

from assay_server.domain.calls import Page
from assay_server.domain.errors import EtagMismatch, NotFound
from assay_server.domain.gates import (
    ChampionChange,
    Comparison,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    WorstSlice,
)
from assay_server.domain.names import GateName, Scope
from assay_server.domain.versions import VersionState
from tests.services.registry import MAX, Registry, again

PUBLISH = GateName("vision", "", "publish")
ACCURATE = Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.9))
EVERY_KIND = (
    ACCURATE,
    Rule("not-worse", ChampionChange("accuracy", -0.01, is_relative=True, alias_id="stable")),
    Rule("worst", WorstSlice("accuracy", Comparison.AT_MOST, 0.1, dimension="class")),
    Rule("gap", SliceGap("accuracy", 0.2, dimension="class")),
    Rule("samples", MinimumSamples(100, per_slice=True)),
    Rule("trusted", TrustedEvaluator(("spiffe://lab/eve",))),
)


async def test_every_kind_of_rule_is_read_back_as_it_was_set(registry: Registry) -> None:
    gate = await registry.set_gate("publish", *EVERY_KIND)

    found = await registry.gates.get(PUBLISH)

    assert found.answer == gate
    assert found.answer.rules == EVERY_KIND


async def test_a_gate_set_on_a_stale_etag_stays_as_it_is(registry: Registry) -> None:
    first = await registry.set_gate("publish", ACCURATE)
    await registry.set_gate("publish", *EVERY_KIND)

    with pytest.raises(EtagMismatch):
        await registry.gates.set(
            again(MAX), PUBLISH, (ACCURATE,), dataset_digest="", description="", etag=first.etag
        )

    assert (await registry.gates.get(PUBLISH)).answer.rules == EVERY_KIND


async def test_a_gate_that_is_gone_is_not_set_on_its_old_etag(registry: Registry) -> None:
    gate = await registry.set_gate("publish", ACCURATE)
    await registry.gates.delete(again(MAX), PUBLISH, etag=gate.etag)

    with pytest.raises(EtagMismatch):
        await registry.gates.set(
            again(MAX), PUBLISH, (ACCURATE,), dataset_digest="", description="", etag=gate.etag
        )
    with pytest.raises(NotFound):
        await registry.gates.delete(again(MAX), PUBLISH, etag="")


async def test_a_gate_needs_what_it_guards(registry: Registry) -> None:
    for name in (GateName("nowhere", "", "publish"), GateName("vision", "letters", "publish")):
        with pytest.raises(NotFound):
            await registry.gates.set(
                again(MAX), name, (ACCURATE,), dataset_digest="", description="", etag=""
            )


async def test_a_list_for_a_model_has_the_gates_of_its_namespace_too(registry: Registry) -> None:
    await registry.set_gate("publish", ACCURATE)
    await registry.set_gate("alias-champion", ACCURATE, on_model=True)

    of_model = (await registry.gates.list(Scope("vision", "digits"), Page(10))).answer.items
    of_namespace = (await registry.gates.list(Scope("vision"), Page(10))).answer.items

    assert {gate.gate_id for gate in of_model} == {"publish", "alias-champion"}
    assert {gate.gate_id for gate in of_namespace} == {"publish"}
    with pytest.raises(NotFound):
        await registry.gates.list(Scope("vision", "letters"), Page(10))


async def test_a_check_answers_like_the_move_and_moves_nothing(registry: Registry) -> None:
    await registry.set_gate("publish", ACCURATE)
    name = await registry.sealed()

    closed = (await registry.gates.check(name, "publish")).answer
    await registry.evaluate(name, 0.95)
    opened = (await registry.gates.check(name, "publish")).answer

    assert (closed.is_open, opened.is_open) == (False, True)
    version = (await registry.versions.get(name)).answer.version
    assert version.state is VersionState.CANDIDATE
    assert (await registry.publish(name)).publish_verdict == opened
