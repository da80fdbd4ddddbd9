"""From training to @champion: the steps in which a model proves itself, or does not."""

import digits as lab
from stage import CHAMPION, MODEL, NAMESPACE, Stage

from assay import rules
from assay.cli.screens import evaluations, gates, versions
from assay.errors import GateClosed
from assay.v1.evaluation_pb2 import Trust
from assay.v1.version_pb2 import ModelVersion, VersionState

ACCURACY_MIN = 0.95
WORST_CLASS_MIN = 0.9
CLASS_GAP_MAX = 0.1
LATENCY_P99_MS_MAX = 500.0
"""Far above what these models need: a busy machine must not decide the demo."""


def train_and_push(stage: Stage) -> ModelVersion:
    """A good model becomes a candidate."""
    tell = stage.narrator
    tell.step(
        "A data scientist trains a model and pushes it",
        "1,797 images of handwritten digits, 8 × 8 pixels; 70 % to train on, 30 % to measure on. "
        "push() takes the live model and five images. It saves the model, infers what there is to "
        "infer, streams the bytes, and seals all of it as a version that never changes.",
    )
    stage.registry.create_namespace(NAMESPACE, display_name="Computer vision")
    stage.scientist.create_model(
        MODEL,
        display_name="Digits",
        description="Reads handwritten digits.",
        task="image-classification",
        keywords=["digits", "handwriting"],
    )
    with tell.timed("trained a linear classifier"):
        model = lab.train_linear(stage.data)
    with tell.timed("pushed it"):
        version = stage.push(model, stage.data, description="A linear classifier.")
    version = stage.scientist.get_version(version)
    tell.shows(*versions.shown(version))
    facts = version.facts
    tell.checks_that(
        version.number == 1 and version.state == VersionState.VERSION_STATE_CANDIDATE,
        "it is version 1, a CANDIDATE: nobody is served it yet",
    )
    tell.checks_that(
        list(facts.signature.inputs[0].shape) == [-1, 64]
        and facts.format.framework == "scikit-learn"
        and "scikit-learn" in facts.runtime.packages
        and len(facts.hyperparameters) > 0,
        "signature, runtime, format and hyperparameters were inferred, not typed",
    )
    tell.checks_that(
        facts.lineage.datasets[0].digest.startswith("sha256:") and bool(version.card),
        "the digest of the training data and a model card are sealed with it",
    )
    return version


def set_gates(stage: Stage) -> None:
    """An engineer says what must hold."""
    tell = stage.narrator
    tell.step(
        "An engineer says what a model must prove",
        "A gate is a list of rules. This one must open before a version is published; a second "
        "one guards the name @champion.",
    )
    gate = stage.engineer.set_gate(
        MODEL,
        "publish",
        description="What serving relies on.",
        dataset_digest=stage.test_data.digest,
        rules=[
            rules.threshold("accuracy", at_least=ACCURACY_MIN),
            rules.worst_slice(
                "accuracy", at_least=WORST_CLASS_MIN, dimension="class", rule_id="worst-class"
            ),
            rules.slice_gap(
                "accuracy", at_most=CLASS_GAP_MAX, dimension="class", rule_id="class-gap"
            ),
            rules.champion_change("accuracy", worsening_at_most=0.005, rule_id="not-worse"),
            rules.threshold("latency_p99", at_most=LATENCY_P99_MS_MAX),
            rules.minimum_samples(500),
            rules.trusted_evaluator(),
        ],
    )
    guard = stage.engineer.set_gate(
        MODEL,
        "alias-champion",
        description="The champion never gets worse.",
        dataset_digest=stage.test_data.digest,
        rules=[rules.champion_change("accuracy", rule_id="not-worse"), rules.trusted_evaluator()],
    )
    tell.shows(*gates.shown(gate))
    tell.checks_that(len(gate.rules) == 7, "seven rules guard publication")
    tell.checks_that(len(guard.rules) == 2, "two rules guard @champion")


def refuse_own_word(stage: Stage, version: ModelVersion) -> None:
    """What the author measured does not open the gate."""
    tell = stage.narrator
    tell.step(
        "The author measures the model and tries to publish it",
        "The figures may be right. But nobody is the judge of their own work: the registry marks "
        "them self-reported, and the gate asks for an evaluator it trusts.",
    )
    pulled = stage.scientist.pull(version, to=stage.directory / "own")
    measured = lab.measure(lab.open_model(pulled.directory), stage.data)
    evaluation = stage.record(stage.scientist, version, measured)
    tell.checks_that(
        evaluation.trust == Trust.TRUST_SELF_REPORTED,
        f"accuracy {measured.accuracy:.4f} is recorded, and marked self-reported",
    )
    refusal = tell.expects(
        GateClosed, lambda: stage.scientist.publish(version), "publishing on one's own word"
    )
    tell.shows(*gates.verdict(stage.scientist.check_gate(version)))
    tell.checks_that(
        refusal.reason == "GATE_CLOSED", f"refused: {len(refusal.findings)} rules are not met"
    )


def evaluate(stage: Stage, version: ModelVersion) -> lab.Measured:
    """Somebody else measures."""
    tell = stage.narrator
    tell.step(
        "An evaluator measures it, with an identity of its own",
        "It pulls the version, checks every byte against its digest, and measures the accuracy, "
        "whole and class by class, and how long one prediction takes.",
    )
    with tell.timed("pulled, verified and measured"):
        measured, evaluation = stage.measure(version)
    tell.shows(*evaluations.shown(evaluation))
    tell.checks_that(
        evaluation.trust == Trust.TRUST_TRUSTED,
        "the evaluation is trusted: an evaluator recorded it who is not the author",
    )
    tell.checks_that(
        len(evaluation.slices) == 10 and evaluation.manifest_digest == version.manifest_digest,
        "ten slices, bound to the digest of the files that were measured",
    )
    return measured


def publish(stage: Stage, version: ModelVersion) -> None:
    """The gate opens; the first semantic version; the first champion."""
    tell = stage.narrator
    tell.step(
        "Now the gate opens",
        "The data scientist publishes. The server gives the semantic version by rule. The "
        "engineer points @champion to it.",
    )
    done = stage.scientist.publish(version)
    tell.shows(*gates.verdict(done.verdict))
    tell.checks_that(done.verdict.open, "all seven rules are met")
    tell.checks_that(
        done.version.semver == "1.0.0", f"it is 1.0.0: {'; '.join(done.semver_reasons)}"
    )
    moved = stage.engineer.set_alias(CHAMPION, 1, expected=0, reason="The first that passed.")
    tell.checks_that(
        moved.alias.version_number == 1 and moved.alias.protected,
        "@champion points to version 1, and a gate protects it",
    )


def refuse_weak_model(stage: Stage) -> ModelVersion:
    """A model that never saw an eight is refused, with every shortfall and the slice."""
    tell = stage.narrator
    tell.step(
        "A second model looks fine, and is not",
        "Somebody lost all the eights from the training data. Nothing crashed. Nine digits of "
        "ten are read as before. Will it reach production?",
    )
    weak = stage.data.without(lab.FORGOTTEN_CLASS)
    with tell.timed("trained and pushed it as version 2"):
        pushed = stage.push(lab.train_linear(weak), weak, description="On the newest data.")
    with tell.timed("the evaluator measured it"):
        measured, _ = stage.measure(pushed)
    refusal = tell.expects(
        GateClosed, lambda: stage.scientist.publish(pushed), "publishing the weak model"
    )
    verdict = stage.scientist.check_gate(pushed)
    tell.shows(*gates.verdict(verdict))
    unmet = {finding.rule_id: finding for finding in verdict.findings if not finding.met}
    tell.checks_that(
        {"accuracy", "worst-class", "class-gap", "not-worse"} <= unmet.keys()
        and len(refusal.findings) == len(unmet),
        f"refused, and all {len(unmet)} shortfalls are named at once",
    )
    worst = unmet["worst-class"]
    tell.checks_that(
        worst.slice == f"class={lab.FORGOTTEN_CLASS}",
        f"the slice is named: {worst.slice}, where the average of {measured.accuracy:.0%} hid it",
    )
    state = stage.scientist.get_version(pushed).state
    tell.checks_that(
        state == VersionState.VERSION_STATE_CANDIDATE
        and stage.consumer.resolve(CHAMPION).version.number == 1,
        "version 2 stays a CANDIDATE; @champion still points to version 1",
    )
    return pushed


def publish_better_model(stage: Stage, first: lab.Measured) -> ModelVersion:
    """A better model of another kind: 1.1.0 by rule, and @champion moves."""
    tell = stage.narrator
    tell.step(
        "A third model is better",
        "It finds the most similar images instead of drawing lines. Same inputs, same outputs, "
        "another architecture: the rule for semantic versions calls that a minor change.",
    )
    with tell.timed("trained and pushed it as version 3"):
        model = lab.train_neighbours(stage.data)
        pushed = stage.push(model, stage.data, description="Nearest neighbours.")
    with tell.timed("the evaluator measured it"):
        measured, _ = stage.measure(pushed)
    done = stage.scientist.publish(pushed)
    tell.shows(gates.findings(done.verdict.findings))
    tell.checks_that(
        done.version.semver == "1.1.0", f"published as 1.1.0: {'; '.join(done.semver_reasons)}"
    )
    tell.checks_that(
        measured.accuracy > first.accuracy,
        f"accuracy went from {first.accuracy:.4f} to {measured.accuracy:.4f}",
    )
    moved = stage.engineer.set_alias(
        CHAMPION, 3, expected=1, reason=f"{measured.accuracy - first.accuracy:+.4f} accuracy."
    )
    tell.checks_that(moved.verdict.open, "the gate of @champion agrees: it moves from 1 to 3")
    return done.version
