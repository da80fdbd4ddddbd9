"""Keeps the committed stubs the same as what ``make proto`` makes of ``proto/`` today."""

import filecmp
from pathlib import Path

import pytest

from tests.absence import absent
from tests.house.sources import ROOT
from tools import generate_stubs


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if missing := generate_stubs.missing_tools():
        absent(", ".join(missing), "run `make proto`, which installs it")
    output = tmp_path_factory.mktemp("stubs")
    generate_stubs.generate(output)
    return output


def names(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("tree", generate_stubs.STUB_TREES, ids=lambda tree: tree.directory)
def test_the_committed_stubs_are_what_the_protos_generate(
    fresh: Path, tree: generate_stubs.StubTree
) -> None:
    committed, generated = ROOT / tree.directory, fresh / tree.directory

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
