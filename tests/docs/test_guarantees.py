"""The page of promises names tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guarantees.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", PAGE)))


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_every_test_that_the_page_of_promises_names_exists(path: str, test: str) -> None:
    text = (ROOT / path).read_text()

    assert not test or f"def {test}(" in text or f"class {test}" in text


def test_every_promise_names_a_test() -> None:
    promises = PAGE.partition("## What is not promised")[0]
    rows = re.findall(r"^\*\*(.+?)\*\*(.*?)(?=^\*\*|^## |\Z)", promises, re.MULTILINE | re.DOTALL)

    assert not [name for name, text in rows if "`tests/" not in text]
