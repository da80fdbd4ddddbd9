"""`make demo` tells what happens, and ends with 0 only if all of it did."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.cli.running import CommandLine

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "examples/demo"
HANGS_AFTER_S = 400
"""It takes half a minute; a machine that runs other tests at the same time may need longer."""


def test_the_demo_happens_as_told(tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TMPDIR": str(tmp_path)}

    ran = subprocess.run(
        [sys.executable, str(DEMO / "run.py")],
        capture_output=True, text=True, timeout=HANGS_AFTER_S, env=environment, cwd=tmp_path,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    for told in ("12/12", "class=8", "1.0.0", "1.1.0", "PERMISSION_MISSING", "Do it by hand"):
        assert told in ran.stdout
    assert max(len(line.rstrip()) for line in ran.stdout.splitlines()) <= 80
    assert ran.stderr == ""
    assert not list(tmp_path.iterdir()), "the demo left something behind"


def test_what_the_demo_says_to_do_by_hand_can_be_done(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(DEMO))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    from by_hand import COMMANDS  # type: ignore[import-not-found]

    for hand in COMMANDS:
        words = shlex.split(hand.command.replace("vision", "by-hand").replace("\\\n", ""))
        ran = cli(*words[1:])
        assert ran.status == hand.status, f"{hand.command}\n{ran.out}{ran.err}"

    pulled = tmp_path / ".assay/champion/digits.py"
    assert pulled.read_bytes() == (DEMO / "digits.py").read_bytes()
