"""`make demo` tells what happens, and ends with 0 only if all of it did."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LIMIT_S = 120


def test_the_demo_happens_as_told_within_two_minutes(tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TMPDIR": str(tmp_path)}

    ran = subprocess.run(
        [sys.executable, str(ROOT / "examples/demo/run.py")],
        capture_output=True, text=True, timeout=LIMIT_S, env=environment, cwd=tmp_path,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    for told in ("12/12", "class=8", "1.0.0", "1.1.0", "PERMISSION_MISSING", "Do it by hand"):
        assert told in ran.stdout
    assert max(len(line.rstrip()) for line in ran.stdout.splitlines()) <= 80
    assert ran.stderr == ""
    assert not list(tmp_path.iterdir()), "the demo left something behind"
