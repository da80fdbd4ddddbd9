"""Every command explains itself, with an example, in 80 columns; docs/cli.md says the same."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from assay.cli import gate_files
from assay.cli.app import FLAGS, VALUED, app, hoisted
from assay.cli.documents import Table
from assay.cli.exit_codes import MEANING
from tests.clients.cli.running import CommandLine
from tools import document_cli

ROOT = typer.main.get_command(app)
DOCUMENT = Path(__file__).parents[3] / "docs/cli.md"
COMMANDS = {
    "push", "pull", "ls", "show", "resolve", "publish", "alias", "eval", "gate", "log", "diff",
    "audit", "whoami", "why", "doctor", "context", "watch", "model", "namespace", "deprecate",
    "yank", "delete", "undelete", "role", "help",
}  # fmt: skip


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    if isinstance(command, TyperGroup):
        for name in sorted(command.commands):
            yield from commands(command.commands[name], (*path, name))


ALL = [
    pytest.param(path, command, id=" ".join(path) or "assay") for path, command in commands(ROOT)
]


def test_no_command_of_the_contract_is_missing() -> None:
    assert {*ROOT.commands} >= COMMANDS  # type: ignore[attr-defined]


@pytest.mark.parametrize(("path", "command"), ALL)
def test_every_command_has_help_with_an_example_that_begins_with_its_name(
    offline: CommandLine, path: tuple[str, ...], command: Any
) -> None:
    ran = offline(*path, "--help")

    assert ran.status == 0, ran.err
    assert "Examples" in ran.out
    full_name = " ".join(["assay", *path])
    assert any(full_name in example.command for example in command.examples)
    assert ran.widest <= 80


@pytest.mark.parametrize(("path", "command"), ALL[1:])
def test_no_command_takes_an_option_that_means_something_else_everywhere(
    path: tuple[str, ...], command: Any
) -> None:
    own = {option for parameter in command.params for option in parameter.opts}

    assert not own & (FLAGS | VALUED)


@pytest.mark.parametrize(("path", "command"), ALL)
def test_every_option_and_argument_says_what_it_is(path: tuple[str, ...], command: Any) -> None:
    silent = [parameter.name for parameter in command.params if not parameter.help]

    assert not silent


def test_the_reference_document_says_what_the_help_says() -> None:
    assert DOCUMENT.read_text() == document_cli.document(), "Run `make docs`."


def test_the_reference_document_has_every_command() -> None:
    headings = set(re.findall(r"^#+ `(assay[^`]*)`", DOCUMENT.read_text(), re.MULTILINE))

    assert headings == {" ".join(["assay", *path]) for path, _ in commands(ROOT)}


def test_help_exit_codes_lists_every_status(offline: CommandLine) -> None:
    ran = offline("help", "exit-codes", "--output", "json")

    assert ran.json()["entries"] == {str(int(code)): text for code, text in MEANING.items()}
    assert ran.widest <= 200


def test_the_page_on_gates_is_a_document_that_gates_can_be_set_with(
    offline: CommandLine,
) -> None:
    offline.set_width(40)  # redirected, a line must stay a line however narrow the terminal

    ran = offline("help", "gates")

    document = gate_files.gate_of(Table(tomllib.loads(ran.out), "the page"))
    assert len(document.rules) == 6
    assert ran.widest <= 80


@pytest.mark.parametrize("topic", ["exit-codes", "references", "gates", "evaluations"])
def test_every_topic_fits_80_columns(offline: CommandLine, topic: str) -> None:
    ran = offline("help", topic)

    assert ran.status == 0
    assert len(ran.out.splitlines()) > 5
    assert ran.widest <= 80


def test_an_unknown_topic_names_those_that_there_are(offline: CommandLine) -> None:
    ran = offline("help", "exit")

    assert ran.status == 2
    assert "exit-codes" in ran.err


def test_the_version_is_one_line(offline: CommandLine) -> None:
    ran = offline("--version")

    assert ran.status == 0
    assert re.fullmatch(r"assay \d+\.\d+\.\d+\S*\n", ran.out)


def test_options_of_every_command_may_stand_anywhere() -> None:
    assert hoisted(["ls", "vision", "-o", "json", "--limit", "3", "-q"]) == [
        "-o", "json", "-q", "ls", "vision", "--limit", "3",
    ]  # fmt: skip
    assert hoisted(["ls", "--context=dev"]) == ["--context=dev", "ls"]
    assert hoisted(["push", "a/b", "--", "--output"]) == ["push", "a/b", "--", "--output"]
    assert hoisted(["ls", "--output"]) == ["--output", "ls"]


def test_a_misspelled_option_is_a_usage_error_in_one_sentence(offline: CommandLine) -> None:
    ran = offline("ls", "--staet", "ready")

    assert ran.status == 2
    assert "--staet" in ran.err
    assert "assay ls --help" in ran.err
    assert "Traceback" not in ran.err


def test_completion_can_be_shown(offline: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")

    ran = offline("--show-completion", "bash")

    assert "_ASSAY_COMPLETE" in ran.out


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_its_extra_the_command_says_what_to_install(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; from assay.cli import main; main()"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ran.returncode == 1
    assert ran.stderr == (
        f"The assay command line needs {missing}, which is not installed. "
        "Install it with: pip install 'assay-registry[cli]'\n"
    )
