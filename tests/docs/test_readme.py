"""What the README shows works: its Python runs, its commands exist, its links lead somewhere."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def shell_commands() -> list[list[str]]:
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def test_the_python_of_the_readme_runs_and_ends_with_a_verified_pull(tmp_path: Path) -> None:
    program = "\n".join(blocks("python"))

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr
    assert "\n  accuracy: " in done.stdout  # the refusal names what is missing, line by line
    assert max(map(len, done.stdout.splitlines())) <= 160
    assert "namespaces/vision/models/digits/versions/1" in done.stdout
    assert list((tmp_path / "champion").iterdir())


@pytest.mark.parametrize(
    "command", [words for words in shell_commands() if words[0] == "make"], ids=" ".join
)
def test_every_make_target_of_the_readme_exists(command: list[str]) -> None:
    done = subprocess.run(["make", "-n", *command[1:]], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_the_commands_of_the_readme_do_what_it_says_one_after_another(tmp_path: Path) -> None:
    program = "\n".join(
        [
            "import os, subprocess, sys, assay",
            "with assay.local() as registry:",
            "    environment = {**os.environ, 'ASSAY_CONFIG': str(registry.contexts_path)}",
            "    done = subprocess.run(['sh', '-x', sys.argv[1]], env=environment)",
            "    sys.exit(done.returncode)",
        ]
    )
    script = tmp_path / "by_hand.sh"
    commands = [shlex.join(words) for words in shell_commands() if words[0] == "assay"]
    # The README says that the first publication is refused; everything else succeeds.
    refused = next(index for index, command in enumerate(commands) if "publish" in command)
    script.write_text(
        "\n".join(f"{'! ' * (i == refused)}{each} || exit 1" for i, each in enumerate(commands))
    )
    (tmp_path / "examples").symlink_to(ROOT / "examples")

    done = subprocess.run(
        [sys.executable, "-c", program, script],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "accuracy" in done.stdout  # `assay why` names the rule


def test_the_readme_says_to_do_by_hand_what_the_demo_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples/demo"))
    by_hand = importlib.import_module("by_hand")
    told = []
    for hand in (*by_hand.PREPARATION, *by_hand.COMMANDS):
        told += [f"# {hand.meaning}"] * bool(hand.meaning) + [hand.command]

    assert "\n".join(told) + "\n" in blocks("sh")


@pytest.mark.parametrize(
    "page",
    [p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if ".venv" not in p.parts],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_link_within_the_documents_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())

    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]

    assert not missing
