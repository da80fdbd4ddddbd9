"""The life of drafts and versions, step by step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from assay_server.domain import transitions
from assay_server.domain.aliases import Alias
from assay_server.domain.bumps import SemverDecision
from assay_server.domain.errors import (
    DigestMismatch,
    DraftEmpty,
    DraftIncomplete,
    DraftNotOpen,
    GateClosed,
    IllegalTransition,
    InvalidPath,
    NotDeleted,
    VersionInUse,
)
from assay_server.domain.facts import Facts
from assay_server.domain.gates import Finding, Verdict
from assay_server.domain.manifest import File, build_manifest
from assay_server.domain.records import record_digest
from assay_server.domain.versions import (
    Bump,
    DraftChange,
    DraftState,
    Version,
    VersionChange,
    VersionState,
)
from tests.unit.making import HEX, NOON, make_draft, make_version

LATER: dict[str, Any] = {"now": NOON + timedelta(hours=1), "etag": "e2"}
OPEN = Verdict("publish", 7, is_open=True, findings=(), evaluation_ids=())
CLOSED = replace(
    OPEN,
    is_open=False,
    findings=(Finding("g", "r", is_met=False, observed="", required="", why="it is weak"),),
)
FIRST = SemverDecision("1.0.0", Bump.MAJOR, ("it is the first published version",))


def publish(version: Version, verdict: Verdict = OPEN) -> Version:
    return transitions.published(version, FIRST, verdict, by="bob", **LATER)


def alias(alias_id: str, number: int) -> Alias:
    return Alias("vision", "digits", alias_id, number, "bob", NOON, "a1")


STEPS: dict[str, Callable[[Version], Version]] = {
    "publish": publish,
    "deprecate": lambda version: transitions.deprecated(version, "use 8", **LATER),
    "yank": lambda version: transitions.yanked(version, "leaks", **LATER),
    "delete": lambda version: transitions.deleted(version, "old", aliases=(), **LATER),
}

ALLOWED = {
    ("CANDIDATE", "publish"): "READY",
    ("CANDIDATE", "yank"): "YANKED",
    ("CANDIDATE", "delete"): "DELETED",
    ("READY", "deprecate"): "DEPRECATED",
    ("READY", "yank"): "YANKED",
    ("READY", "delete"): "DELETED",
    ("DEPRECATED", "yank"): "YANKED",
    ("DEPRECATED", "delete"): "DELETED",
    ("YANKED", "delete"): "DELETED",
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", list(VersionState))
def test_a_version_moves_only_as_the_ladder_says(state: VersionState, step: str) -> None:
    version = make_version(state=state)
    target = ALLOWED.get((state.value, step))

    if target is None:
        with pytest.raises(IllegalTransition) as refusal:
            STEPS[step](version)
        assert f"is {state}" in refusal.value.message
    else:
        moved = STEPS[step](version)
        assert (moved.state, moved.etag, moved.update_time) == (target, "e2", LATER["now"])


def test_a_published_version_says_by_whom_when_and_why() -> None:
    version = publish(make_version())

    assert (version.semver, version.published_by) == ("1.0.0", "bob")
    assert version.publish_time == LATER["now"]
    assert version.publish_verdict is OPEN
    assert version.semver_reasons == FIRST.reasons


def test_nothing_is_published_through_a_closed_gate() -> None:
    with pytest.raises(GateClosed, match="it is weak"):
        publish(make_version(), CLOSED)


def test_a_step_keeps_its_reason() -> None:
    version = make_version(state=VersionState.READY)

    assert STEPS["deprecate"](version).state_reason == "use 8"
    assert STEPS["yank"](STEPS["deprecate"](version)).state_reason == "leaks"


@pytest.mark.parametrize("state", [VersionState.CANDIDATE, VersionState.READY, VersionState.YANKED])
def test_a_deleted_version_comes_back_as_it_was(state: VersionState) -> None:
    version = make_version(state=state, semver="1.0.0")

    deleted = STEPS["delete"](version)
    restored = transitions.undeleted(deleted, **LATER)

    assert deleted.delete_time == LATER["now"]
    assert (restored.state, restored.semver) == (state, "1.0.0")
    assert (restored.delete_time, restored.state_before_deletion) == (None, None)


def test_what_is_not_deleted_cannot_be_restored() -> None:
    with pytest.raises(NotDeleted):
        transitions.undeleted(make_version(), **LATER)


def test_a_version_that_aliases_point_to_is_not_deleted_and_they_are_named() -> None:
    aliases = [alias("champion", 7), alias("shadow", 7), alias("old", 6)]

    with pytest.raises(VersionInUse) as refusal:
        transitions.deleted(make_version(state=VersionState.READY), "", aliases=aliases, **LATER)

    assert refusal.value.metadata["aliases"] == "champion,shadow"


def test_an_edit_of_a_version_changes_what_it_names_and_nothing_else() -> None:
    version = make_version(card="old", description="kept")

    edited = transitions.edited_version(version, VersionChange(card="", tags={"a": "b"}), **LATER)

    assert edited == replace(version, card="", tags={"a": "b"}, update_time=LATER["now"], etag="e2")


def test_an_edit_of_a_draft_changes_what_it_names_and_nothing_else() -> None:
    draft = make_draft(card="kept")
    facts = Facts(hyperparameters={"C": "1"})

    edited = transitions.edited_draft(draft, DraftChange(facts=facts), **LATER)

    assert edited == replace(draft, facts=facts, update_time=LATER["now"], etag="e2")


@pytest.mark.parametrize("state", [DraftState.SEALED, DraftState.ABANDONED])
@pytest.mark.parametrize(
    "step",
    [
        lambda draft: transitions.edited_draft(draft, DraftChange(), **LATER),
        lambda draft: transitions.abandoned(draft, **LATER),
        lambda draft: transitions.sealed(draft, 8, **LATER),
        transitions.sealable_manifest,
    ],
)
def test_a_draft_that_is_not_open_does_not_change(step: Any, state: DraftState) -> None:
    draft = make_draft(state=state, sealed_number=7 if state is DraftState.SEALED else 0)

    with pytest.raises(DraftNotOpen) as refusal:
        step(draft)

    assert refusal.value.metadata["state"] == state
    assert refusal.value.metadata.get("version") == ("7" if draft.sealed_number else None)


def test_an_open_draft_can_be_given_up() -> None:
    assert transitions.abandoned(make_draft(), **LATER).state is DraftState.ABANDONED


def test_a_draft_with_open_uploads_is_not_sealed_and_they_are_named() -> None:
    with pytest.raises(DraftIncomplete, match=r"'weights\.bin'"):
        transitions.sealable_manifest(make_draft(), open_paths=("weights.bin",))


def test_a_draft_without_files_is_not_sealed() -> None:
    with pytest.raises(DraftEmpty):
        transitions.sealable_manifest(make_draft(files=()))


def test_a_draft_whose_files_are_not_the_callers_is_not_sealed() -> None:
    with pytest.raises(DigestMismatch):
        transitions.sealable_manifest(make_draft(), expected_digest="sha256:" + "0" * 64)


def test_a_draft_with_a_hostile_path_is_not_sealed() -> None:
    with pytest.raises(InvalidPath):
        transitions.sealable_manifest(make_draft(files=(File("../x", 6, HEX),)))


def test_a_sealed_draft_becomes_a_candidate_of_its_author() -> None:
    draft = make_draft(card="# Digits", tags={"a": "b"})

    manifest = transitions.sealable_manifest(
        draft, expected_digest=build_manifest(draft.files).digest
    )
    version = transitions.new_version(draft, manifest, number=8, version_uid="u8", **LATER)
    sealed = transitions.sealed(draft, 8, **LATER)

    assert (version.number, version.state) == (8, VersionState.CANDIDATE)
    assert version.created_by == draft.created_by
    assert version.record_digest == record_digest(manifest, draft.facts)
    assert (version.card, version.tags, version.semver) == ("# Digits", {"a": "b"}, "")
    assert (version.size_bytes, version.file_count) == (6, 1)
    assert (sealed.state, sealed.sealed_number) == (DraftState.SEALED, 8)
