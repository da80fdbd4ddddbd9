"""Semantic versions and ranges, against the examples of the specification."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay_server.domain.errors import InvalidSemver
from assay_server.domain.semver import Semver, parse_range, parse_semver
from assay_server.domain.versions import Bump

IN_ORDER = [
    "0.0.0-0",
    "0.0.1",
    "0.9.9",
    "1.0.0-0.3.7",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.9.0",
    "1.10.0",
    "2.0.0--",
    "2.0.0",
    "999999999.999999999.999999999",
]

WRONG = [
    "", "1", "1.4", "1.4.2.1", "v1.4.2", "01.4.2", "1.04.2", "1.4.02", "1.4.2-", "1.4.2-a..b",
    "1.4.2-01", "1.4.2+", "1.4.2-a_b", " 1.4.2", "1.4.2\n", "1.4.2-é", "-1.4.2", "1.4.x", "^1.4.2",
    "1234567890.0.0", "1.0.0-" + "a" * 200, "\u0661.0.0",
]  # fmt: skip

WITHIN: list[tuple[str, list[str], list[str]]] = [
    ("^1", ["1.0.0", "1.9.9"], ["0.9.9", "2.0.0", "1.0.0-rc.1", "2.0.0-rc.1"]),
    ("^1.4", ["1.4.0", "1.4.9", "1.5.0"], ["1.3.9", "2.0.0", "1.5.0-rc.1"]),
    ("^1.4.2", ["1.4.2", "1.9.0"], ["1.4.1", "2.0.0"]),
    ("^0.2.3", ["0.2.3", "0.2.9"], ["0.2.2", "0.3.0"]),
    ("^0.0.3", ["0.0.3"], ["0.0.2", "0.0.4"]),
    ("^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]),
    ("^0.0.0", ["0.0.0"], ["0.0.1"]),
    ("^0", ["0.0.1", "0.9.9"], ["1.0.0"]),
    ("~1", ["1.0.0", "1.9.9"], ["0.9.9", "2.0.0"]),
    ("~1.4", ["1.4.0", "1.4.9"], ["1.3.9", "1.5.0", "1.4.5-rc.1"]),
    ("~1.4.2", ["1.4.2", "1.4.9"], ["1.4.1", "1.5.0"]),
    ("~0.0.3", ["0.0.3", "0.0.9"], ["0.0.2", "0.1.0"]),
]

identifiers = st.from_regex(r"(0|[1-9][0-9]{0,4}|[0-9a-z-]*[a-z-][0-9a-z-]*)", fullmatch=True)
numbers = st.integers(0, 999_999_999)
semvers = st.builds(
    Semver,
    numbers,
    numbers,
    numbers,
    prerelease=st.lists(identifiers, max_size=3).map(tuple),
    build=st.lists(st.from_regex(r"[0-9A-Za-z-]{1,5}", fullmatch=True), max_size=2).map(tuple),
)


def test_precedence_is_that_of_the_specification() -> None:
    parsed = [parse_semver(text) for text in IN_ORDER]

    assert sorted(parsed[1::2] + parsed[::2]) == parsed
    assert all(lower < higher for lower, higher in pairwise(parsed))


def test_build_metadata_takes_no_part_in_precedence() -> None:
    one, other = parse_semver("1.0.0+linux"), parse_semver("1.0.0+mac.2")

    assert not one < other
    assert not other < one
    assert one.build == ("linux",)


@given(semvers)
def test_writing_and_reading_gives_the_same(semver: Semver) -> None:
    assert parse_semver(str(semver)) == semver


@given(semvers, st.sampled_from(Bump))
def test_growing_makes_a_greater_release(semver: Semver, bump: Bump) -> None:
    grown = semver.grown(bump)

    assert grown > semver
    assert not grown.is_prerelease
    assert not grown.build


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_semver_is_refused(text: str) -> None:
    with pytest.raises(InvalidSemver):
        parse_semver(text)


@pytest.mark.parametrize(
    ("text", "bump", "grown"),
    [
        ("1.4.2", Bump.PATCH, "1.4.3"),
        ("1.4.2", Bump.MINOR, "1.5.0"),
        ("1.4.2", Bump.MAJOR, "2.0.0"),
        ("0.0.0", Bump.MAJOR, "1.0.0"),
    ],
)
def test_what_is_below_the_grown_part_starts_again(text: str, bump: Bump, grown: str) -> None:
    assert str(parse_semver(text).grown(bump)) == grown


@pytest.mark.parametrize(("text", "inside", "outside"), WITHIN)
def test_a_range_holds_releases_only_and_ends_where_it_should(
    text: str, inside: list[str], outside: list[str]
) -> None:
    wanted = parse_range(text)

    assert [t for t in inside if not wanted.holds(parse_semver(t))] == []
    assert [t for t in outside if wanted.holds(parse_semver(t))] == []


@pytest.mark.parametrize(
    "text", ["", "1.4", "1.4.2", "^", "~", "^^1", ">=1", "^1.4.2-rc.1", "^1.x", "^01", "^1.4.2.1"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidSemver):
        parse_range(text)
