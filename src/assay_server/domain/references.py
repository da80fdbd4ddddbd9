"""References that people type, taken apart into what they ask for.

    vision/digits/7              a version by number
    vision/digits@champion       where an alias points
    vision/digits@1.4.2          exactly that semantic version
    vision/digits@^1.4  @~1.4    the greatest release in a range
    vision/digits@latest         the newest READY version
    vision/digits@greatest       the greatest release
    vision/digits@sha256:…       the version with that manifest
    namespaces/vision/models/digits/versions/7 and …/aliases/champion

An alias never looks like a version, so each text has one reading.
"""

import re
from dataclasses import dataclass

from assay_server.domain.errors import InvalidName, InvalidReference, InvalidSemver
from assay_server.domain.names import (
    ID_PATTERN,
    NUMBER_PATTERN,
    model_name,
    parse_alias,
    parse_version,
    require_alias_id,
)
from assay_server.domain.semver import Semver, SemverRange, parse_range, parse_semver

REFERENCE_CHARACTERS_MAX = 512
"""More than the longest legal one needs; keeps error messages and logs small."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SHORT = re.compile(r"(?P<namespace>[^/@]+)/(?P<model>[^/@]+)(?P<mark>[/@])(?P<target>[^/@]+)")


@dataclass(frozen=True, slots=True)
class ByNumber:
    """Exactly this version."""

    number: int


@dataclass(frozen=True, slots=True)
class ByAlias:
    """The version to which the alias points."""

    alias_id: str


@dataclass(frozen=True, slots=True)
class BySemver:
    """Exactly this semantic version, pre-releases included."""

    semver: Semver


@dataclass(frozen=True, slots=True)
class ByRange:
    """The greatest release in the range."""

    range: SemverRange


@dataclass(frozen=True, slots=True)
class ByDigest:
    """The version whose manifest has this digest, ``sha256:<hex>``."""

    digest: str


@dataclass(frozen=True, slots=True)
class Latest:
    """The READY version that was sealed last."""


@dataclass(frozen=True, slots=True)
class Greatest:
    """The greatest release."""


Target = ByNumber | ByAlias | BySemver | ByRange | ByDigest | Latest | Greatest


@dataclass(frozen=True, slots=True)
class Reference:
    """What is asked for, of which model; ``text`` is what the person typed."""

    namespace_id: str
    model_id: str
    target: Target
    text: str

    @property
    def model(self) -> str:
        """Resource name of the model."""
        return model_name(self.namespace_id, self.model_id)


def parse_reference(text: str) -> Reference:
    """Take a reference apart.

    Raises:
        InvalidReference: It has no reading; says why, with an example.
    """
    if len(text) > REFERENCE_CHARACTERS_MAX:
        raise InvalidReference(text, f"it has more than {REFERENCE_CHARACTERS_MAX} characters")
    if text.startswith("namespaces/") and text.count("/") > 2:
        return _full_name(text)
    match = _SHORT.fullmatch(text)
    if match is None:
        raise InvalidReference(text, "it is not a namespace, a model and what is wanted of it")
    for part in ("namespace", "model"):
        if not ID_PATTERN.fullmatch(match[part]):
            raise InvalidReference(
                text,
                f"its {part} has other characters than a-z, 0-9 and -, or begins with none a-z",
            )
    by_number = match["mark"] == "/"
    target = _numbered(text, match["target"]) if by_number else _named(text, match["target"])
    return Reference(match["namespace"], match["model"], target, text)


def _full_name(text: str) -> Reference:
    try:
        if "/versions/" in text:
            version = parse_version(text)
            return Reference(*version[:2], ByNumber(version.number), text)
        alias = parse_alias(text)
    except InvalidName as error:
        raise InvalidReference(text, "it is the name of neither a version nor an alias") from error
    return Reference(*alias[:2], ByAlias(alias.alias_id), text)


def _numbered(text: str, target: str) -> Target:
    if not NUMBER_PATTERN.fullmatch(target):
        raise InvalidReference(text, "a version number counts from 1; other names follow an @")
    return ByNumber(int(target))


def _named(text: str, target: str) -> Target:
    match target:
        case "latest":
            return Latest()
        case "greatest":
            return Greatest()
    if target.startswith("sha256:"):
        if not _DIGEST.fullmatch(target):
            raise InvalidReference(text, "a digest has 64 lower-case hex digits after sha256:")
        return ByDigest(target)
    if target[0] in "^~" or target[0].isdigit():
        return _semantic(text, target)
    try:
        return ByAlias(require_alias_id(target))
    except InvalidName as error:
        problem = "what follows the @ is neither an alias nor a semantic version"
        raise InvalidReference(text, problem) from error


def _semantic(text: str, target: str) -> Target:
    try:
        if target[0] in "^~":
            return ByRange(parse_range(target))
        return BySemver(parse_semver(target))
    except InvalidSemver as error:
        raise InvalidReference(
            text,
            "a semantic version has three numbers; a range is ^ or ~ and one to three numbers "
            "(a version by number is written with /)",
        ) from error
