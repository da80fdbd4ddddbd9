"""Which reference reaches a version in which state."""

import pytest

from assay_server.domain.errors import (
    NotFound,
    NothingResolves,
    RegistryError,
    VersionNotReady,
    VersionYanked,
)
from assay_server.domain.references import parse_reference
from assay_server.domain.resolving import Resolution, Standing, resolve, standing_of
from assay_server.domain.versions import VersionState
from tests.unit.making import make_version

A, B, C, D, E, F = (f"sha256:{letter * 64}" for letter in "abcdef")

CANDIDATE, READY = VersionState.CANDIDATE, VersionState.READY
DEPRECATED, YANKED, DELETED = VersionState.DEPRECATED, VersionState.YANKED, VersionState.DELETED

MODEL = [
    Standing(1, READY, "1.0.0", A),
    Standing(2, READY, "1.4.0", B),
    Standing(3, DEPRECATED, "1.5.0", C, "use 1.6"),
    Standing(4, YANKED, "1.6.0", D, "leaks"),
    Standing(5, READY, "2.0.0-rc.1", E),
    Standing(6, DELETED, "1.7.0", F),
    Standing(7, CANDIDATE, "", E),
    Standing(8, DEPRECATED, "3.0.0", D),
    Standing(9, CANDIDATE, "", "sha256:" + "9" * 64),
]


def asked(target: str, *, alias_number: int = 0) -> Resolution:
    reference = parse_reference(f"vision/digits{target}")
    return resolve(reference, MODEL, alias_number=alias_number)


REACHED: list[tuple[str, int, str]] = [
    ("/1", 1, ""),
    ("/3", 3, "version 3 is deprecated: use 1.6"),
    ("/4", 4, "version 4 was yanked: leaks"),
    ("/9", 9, "version 9 is a candidate: it was not published"),
    ("@1.4.0", 2, ""),
    ("@1.5.0", 3, "version 3 is deprecated: use 1.6"),
    ("@1.6.0", 4, "version 4 was yanked: leaks"),
    ("@2.0.0-rc.1", 5, ""),
    ("@^1", 2, ""),
    ("@~1.0", 1, ""),
    ("@~1.5", 3, "version 3 is deprecated: use 1.6"),
    ("@^3", 8, "version 8 is deprecated"),
    ("@greatest", 2, ""),
    ("@latest", 5, ""),
    (f"@{A}", 1, ""),
    (f"@{E}", 5, ""),
    (f"@{D}", 8, "version 8 is deprecated"),
    ("@sha256:" + "9" * 64, 9, "version 9 is a candidate: it was not published"),
]

REFUSED: list[tuple[str, type[RegistryError]]] = [
    ("/10", NotFound),
    ("/6", VersionNotReady),
    ("@1.7.0", VersionNotReady),
    ("@1.4.1", NothingResolves),
    ("@^2", NothingResolves),
    ("@~1.6", NothingResolves),
    ("@^9", NothingResolves),
    (f"@{F}", NothingResolves),
    ("@sha256:" + "0" * 64, NothingResolves),
    ("@champion", NotFound),
]


@pytest.mark.parametrize(("target", "number", "warning"), REACHED)
def test_a_reference_reaches_its_version_and_says_what_to_know(
    target: str, number: int, warning: str
) -> None:
    assert asked(target) == Resolution(number, (warning,) if warning else ())


@pytest.mark.parametrize(("target", "refusal"), REFUSED)
def test_a_reference_to_nothing_usable_is_refused(
    target: str, refusal: type[RegistryError]
) -> None:
    with pytest.raises(refusal):
        asked(target)


@pytest.mark.parametrize(
    ("number", "refusal"), [(4, VersionYanked), (6, VersionNotReady), (7, VersionNotReady)]
)
def test_an_alias_reaches_published_versions_only(
    number: int, refusal: type[RegistryError]
) -> None:
    with pytest.raises(refusal):
        asked("@champion", alias_number=number)


def test_an_alias_to_a_deprecated_version_warns() -> None:
    assert asked("@champion", alias_number=2) == Resolution(2)
    assert asked("@champion", alias_number=3).warnings == ("version 3 is deprecated: use 1.6",)


def test_latest_and_greatest_need_something_published() -> None:
    candidates = [Standing(1, CANDIDATE), Standing(2, YANKED, "1.0.0")]

    for target in ("latest", "greatest", "^1"):
        with pytest.raises(NothingResolves):
            resolve(parse_reference(f"vision/digits@{target}"), candidates)


def test_the_standing_of_a_version_is_taken_from_it() -> None:
    version = make_version(state=YANKED, semver="1.0.0", state_reason="leaks")

    assert standing_of(version) == Standing(7, YANKED, "1.0.0", version.manifest.digest, "leaks")
