"""After publication: who uses the model, who may not, and what can be proved of it."""

import digits as lab
from rich.columns import Columns
from rich.console import Group
from rich.text import Text
from stage import CHAMPION, MODEL, NAMESPACE, Stage

from assay.cli.memory import Refusal
from assay.cli.screens import access, differences, history, refusals
from assay.errors import PermissionDenied
from assay.v1.audit_entry_pb2 import AuditDecision, AuditPhase
from assay.v1.evaluation_pb2 import Evaluation
from assay.v1.version_pb2 import ModelVersion

PICTURES = 4
AUDIT_LINES = 14
TOLD_METHODS = {
    "CreateModel", "CreateDraft", "SealDraft", "ImportEvaluation", "SetGate", "PublishVersion",
    "SetAlias",
}  # fmt: skip
"""Changes; reads are in the trail too, but would fill the screen."""


def consume(stage: Stage) -> None:
    """A different identity resolves, pulls, verifies and predicts."""
    tell = stage.narrator
    tell.step(
        "A service asks for the champion",
        "It has another certificate, and only the role of a consumer. It knows no number and no "
        "digest: only the name.",
    )
    found = stage.consumer.resolve(CHAMPION)
    tell.checks_that(
        found.version.number == 3,
        f"{CHAMPION} is version {found.version.number}, true at revision {found.revision}",
    )
    pulled = stage.consumer.pull(CHAMPION, to=stage.directory / "served")
    digest = pulled.version.manifest_digest[:19]
    tell.checks_that(
        all(path.is_file() for path in pulled.files),
        f"pulled to {pulled.directory.name}/; every byte fits {digest}…",
    )
    model = lab.open_model(pulled.directory)
    images, labels = stage.data.test_images[:PICTURES], stage.data.test_labels[:PICTURES]
    said = model.predict(images)
    tell.shows(
        Columns(
            [
                Group(lab.picture(image), Text(f"says {word}", style="bold", justify="center"))
                for image, word in zip(images, said, strict=True)
            ],
            padding=(0, 2),
        )
    )
    tell.checks_that(
        list(said) == list(labels), f"{PICTURES} of {PICTURES} images it never saw are read right"
    )


def deny_auditor(stage: Stage) -> None:
    """A role that reads cannot write, and is told so."""
    tell = stage.narrator
    tell.step(
        "An auditor tries to push",
        "Auditors see everything and change nothing. That is not a habit; it is enforced.",
    )
    model = lab.open_model(stage.directory / "measured-1")
    before = len(list(stage.auditor.list_versions(MODEL)))
    refusal = tell.expects(
        PermissionDenied,
        lambda: stage.auditor.push(model, to=MODEL, sample=stage.data.train_images[:5]),
        "the push of an auditor",
    )
    shown = Refusal.of(refusal, command=f"assay push {MODEL} model.joblib", context="auditor")
    tell.shows(*refusals.refused(shown))
    tell.checks_that(
        refusal.reason == "PERMISSION_MISSING",
        f"denied for lack of {refusal.permission}, by name and with what would grant it",
    )
    tell.checks_that(len(list(stage.auditor.list_versions(MODEL))) == before, "and nothing changed")


def show_history(stage: Stage, first: ModelVersion) -> None:
    """What differs between the champions, and how they became so."""
    tell = stage.narrator
    tell.step(
        "What happened to this model?",
        "Versions, aliases and the reasons for their moves are kept. Two versions can be compared.",
    )
    steps = [
        step
        for version in stage.auditor.list_versions(MODEL)
        for step in history.steps_of_version(version)
    ]
    alias = stage.auditor.get_alias(CHAMPION)
    moves = list(stage.auditor.list_alias_moves(alias))
    steps += [history.step_of_move(alias, move) for move in moves]
    tell.shows(history.listed(steps))
    tell.checks_that(
        [(move.previous_version_number, move.version_number) for move in moves] == [(1, 3), (0, 1)],
        "@champion moved twice: to 1, then from 1 to 3; by whom and why is kept",
    )
    before, after = stage.auditor.get_version(first), stage.auditor.get_version(alias.version)
    left, right = _trusted(stage, before), _trusted(stage, after)
    found = differences.differences(before, after) + differences.metric_differences(left, right)
    tell.shows(*differences.shown(before, after, [d for d in found if d.part != "parameters"]))
    tell.checks_that(
        not [each for each in found if each.part == "signature"],
        "the interface did not change: callers need not",
    )


def show_audit(stage: Stage) -> None:
    """Every call is on record, the denied one too."""
    tell = stage.narrator
    tell.step(
        "And who did what?",
        "Every call left an entry, allowed or denied. A change and its entry are written in one "
        "transaction: there is no one without the other.",
    )
    entries = list(stage.auditor.list_audit_entries(NAMESPACE))
    told = [
        entry
        for entry in entries
        if entry.method.rpartition("/")[2] in TOLD_METHODS
        and entry.phase != AuditPhase.AUDIT_PHASE_OPENED
    ]
    tell.shows(access.audit(told[:AUDIT_LINES]))
    denied = [e for e in entries if e.decision == AuditDecision.AUDIT_DECISION_DENIED]
    closed = [e for e in entries if e.reason == "GATE_CLOSED"]
    tell.checks_that(
        any(entry.reason == "PERMISSION_MISSING" for entry in denied),
        f"{len(entries)} entries; {len(denied)} denied: the auditor's push",
    )
    tell.checks_that(len(closed) == 2, "and both times that the gate was closed")


def _trusted(stage: Stage, version: ModelVersion) -> Evaluation:
    """The evaluation that counts: the newest, which the evaluator made."""
    return next(iter(stage.auditor.list_evaluations(version)))
