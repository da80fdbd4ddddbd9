"""Every answer fits 80 columns, loses no name, and is one JSON value for programs."""

import json

import pytest

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
