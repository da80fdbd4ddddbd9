"""Semantic versions 2.0.0: reading, writing, ordering, growing, and ranges over them.

Rules:
- Order is that of SemVer §11; build metadata does not take part in it.
- ``^1.4`` keeps the left-most part that is not zero, ``~1.4`` the minor, as npm and Cargo do.
- A range never picks a pre-release; only asking for exactly that one does.
"""

import re
from dataclasses import dataclass
from functools import lru_cache, total_ordering

from assay_server.domain.errors import InvalidSemver
from assay_server.domain.versions import Bump

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
"""Nine digits at most, so that each part fits in 32 bits."""

_PART_MAX = 10**9 - 1

_SEMVER = re.compile(
    rf"(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    r"(?:-(?P<prerelease>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_RANGE = re.compile(rf"(?P<operator>[\^~])(?P<parts>{_NUMBER}(?:\.{_NUMBER}){{0,2}})")
_CHARACTERS_MAX = 128


@total_ordering
@dataclass(frozen=True, slots=True)
class Semver:
    """``major.minor.patch[-prerelease][+build]``."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: tuple[str, ...] = ()

    @property
    def core(self) -> tuple[int, int, int]:
        """The three numbers."""
        return (self.major, self.minor, self.patch)

    @property
    def is_prerelease(self) -> bool:
        """Whether it comes before the release of the same numbers."""
        return bool(self.prerelease)

    @property
    def release(self) -> "Semver":
        """The same numbers without pre-release and build."""
        return Semver(*self.core)

    def precedence(self) -> tuple[object, ...]:
        """A key that sorts as SemVer §11 says: a release after its pre-releases."""
        return (*self.core, not self.prerelease, tuple(map(_identifier_rank, self.prerelease)))

    def grown(self, bump: Bump) -> "Semver":
        """The next release with ``bump`` grown and what is below it back at zero."""
        match bump:
            case Bump.MAJOR:
                return Semver(self.major + 1, 0, 0)
            case Bump.MINOR:
                return Semver(self.major, self.minor + 1, 0)
            case Bump.PATCH:
                return Semver(self.major, self.minor, self.patch + 1)

    @property
    def can_be_read(self) -> bool:
        """Whether no part grew past what is read."""
        return max(self.core) <= _PART_MAX

    def __lt__(self, other: "Semver") -> bool:
        return self.precedence() < other.precedence()

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        if self.prerelease:
            text += "-" + ".".join(self.prerelease)
        return text + ("+" + ".".join(self.build) if self.build else "")


@dataclass(frozen=True, slots=True)
class SemverRange:
    """Releases from ``least`` on, but before ``end``."""

    text: str
    least: Semver
    end: Semver

    def holds(self, semver: Semver) -> bool:
        """Whether ``semver`` is a release within the range."""
        return not (semver.is_prerelease or semver < self.least) and semver < self.end


ALL_RELEASES = SemverRange("", Semver(0, 0, 0), Semver(_PART_MAX + 1, 0, 0))
"""No part of a semantic version has more than nine digits."""


@lru_cache(16_384)  # a publication and a range look at every published version of the model
def parse_semver(text: str, *, field: str = "semver") -> Semver:
    """Read a full semantic version such as ``1.4.2`` or ``2.0.0-rc.1``.

    Raises:
        InvalidSemver: It is partial, has a leading zero, or breaks the grammar elsewhere.

    Source:
        SemVer 2.0.0 §2, §9, §10.
    """
    match = _SEMVER.fullmatch(text) if len(text) <= _CHARACTERS_MAX else None
    if match is None:
        raise InvalidSemver(text, "it has not three numbers joined by points", field=field)
    prerelease = tuple((match["prerelease"] or "").split(".")) if match["prerelease"] else ()
    for identifier in prerelease:
        if identifier.isdigit() and len(identifier) > 1 and identifier[0] == "0":
            raise InvalidSemver(text, f"{identifier} begins with a zero", field=field)
    build = tuple(match["build"].split(".")) if match["build"] else ()
    numbers = (int(match["major"]), int(match["minor"]), int(match["patch"]))
    return Semver(*numbers, prerelease=prerelease, build=build)


def parse_range(text: str, *, field: str = "semver") -> SemverRange:
    """Read ``^1``, ``^1.4``, ``^1.4.2``, ``~1``, ``~1.4`` or ``~1.4.2``.

    Raises:
        InvalidSemver: Anything else, such as a range from a pre-release.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        raise InvalidSemver(text, "a range is ^ or ~ and one to three numbers", field=field)
    given = [int(part) for part in match["parts"].split(".")]
    major, minor, patch = [*given, 0, 0][:3]
    least = Semver(major, minor, patch)
    grows = _caret_growth(given) if match["operator"] == "^" else _tilde_growth(given)
    return SemverRange(text, least, least.grown(grows))


def _caret_growth(given: list[int]) -> Bump:
    """The part that may not grow: the first that is not zero, else the last given."""
    for part, bump in zip(given, (Bump.MAJOR, Bump.MINOR, Bump.PATCH), strict=False):
        if part:
            return bump
    return _tilde_growth(given) if len(given) < 3 else Bump.PATCH


def _tilde_growth(given: list[int]) -> Bump:
    return Bump.MAJOR if len(given) == 1 else Bump.MINOR


def _identifier_rank(identifier: str) -> tuple[bool, int, str]:
    """Numbers by value and before words; words by ASCII order (SemVer §11.4)."""
    if identifier.isdigit():
        return (False, int(identifier), "")
    return (True, 0, identifier)
