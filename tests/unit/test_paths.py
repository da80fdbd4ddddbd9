"""Paths that must never reach a disk, and those that may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay_server.domain.errors import DuplicatePath, InvalidField, InvalidPath
from assay_server.domain.paths import FILES_MAX, require_distinct, require_path

LEGAL = [
    "model.joblib", "a", "_x", "0", "weights/model-00001-of-00002.safetensors", "A.B-c_d",
    "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", "x" * 128, "config.json", "console", "com", "com10",
    "auxiliary.txt", "nullable", "a.con", "README", "a..b",
]  # fmt: skip

HOSTILE = [
    "", ".", "..", "/", "//", "/etc/passwd", "../x", "a/../b", "a/..", "a/./b", "./a", "a//b", "a/",
    "a/b/", "~/x", "~root", ".ssh", ".git/config", "a/.hidden", "-rf", "a/-x", "a\\b", "..\\x",
    "a\\..\\b", "C:", "C:/x", "c:\\x", "\\\\host\\share", "a:b", "a:stream", "file:///etc/passwd",
    "a b", "a\tb", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\x1b[0m", "a%2fb", "%2e%2e/a", "a?b", "a*b",
    "a|b", "a<b", "a>b", 'a"b', "a'b", "a;b", "a&b", "a$b", "$HOME", "a`b`", "a#b", "a@b", "a+b",
    "a,b", "a=b", "a!b", "(a)", "[a]", "{a}", "a.", "a/b.", "a...", "a ", " a", "con", "CON",
    "Con.txt", "a/nul", "aux.tar.gz", "PRN", "com1", "LPT9.log", "com0", "a/COM3.x/b",
    "é", "e\u0301", "\uff0e\uff0e/a", "a\u2215b", "a\u2044b", "a\u202eb", "a\u200bb", "\ufeffa",
    "ﬁle", "a\ud800", "\u0661", "x" * 129, "a/" * 16 + "a", "abcdefg/" * 8 + "x" * 970,
    ("x" * 120 + "/") * 9 + "x",
]  # fmt: skip

COLLIDING = [
    ("a", "a"),
    ("a", "A"),
    ("weights/Model.bin", "Weights/model.BIN"),
    ("a", "a/b"),
    ("a/b", "a"),
    ("A", "a/b/c"),
    ("a/b", "A/B/c"),
]

DISTINCT = [("a", "b"), ("a", "ab"), ("a/b", "a/c"), ("a/b", "ab"), ("a.b", "a/b"), ("a-", "a/b")]


@pytest.mark.parametrize("path", LEGAL)
def test_an_ordinary_path_is_allowed(path: str) -> None:
    assert require_path(path) == path


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_some_machine_could_misread_is_refused(path: str) -> None:
    with pytest.raises(InvalidPath) as refusal:
        require_path(path)

    assert refusal.value.message.isprintable()


@given(st.text(max_size=40))
def test_whatever_is_allowed_is_plain_and_stays_inside(path: str) -> None:
    try:
        require_path(path)
    except InvalidPath:
        return

    assert path.isascii()
    assert not set(path) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/")
    assert all(part and part.strip(".") and part[0] not in ".-" for part in path.split("/"))


@pytest.mark.parametrize(("one", "other"), COLLIDING)
def test_paths_that_are_one_file_on_some_machine_are_refused(one: str, other: str) -> None:
    with pytest.raises(DuplicatePath):
        require_distinct([one, other])


@pytest.mark.parametrize(("one", "other"), DISTINCT)
def test_paths_that_only_look_alike_are_allowed(one: str, other: str) -> None:
    require_distinct([one, other])


def test_there_is_a_most_of_files() -> None:
    require_distinct(f"f{i}" for i in range(FILES_MAX))

    with pytest.raises(InvalidField):
        require_distinct(f"f{i}" for i in range(FILES_MAX + 1))
