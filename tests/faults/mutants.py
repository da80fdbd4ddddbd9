"""Builds broken copies of the server and runs a test against each: all must be caught.

A mutant is a copy of the sources in a temporary directory with some text replaced. Text that is
not there any more is a failure: the mutant must follow the code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.broken_builds import HISTORIES, MUTANTS, Edit, Mutant
from tests.faults.broken_promises import MORE

ROOT = Path(__file__).parents[2]
COPIED = ("src", "tests", "clients/python/src", "proto", "pyproject.toml", "docs/guarantees.md")
SERVER = "src/assay_server"
TIMEOUT_S = 600


def main(wanted: str = "") -> int:
    """Run all, or those whose name contains ``wanted``; gives the exit status."""
    chosen = [one for one in (*MUTANTS, *MORE) if wanted in one.name]
    rows, missed = [], 0
    for mutant in (Mutant("(as it is)", HISTORIES, (), "sqlite"), *chosen):
        began = time.monotonic()
        caught_by = _caught_by(mutant)
        is_right = bool(caught_by) == bool(mutant.edits)
        missed += not is_right
        seconds = time.monotonic() - began
        rows.append(f"{'ok    ' if is_right else 'MISSED'} {mutant.name:<44} {caught_by or '-'}")
        print(f"{rows[-1]}  ({seconds:.0f} s)", flush=True)  # noqa: T201
    caught = len(chosen) - missed
    print(f"\n{caught} of {len(chosen)} mutants were caught")  # noqa: T201
    return 1 if missed else 0


def _caught_by(mutant: Mutant) -> str:
    """What the test said when it failed; empty when it passed."""
    with tempfile.TemporaryDirectory(prefix="assay-mutant-") as made:
        copy = Path(made)
        _copy_to(copy)
        for edit in mutant.edits:
            _apply(edit, copy / SERVER)
        paths = (copy / "src", copy / "clients/python/src")
        environment = {
            **os.environ,
            **mutant.effort,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=short", mutant.test]
        done = subprocess.run(
            [*command, "-k", mutant.select or "test", "-p", "no:cacheprovider"],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    if done.returncode not in (0, 1) or "skipped" in done.stdout.splitlines()[-1]:
        raise SystemExit(f"{mutant.name}: the test did not run\n{done.stdout[-3000:]}{done.stderr}")
    if not done.returncode:
        return ""
    said = [line for line in done.stdout.splitlines() if line.startswith("E  ")]
    return f"{mutant.test.rpartition('/')[2]}: {said[0][1:].strip()[:150] if said else '?'}"


def _copy_to(copy: Path) -> None:
    for name in COPIED:
        source, target = ROOT / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def _apply(edit: Edit, server: Path) -> None:
    path = server / edit.path
    text = path.read_text()
    if text.count(edit.old) != 1:
        raise SystemExit(f"{edit.path} does not have this once any more:\n{edit.old}")
    path.write_text(text.replace(edit.old, edit.new))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
