"""The broken builds of ``make mutants`` follow the code: what each breaks is there."""

from collections import Counter
from pathlib import Path

import pytest

from tests.faults.broken_builds import MUTANTS, Mutant
from tests.faults.broken_promises import MORE

ROOT = Path(__file__).parents[2]
ALL = (*MUTANTS, *MORE)


@pytest.mark.parametrize("mutant", ALL, ids=lambda one: one.name)
def test_what_a_mutant_breaks_is_there_once(mutant: Mutant) -> None:
    assert (ROOT / mutant.test).exists()
    for edit in mutant.edits:
        text = (ROOT / "src/assay_server" / edit.path).read_text()
        assert text.count(edit.old) == 1, edit.path
        compile(text.replace(edit.old, edit.new), edit.path, "exec")


def test_every_mutant_has_a_name_of_its_own() -> None:
    assert not [name for name, count in Counter(one.name for one in ALL).items() if count > 1]
