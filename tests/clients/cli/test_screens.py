"""Every answer fits 80 columns, loses no name, and is one JSON value for programs."""

import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from assay.cli.screens import events, tables
from assay.cli.terminal import Output, Terminal
from assay.v1.event_pb2 import Event
from tests.clients.cli.conftest import LONG_MODEL, LONG_NAMESPACE, MODEL
from tests.clients.cli.running import CommandLine

LONG_ALIAS = f"{LONG_MODEL}@an-alias-of-a-length-that-nobody-would-choose"
READS = [
    ["ls"],
    ["ls", LONG_NAMESPACE],
    ["ls", LONG_MODEL],
    ["ls", LONG_ALIAS],
    ["ls", MODEL, "--state", "ready"],
    ["show", LONG_NAMESPACE],
    ["show", LONG_MODEL],
    ["show", LONG_ALIAS, "--card"],
    ["resolve", LONG_ALIAS],
    ["alias", "ls", LONG_MODEL],
    ["alias", "log", LONG_ALIAS],
    ["eval", "ls", LONG_ALIAS],
    ["eval", "show", f"{MODEL}/2"],
    ["gate", "ls", MODEL],
    ["gate", "show", MODEL],
    ["log", LONG_MODEL],
    ["diff", f"{MODEL}/1", "2"],
    ["audit", "vision"],
    ["audit", LONG_NAMESPACE, "--method", "PublishVersion"],
    ["whoami"],
    ["why", f"{MODEL}/2"],
    ["doctor"],
    ["namespace", "ls"],
    ["role", "ls"],
    ["context", "ls"],
    ["context", "show"],
    ["help", "references"],
]


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_a_screen_fits_80_columns(cli: CommandLine, command: list[str]) -> None:
    ran = cli(*command)

    assert ran.status == 0, ran.err
    assert ran.out.strip()
    assert ran.widest <= 80


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_an_answer_for_programs_is_one_json_value(cli: CommandLine, command: list[str]) -> None:
    ran = cli(*command, "--output", "json")

    assert ran.status == 0, ran.err
    assert isinstance(json.loads(ran.out), dict | list)
    assert ran.err == ""


def test_a_long_name_is_folded_but_not_cut(cli: CommandLine) -> None:
    ran = cli("ls")

    folded = "".join(line.split(" ")[0] for line in ran.out.splitlines())
    assert LONG_MODEL in folded


def test_a_wide_terminal_is_used(cli: CommandLine) -> None:
    cli.set_width(200)

    ran = cli("ls")

    assert LONG_MODEL in ran.out


def test_without_colours_there_are_no_escapes(cli: CommandLine) -> None:
    assert "\x1b" not in cli("show", f"{MODEL}/1").out
    assert "\x1b" not in cli("ls", "--no-color").out


def test_quiet_writes_names_that_other_commands_take(cli: CommandLine) -> None:
    models = cli("ls", "vision", "-q").out.split()
    versions = cli("ls", MODEL, "-q").out.split()

    assert MODEL in models
    assert versions == [f"{MODEL}/2", f"{MODEL}/1"]
    assert cli("resolve", f"{MODEL}@champion", "-q").out == f"{MODEL}/1\n"


def test_a_limit_is_kept(cli: CommandLine) -> None:
    assert len(cli("ls", MODEL, "--limit", "1", "-o", "json").json()) == 1
    assert len(cli("audit", "vision", "--limit", "3", "-o", "json").json()) == 3


def test_a_diff_tells_facts_files_and_metrics_apart(cli: CommandLine) -> None:
    found = cli("diff", f"{MODEL}/1", "2", "-o", "json").json()["differences"]

    by_part = {(each["part"], each["what"]): each for each in found}
    assert by_part["parameters", "C"]["right"] == "20"
    assert ("files", "model.onnx") in by_part
    assert by_part["metrics", "accuracy"]["is_better"] is False
    assert not [part for part, _ in by_part if part == "signature"]


def test_the_history_tells_who_moved_the_alias_and_why(cli: CommandLine) -> None:
    ran = cli("log", MODEL)

    assert "@champion" in ran.out
    assert "The first." in ran.out
    assert "published 1.0.0" in " ".join(ran.out.split())


def test_the_audit_trail_shows_what_was_denied(cli: CommandLine) -> None:
    cli("deprecate", f"{MODEL}/1", as_="consumer")

    denied = cli("audit", "vision", "--denied", "--since", "1h", "-o", "json").json()

    assert denied[0]["method"].endswith("/DeprecateVersion")
    assert denied[0]["decision"] == "DENIED"


def test_a_line_of_a_watch_is_cut_at_the_edge_of_a_terminal_and_whole_in_a_file() -> None:
    text = Text("12  14:05:09  + vision/digits/7  sealed  " + "somebody-with-a-long-name " * 3)
    written = {}
    for at_terminal in (True, False):
        terminal = Terminal(output=Output.TABLE, quiet=False, color=False)
        terminal.out = Console(file=io.StringIO(), width=60, force_terminal=at_terminal)
        terminal.line(text)
        written[at_terminal] = terminal.out.file.getvalue()  # type: ignore[attr-defined]

    assert written[True].count("\n") == written[False].count("\n") == 1
    assert cell_len(written[True].strip()) == 60
    assert written[False].strip() == text.plain.strip()


def test_a_command_to_copy_is_never_broken(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(output=Output.TABLE, quiet=False, color=False)
    command = "assay push vision/digits model.joblib --draft " + "d" * 80

    terminal.answer(dict, lambda: [tables.next_step(command)], brief=list)

    assert capsys.readouterr().out == f"→ {command}\n"


def test_a_model_is_listed_as_changed_when_a_version_came(cli: CommandLine, tmp_path: Path) -> None:
    cli("model", "create", "vision/changing")
    before = cli("show", "vision/changing", "-o", "json").json()
    (tmp_path / "model.onnx").write_text("weights")

    cli("push", "vision/changing", str(tmp_path / "model.onnx"))

    after = cli("show", "vision/changing", "-o", "json").json()
    assert before["update_time"] == before["create_time"]
    assert after["create_time"] < after["update_time"]


def test_a_line_of_a_watch_names_what_has_a_long_id_in_short() -> None:
    draft = "namespaces/vision/models/digits/drafts/01a2148b-2549-789e-a0b1-c2d3e4f0b49b"

    line = events.line(14, Event(name=draft, action="CreateDraft", actor="spiffe://lab/ann"))

    assert "vision/digits draft …f0b49b  CreateDraft" in line.plain
    assert cell_len(line.plain) <= 80
