"""Keeps the committed stubs the same as what ``make proto`` makes of ``proto/`` today."""

import filecmp
from pathlib import Path

import pytest

from tests.absence import absent
from tests.house.sources import ROOT
from tools import generate_stubs


def names(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("tree", generate_stubs.STUB_TREES, ids=lambda tree: tree.directory)
def test_the_committed_stubs_are_what_the_protos_generate(
    tree: generate_stubs.StubTree, tmp_path: Path
) -> None:
    if missing := tree.missing_tools():
        absent(", ".join(missing), tree.remedy)
    generate_stubs.generate(tree, tmp_path)
    committed, generated = ROOT / tree.directory, tmp_path / tree.directory

    both = names(committed) & names(generated)
    _, different, unreadable = filecmp.cmpfiles(committed, generated, sorted(both), shallow=False)

    remedy = "run `make proto` and commit the result"
    assert names(committed) == names(generated), remedy
    assert not different + unreadable, remedy


def test_the_protos_are_formatted_and_linted() -> None:
    if not generate_stubs.BUF.exists():
        absent("buf", "run `make setup`, which installs it")

    generate_stubs.buf("format", "--diff", "--exit-code", "proto")
    generate_stubs.buf("lint")
