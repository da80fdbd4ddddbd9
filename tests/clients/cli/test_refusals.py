"""Refusals: the exit status, one sentence, its reason, the next command; remembered for `why`."""

from pathlib import Path

import pytest
import typer

from assay import contexts, errors, statuses
from assay.cli.app import app
from assay.cli.exit_codes import CODE_OF, ExitCode, exit_code_of
from assay.cli.memory import Memory, Refusal, Unmet
from assay.cli.next_steps import next_steps
from assay.contexts import Context
from assay.errors import AssayError, Violation
from tests.clients.cli.conftest import MODEL, Furnished
from tests.clients.cli.running import CommandLine

UNUSED_PORT = "localhost:1"
FULL_METADATA = {
    "resource": "namespaces/vision/models/digits/aliases/champion",
    "reference": "vision/digits@^9",
    "version": "namespaces/vision/models/digits/versions/3",
    "gate_id": "publish",
    "model": "namespaces/vision/models/digits",
    "aliases": "champion,shadow",
    "least": "minor",
    "roles": "data-scientist, admin",
    "principal": "spiffe://acme/ada",
    "current_version_number": "2",
}


def refusal(reason: str, **metadata: str) -> Refusal:
    kind = statuses.CLASS_OF_REASON[reason].__name__
    return Refusal(
        kind=kind, message="No.", reason=reason, code="", command="assay x", context="dev",
        time="2026-01-01T00:00:00+00:00", metadata=metadata,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidReference("x"), 2),
        (errors.NothingResolves("x"), 3),
        (errors.PermissionDenied("x"), 4),
        (errors.CertificateExpired("x"), 4),
        (errors.GateClosed("x"), 5),
        (errors.AlreadyExists("x"), 5),
        (errors.AliasMoved("x"), 6),
        (errors.ConnectionFailed("x"), 7),
        (errors.DeadlinePassed("x"), 7),
        (errors.DigestMismatch("x"), 8),
        (errors.ContentMismatch("x"), 8),
        (errors.StorageFull("x"), 1),
        (errors.ServerFault("x"), 1),
    ],
)
def test_each_family_of_refusals_has_its_status(error: AssayError, status: int) -> None:
    assert exit_code_of(error) == status


def test_every_refusal_of_the_catalogue_has_a_status_but_those_without_a_remedy_of_their_own() -> (
    None
):
    plain = {
        reason
        for reason, kind in statuses.CLASS_OF_REASON.items()
        if not any(ancestor in CODE_OF for ancestor in kind.__mro__)
    }

    assert plain == {
        "STORAGE_FULL", "MESSAGE_TOO_LARGE", "TOO_MANY_CALLS", "TOO_MANY_UPLOADS",
        "METHOD_UNKNOWN", "INTERNAL",
    }  # fmt: skip


@pytest.mark.parametrize("reason", sorted(statuses.CLASS_OF_REASON))
@pytest.mark.parametrize("metadata", [{}, FULL_METADATA], ids=["bare", "full"])
def test_every_next_step_is_a_command_that_there_is(reason: str, metadata: dict[str, str]) -> None:
    root = typer.main.get_command(app)

    for step in next_steps(refusal(reason, **metadata)):
        program, command, *_ = step.split()
        assert program == "assay"
        assert command in root.commands  # type: ignore[attr-defined]


def test_next_steps_name_what_the_refusal_names() -> None:
    assert next_steps(refusal("ALIAS_MOVED", **FULL_METADATA)) == [
        "assay alias log vision/digits@champion",
        "assay alias set vision/digits@champion VERSION --expect 2",
    ]
    assert "assay alias rm vision/digits@champion" in next_steps(
        refusal("VERSION_IN_USE", **FULL_METADATA)
    )
    assert next_steps(refusal("NOTHING_RESOLVES", **FULL_METADATA))[0] == "assay ls vision/digits"
    assert next_steps(refusal("RESOURCE_NOT_FOUND", resource="namespaces/vision/models/x"))[0] == (
        "assay ls vision"
    )


def test_after_a_push_that_was_cut_off_the_next_step_goes_on_with_its_draft() -> None:
    draft = "namespaces/vision/models/digits/drafts/0192-ab"
    interrupted = errors.UploadInterrupted("Nothing moved for 60 s.", draft=draft)
    closed = errors.GateClosed("Closed.", reason="GATE_CLOSED")
    closed.add_note(f"The files are in {draft}: go on with draft=…")

    first = Refusal.of(interrupted, command="assay push vision/digits m.onnx", context="")
    second = Refusal.of(closed, command="assay push vision/digits m.onnx --publish", context="")

    assert next_steps(first)[0] == f"assay push vision/digits m.onnx --draft {draft}"
    assert next_steps(second)[0] == f"assay push vision/digits m.onnx --draft {draft}"


def test_a_push_to_no_model_says_how_to_make_it_on_the_way() -> None:
    absent = errors.NotFound("No such model.", reason="RESOURCE_NOT_FOUND")

    steps = next_steps(Refusal.of(absent, command="assay push vision/x m.onnx", context=""))

    assert steps[0] == "assay push vision/x m.onnx --create"


def test_a_push_that_must_name_a_bump_is_not_a_version_to_publish() -> None:
    unknown = errors.BumpRequired("No signature.", reason="BUMP_REQUIRED")

    steps = next_steps(Refusal.of(unknown, command="assay push m x --publish", context=""))

    assert steps == ["assay push m x --publish --bump patch"]


def test_what_is_remembered_is_recalled_and_a_damaged_memory_is_none(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state" / "last-refusal.json")
    error = errors.GateClosed(
        "Closed.", reason="GATE_CLOSED", metadata={"gate_id": "publish"},
        violations=(Violation("accuracy", "too low", "GATE"),),
    )  # fmt: skip
    assert memory.recall() is None

    memory.remember(Refusal.of(error, command="assay publish v/m/1", context="dev"))
    recalled = memory.recall()
    (tmp_path / "state" / "last-refusal.json").write_text('{"kind": 3')

    assert recalled is not None
    assert (recalled.kind, recalled.reason) == ("GateClosed", "GATE_CLOSED")
    assert recalled.unmet == (Unmet("accuracy", "too low", "GATE"),)
    assert memory.recall() is None


def test_without_a_context_the_sentence_says_how_to_get_one(offline: CommandLine) -> None:
    ran = offline("ls")

    assert ran.status == ExitCode.USAGE
    assert "No context is current" in ran.err
    assert "→ assay context" in ran.err
    assert ran.out == ""


def test_a_server_that_is_not_there_is_unreachable_and_points_to_doctor(
    offline: CommandLine,
) -> None:
    ran = offline("ls", "--target", UNUSED_PORT)

    assert ran.status == ExitCode.UNREACHABLE
    assert "Is the server running there?" in " ".join(ran.err.split())
    assert "→ assay doctor" in ran.err
    assert "Traceback" not in ran.err


def test_a_refusal_for_programs_is_one_object_on_stderr(offline: CommandLine) -> None:
    ran = offline("ls", "--target", UNUSED_PORT, "-o", "json")

    assert ran.out == ""
    assert '"next": [\n      "assay doctor"' in ran.err


def test_only_with_debug_there_is_a_traceback(offline: CommandLine) -> None:
    ran = offline("ls", "--target", UNUSED_PORT, "--debug")

    assert ran.status == ExitCode.UNREACHABLE
    assert "Traceback" in ran.err


def test_plaintext_to_another_machine_is_refused(offline: CommandLine) -> None:
    ran = offline("ls", "--target", "registry.example.com:443")

    assert ran.status == ExitCode.USAGE
    assert "without certificates" in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        (["show", "vision/nothing"], 3, "RESOURCE_NOT_FOUND"),
        (["show", f"{MODEL}/99"], 3, "RESOURCE_NOT_FOUND"),
        (["resolve", f"{MODEL}@^9"], 3, "NOTHING_RESOLVES"),
        (["resolve", f"{MODEL}@1.x.y"], 2, "REFERENCE_INVALID"),
        (["publish", f"{MODEL}/2"], 5, "GATE_CLOSED"),
        (["model", "create", MODEL], 5, "RESOURCE_EXISTS"),
        (["delete", f"{MODEL}/1", "--yes"], 5, "VERSION_IN_USE"),
        (["alias", "set", f"{MODEL}@champion", "1", "--expect", "7"], 6, "ALIAS_MOVED"),
        (["alias", "set", f"{MODEL}@shadow", "2"], 5, "VERSION_NOT_READY"),
    ],
)
def test_what_the_server_refuses_ends_with_the_documented_status(
    cli: CommandLine, command: list[str], status: int, reason: str
) -> None:
    ran = cli(*command)

    assert ran.status == status, ran.err
    assert reason in ran.err
    assert ran.err.startswith("✗ ")
    assert "→ assay " in ran.err
    assert ran.out == ""
    assert ran.widest <= 80


def test_who_may_read_but_not_write_is_told_which_permission_is_missing(
    cli: CommandLine, furnished: Furnished
) -> None:
    ran = cli("push", MODEL, str(furnished.files / "vision-digits/1"), as_="auditor")

    assert ran.status == ExitCode.PERMISSION
    assert "PERMISSION_MISSING" in ran.err
    assert "→ assay whoami" in ran.err


def test_an_uncertain_certificate_is_not_let_in(cli: CommandLine) -> None:
    kept = contexts.load(cli.config)
    admin = kept.get("admin")
    contexts.save(
        kept.with_context("bare", Context(target=admin.target)).with_current("bare"), cli.config
    )

    ran = cli("whoami")

    assert ran.status in {ExitCode.UNREACHABLE, ExitCode.PERMISSION}
    assert "→ assay doctor" in ran.err


def test_a_lost_race_names_where_the_alias_points_now(
    cli: CommandLine, furnished: Furnished
) -> None:
    ran = cli("alias", "set", f"{MODEL}@champion", "1", "--expect", "0")

    assert ran.status == ExitCode.RACE_LOST
    assert "--expect 1" in ran.err


def test_nothing_of_a_weak_version_is_published(cli: CommandLine) -> None:
    cli("publish", f"{MODEL}/2")

    shown = cli("show", f"{MODEL}/2", "-o", "json").json()

    assert shown["state"] == "CANDIDATE"
    assert shown["semver"] == ""
