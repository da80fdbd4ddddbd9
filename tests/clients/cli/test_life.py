"""The life of a version by hand: every command that changes something, on a real server."""

import hashlib
import io
import json
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.cli.conftest import Furnished
from tests.clients.cli.running import CommandLine

RESULTS = {
    "dataset": {"uri": "s3://lake/test", "digest": "sha256:" + "7" * 64},
    "sample_count": 360,
    "metrics": {"accuracy": 0.97},
    "slices": {"class": {"8": {"sample_count": 31, "metrics": {"accuracy": 0.87}}}},
}


@pytest.fixture
def pushed(cli: CommandLine, model: str, file: Path, signature: str) -> str:
    """A candidate with a signature."""
    ran = cli("push", model, str(file), "--signature", signature, "-q", as_="data-scientist")
    assert ran.status == 0, ran.err
    return ran.out.strip()


def test_push_keeps_all_that_was_said(
    cli: CommandLine, model: str, file: Path, signature: str, tmp_path: Path
) -> None:
    (tmp_path / "CARD.md").write_text("# Card")
    (tmp_path / "train.csv").write_text("1,2")
    (tmp_path / "requirements.txt").write_text("numpy==2.1.0\n# comment\nscipy == 1.14.2 ; x\n")
    cli(
        "push", model, str(file), "--card", str(tmp_path / "CARD.md"), "--description", "Tuned.",
        "--signature", signature, "--param", "C=10", "--tag", "team=vision",
        "--dataset", str(tmp_path / "train.csv"), "--dataset", "s3://lake/x@sha256:" + "9" * 64,
        "--requirements", str(tmp_path / "requirements.txt"), "--run", "mlflow://run/1",
    )  # fmt: skip

    shown = cli("show", f"{model}/1", "-o", "json").json()

    facts = shown["facts"]
    assert (shown["card"], shown["description"], shown["tags"]) == (
        "# Card", "Tuned.", {"team": "vision"},
    )  # fmt: skip
    assert facts["hyperparameters"] == {"C": "10"}
    assert facts["runtime"]["packages"] == {"numpy": "2.1.0", "scipy": "1.14.2"}
    assert [each["uri"] for each in facts["lineage"]["datasets"]][1] == "s3://lake/x"
    assert facts["lineage"]["run_uri"] == "mlflow://run/1"
    assert facts["format"]["name"] == "onnx"
    assert facts["signature"]["inputs"][0]["shape"] == [-1, 64]


def test_the_commit_is_that_of_where_one_works_not_that_of_this_program(
    cli: CommandLine, model: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = cli("push", model, str(file), "-o", "json").json()
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@acme.com"]
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Train"], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout

    after = cli("push", model, str(file), "-o", "json").json()

    assert before["facts"]["lineage"]["git_commit"] == ""
    assert after["facts"]["lineage"]["git_commit"] == commit.strip()


def test_ctrl_c_ends_with_130(cli: CommandLine) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "assay.cli", "watch"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stderr is not None
    assert "Ctrl-C ends it" in watching.stderr.readline()
    # Something arrives: only now is it sure that the command waits and is not still starting.
    for number in range(30):
        cli("namespace", "create", f"watched-{number}")
        if select.select([watching.stdout], [], [], 0)[0]:
            break

    watching.send_signal(signal.SIGINT)
    _, told = watching.communicate(timeout=60)

    assert watching.returncode == 130
    assert told == "Interrupted.\n"


def test_what_is_pushed_twice_is_one_version(
    cli: CommandLine, pushed: str, model: str, file: Path, signature: str
) -> None:
    again = cli("push", model, str(file), "--signature", signature, "-q", as_="data-scientist")

    assert again.out.strip() == pushed


def test_what_was_pushed_is_pulled_the_same(
    cli: CommandLine, pushed: str, file: Path, tmp_path: Path
) -> None:
    target = tmp_path / "pulled"

    first = cli("pull", pushed, "--to", str(target), as_="consumer")
    second = cli("pull", pushed, "--to", str(target), as_="consumer")

    assert (first.status, second.status) == (0, 0), first.err + second.err
    assert (target / "model.onnx").read_bytes() == file.read_bytes()
    assert "verified" in first.out
    assert "was there already" in " ".join(second.out.split())


def test_a_pull_onto_something_else_is_refused_and_touches_nothing(
    cli: CommandLine, pushed: str, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep")

    ran = cli("pull", pushed, "--to", str(tmp_path / "mine"))

    assert ran.status == 5
    assert (tmp_path / "mine/notes.txt").read_text() == "keep"
    assert "Traceback" not in ran.err


def test_measured_published_pointed_to_and_taken_back(
    cli: CommandLine, pushed: str, model: str, tmp_path: Path
) -> None:
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))

    measured = cli("eval", "import", pushed, str(tmp_path / "results.json"), as_="evaluator")
    checked = cli("gate", "check", pushed)
    published = cli("publish", pushed, as_="data-scientist")
    moved = cli("alias", "set", f"{model}@champion", "1.0.0", "--reason", "first")
    in_use = cli("delete", pushed, "--yes")
    removed = cli("alias", "rm", f"{model}@champion")
    deprecated = cli("deprecate", pushed, "--reason", "use another")
    warned = cli("resolve", pushed)
    yanked = cli("yank", pushed, "--reason", "wrong labels")
    deleted = cli("delete", pushed, "--yes")
    restored = cli("undelete", pushed, "-o", "json")

    assert "trusted" in measured.out
    assert checked.status == 0
    assert "1.0.0" in published.out
    assert f"→ assay alias set {model}@champion 1" in published.out
    assert moved.status == 0
    assert in_use.status == 5
    assert f"→ assay alias rm {model}@champion" in in_use.err
    assert (removed.status, deprecated.status, yanked.status, deleted.status) == (0, 0, 0, 0)
    assert warned.err.startswith("! ")
    assert restored.json()["state"] == "YANKED"


def test_a_version_of_the_past_is_shown_with_what_was_measured_by_then(
    cli: CommandLine, pushed: str
) -> None:
    for accuracy in ("0.9", "0.8"):
        flags = ["--samples", "10", "--dataset-digest", "sha256:" + "7" * 64]
        assert cli("eval", "import", pushed, "--metric", f"accuracy={accuracy}", *flags).status == 0
    resolved = cli("resolve", pushed, "-o", "json").json()
    newest = int(resolved["revision"])

    def measured(revision: int) -> int:
        shown = cli("show", pushed, "--as-of", str(revision), "-o", "json").json()
        return len(shown["evaluations"])

    assert [measured(newest - back) for back in (2, 1, 0)] == [0, 1, 2]


def test_measurements_as_flags_and_a_metric_that_cannot_be(cli: CommandLine, pushed: str) -> None:
    flags = ["--samples", "10", "--dataset-digest", "sha256:" + "7" * 64]

    good = cli("eval", "import", pushed, "--metric", "accuracy=0.9", *flags)
    not_a_number = cli("eval", "import", pushed, "--metric", "accuracy=nan", *flags)
    nobody_knows = cli("eval", "import", pushed, "--metric", "zing=1", *flags)

    assert good.status == 0
    assert "self-reported" in cli("eval", "ls", pushed).out
    assert (not_a_number.status, nobody_knows.status) == (2, 2)
    assert "METRIC_INVALID" in not_a_number.err


def test_a_gate_from_a_document_guards_an_alias(
    cli: CommandLine, pushed: str, model: str, tmp_path: Path
) -> None:
    (tmp_path / "gate.toml").write_text(
        '[[rule]]\nthreshold = { metric = "accuracy", at_least = 0.99 }\n'
    )
    cli("publish", pushed)

    cli("gate", "set", f"{model}@champion", "--from", str(tmp_path / "gate.toml"))
    closed = cli("alias", "set", f"{model}@champion", "1")
    opened = cli("alias", "set", f"{model}@shadow", "1")
    cli("gate", "rm", f"{model}@champion", "--yes")
    now = cli("alias", "set", f"{model}@champion", "1")

    assert (closed.status, opened.status, now.status) == (5, 0, 0), closed.err + now.err


def test_models_are_changed_hidden_and_restored(cli: CommandLine, model: str) -> None:
    changed = cli("model", "update", model, "--description", "Reads.", "-o", "json").json()
    deleted = cli("delete", model, "--yes")
    listed = cli("ls", "vision", "-q").out.split()
    restored = cli("undelete", model)

    assert (changed["description"], changed["task"]) == ("Reads.", "ocr")
    assert (deleted.status, restored.status) == (0, 0)
    assert model not in listed
    assert model in cli("ls", "vision", "-q").out.split()


def test_roles_are_given_and_taken_back(cli: CommandLine, model: str) -> None:
    given = cli("role", "grant", "consumer", "spiffe://acme/x", model, "-q").out.strip()
    listed = cli("role", "ls", model, "-q").out.split()
    taken = cli("role", "revoke", given)

    assert listed == [given]
    assert taken.status == 0
    assert cli("role", "ls", model, "-o", "json").json() == []
    assert cli("role", "grant", "emperor", "spiffe://acme/x", model).status == 2


def test_a_role_is_taken_back_with_the_words_that_gave_it(cli: CommandLine, model: str) -> None:
    words = ("consumer", "spiffe://acme/someone-with-a-long-name", model)
    cli("role", "grant", *words)
    shown = cli("role", "ls", model)

    elsewhere = cli("role", "revoke", *words[:2], "vision")
    taken = cli("role", "revoke", *words)

    assert words[1] in shown.out  # whole, so that it can be copied
    assert (elsewhere.status, taken.status) == (3, 0)
    assert "assay role ls vision" in elsewhere.err
    assert cli("role", "ls", model, "-o", "json").json() == []
    assert cli("role", "revoke", "consumer").status == 2


def test_deleting_asks_first_and_no_answer_changes_nothing(
    cli: CommandLine, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    ran = cli("delete", model)

    assert ran.status == 130
    assert cli("show", model, "-o", "json").json()["delete_time"] is None


def test_a_watch_with_the_state_shows_what_there_is_and_then_what_happens(
    cli: CommandLine, model: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "assay.cli", "watch", model, "--initial-state", "--count", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stderr is not None
        while "what there is at revision" not in watching.stderr.readline():
            assert watching.poll() is None
        cli("model", "update", model, "--description", "after the state")
        told, _ = watching.communicate(timeout=60)

    first, *_, last = told.splitlines()
    assert f"= {model}" in first
    assert "UpdateModel" in last
    assert cli("watch", "--initial-state", "--since", "3").status == 2


def test_a_watch_from_a_revision_shows_what_happened(cli: CommandLine, model: str) -> None:
    revision = cli("resolve", "vision/digits/1", "-o", "json").json()["revision"]
    cli("model", "update", model, "--description", "Seen.")

    ran = cli("watch", model, "--since", str(revision + 1), "--count", "1", "-o", "json")

    change = json.loads(ran.out)
    assert change["events"][0]["action"] == "UpdateModel"
    assert change["events"][0]["model"]["description"] == "Seen."


def test_damaged_bytes_are_healed_by_a_push_of_the_same_file_into_another_namespace(
    cli: CommandLine, furnished: Furnished, tmp_path: Path
) -> None:
    content = b"weights that a disk will forget"
    (tmp_path / "model.onnx").write_bytes(content)
    cli("push", "vision/healed", str(tmp_path / "model.onnx"), "--create")
    digest = hashlib.sha256(content).hexdigest()
    blobs = furnished.registry.contexts_path.parent / "blobs"
    blob = blobs / "blobs/sha256" / digest[:2] / digest[2:4] / digest
    blob.chmod(0o600)
    blob.write_bytes(b"weights that a disk did forget?")

    damaged = cli("pull", "vision/healed/1", "--to", str(tmp_path / "one"))
    cli("namespace", "create", "repair")
    pushed = cli("push", "repair/any", str(tmp_path / "model.onnx"), "--create")
    healed = cli("pull", "vision/healed/1", "--to", str(tmp_path / "two"))

    assert (damaged.status, pushed.status, healed.status) == (8, 0, 0)
    assert (tmp_path / "two/model.onnx").read_bytes() == content
