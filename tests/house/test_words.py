"""Keeps out words that say nothing, and notes that promise work instead of doing it."""

import re
from collections.abc import Iterator

from tests.house.sources import all_modules, files, relative, shipped_modules

EMPTY_MODULE_NAMES = {"utils", "util", "helpers", "common", "manager", "base", "impl", "misc"}
# Spelled in halves, so that this file keeps its own rule.
PROMISES = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")
DIALECT_QUESTION = re.compile(r"\bdialect(?:\.name)?\s*(?:==|!=|\bin\b)|\bdialect\.name\b")
TEXT_SUFFIXES = (".py", ".proto", ".md", ".toml", ".yaml", ".yml", ".sh", ".sql", ".go", ".java")
TEXT_DIRECTORIES = (
    "src", "clients", "tests", "tools", "proto", "docs", "deploy", "examples", "benchmarks",
)  # fmt: skip


def lines_matching(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    return (number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line))


def test_no_file_promises_later_work() -> None:
    found = [
        f"{relative(path)}:{line}"
        for path in files(*TEXT_SUFFIXES, under=TEXT_DIRECTORIES)
        for line in lines_matching(PROMISES, path.read_text())
    ]

    assert not found, f"Do it now, or write an issue and leave the code whole: {found}"


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [
        relative(path)
        for path in all_modules()
        if EMPTY_MODULE_NAMES & {path.stem, path.parent.name}
    ]

    assert not found, f"Name the module after the noun or the act it holds: {found}"


def test_only_dialects_asks_which_database_it_is() -> None:
    found = [
        f"{relative(path)}:{line}"
        for path in shipped_modules()
        if not path.as_posix().endswith("sqlstore/dialects.py")
        for line in lines_matching(DIALECT_QUESTION, path.read_text())
    ]

    assert not found, f"Give each dialect class in sqlstore/dialects.py a method: {found}"


def test_the_patterns_find_what_they_look_for() -> None:
    promise = "x = 1  # TO" + "DO later"

    assert [*lines_matching(PROMISES, f"a\n{promise}")] == [2]
    assert [*lines_matching(DIALECT_QUESTION, 'if dialect == "sqlite":')] == [1]
    assert [*lines_matching(DIALECT_QUESTION, "name = bind.dialect.name")] == [1]
    assert not [*lines_matching(DIALECT_QUESTION, "self._dialect.begin()")]
