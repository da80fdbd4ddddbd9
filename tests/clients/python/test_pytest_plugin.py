"""The pytest plugin: whoever installs the client has a throw-away registry in their tests."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
def test_a_model_is_pushed_and_listed(assay_registry, tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"weights")

    assay_registry.push(tmp_path, to="digits", create=True)

    listed = [model.name for model in assay_registry.list_models()]
    assert listed == ["namespaces/main/models/digits"]


def test_what_another_test_pushed_is_not_there(assay_registry):
    assert list(assay_registry.list_models()) == []
"""


def run(directory: Path, tests: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run pytest as a user would: in a directory and a process of their own."""
    (directory / "test_mine.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "."]
    return subprocess.run(
        command,
        cwd=directory,
        env=os.environ | {"PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_each_test_gets_an_empty_registry_of_its_own(tmp_path: Path) -> None:
    done = run(tmp_path, TESTS)

    assert "2 passed" in done.stdout, done.stdout + done.stderr
