"""Which version a reference stands for, and what a caller should know of it.

Rules:
- Pins (number, digest, exact semver) reach READY, DEPRECATED and YANKED versions; number and
  digest also a CANDIDATE. All but READY come with a warning.
- An alias reaches READY and, with a warning, DEPRECATED versions; anything else is refused.
- ``latest`` picks among READY ones. A range and ``greatest`` prefer READY releases and fall
  back to DEPRECATED ones with a warning. YANKED ones are passed over.
- A DELETED version is never reached.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from assay_server.domain.errors import NotFound, NothingResolves, VersionNotReady, VersionYanked
from assay_server.domain.names import alias_name, version_name
from assay_server.domain.references import (
    ByAlias,
    ByDigest,
    ByNumber,
    ByRange,
    BySemver,
    Greatest,
    Latest,
    Reference,
)
from assay_server.domain.semver import Semver, parse_semver
from assay_server.domain.versions import Version, VersionState


@dataclass(frozen=True, slots=True)
class Standing:
    """As much of a version as decides whether a reference reaches it."""

    number: int
    state: VersionState
    semver: str = ""
    manifest_digest: str = ""
    state_reason: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The number of the version, and sentences for the caller."""

    number: int
    warnings: tuple[str, ...] = ()


def standing_of(version: Version) -> Standing:
    """What of ``version`` decides whether a reference reaches it."""
    return Standing(
        version.number,
        version.state,
        semver=version.semver,
        manifest_digest=version.manifest.digest,
        state_reason=version.state_reason,
    )


def resolve(
    reference: Reference, candidates: Iterable[Standing], *, alias_number: int = 0
) -> Resolution:
    """Pick the version that ``reference`` stands for.

    Args:
        reference: What was asked.
        candidates: At least the versions of the model of which one can answer; more do no harm.
        alias_number: Where the alias of the reference points; 0 where there is no such alias.

    Raises:
        NotFound: The number was never given, or there is no such alias.
        NothingResolves: The model has no version that fits.
        VersionNotReady: A pin to a deleted version, or an alias to an unpublished one.
        VersionYanked: An alias to a yanked version.
    """
    known = tuple(candidates)
    match reference.target:
        case ByNumber(number):
            return _pinned(reference, _numbered(reference, known, number))
        case ByAlias(alias_id):
            if not alias_number:
                raise NotFound(alias_name(reference.namespace_id, reference.model_id, alias_id))
            return _aliased(reference, _numbered(reference, known, alias_number))
        case ByDigest(digest):
            return _by_digest(reference, known, digest)
        case BySemver(semver):
            return _by_semver(reference, known, semver)
        case ByRange(wanted):
            return _greatest(reference, known, wanted.holds)
        case Greatest():
            return _greatest(reference, known, lambda semver: not semver.is_prerelease)
        case Latest():
            return _latest(reference, known)


def _numbered(reference: Reference, known: tuple[Standing, ...], number: int) -> Standing:
    for standing in known:
        if standing.number == number:
            return standing
    raise NotFound(_name(reference, number))


def _pinned(reference: Reference, standing: Standing) -> Resolution:
    if standing.state is VersionState.DELETED:
        raise VersionNotReady(_name(reference, standing.number), standing.state)
    return _resolution(standing)


def _aliased(reference: Reference, standing: Standing) -> Resolution:
    name = _name(reference, standing.number)
    match standing.state:
        case VersionState.READY | VersionState.DEPRECATED:
            return _resolution(standing)
        case VersionState.YANKED:
            raise VersionYanked(name, standing.state_reason)
    raise VersionNotReady(name, standing.state)


_BEST_STATE_FIRST = (
    VersionState.READY,
    VersionState.DEPRECATED,
    VersionState.YANKED,
    VersionState.CANDIDATE,
)


def _by_digest(reference: Reference, known: tuple[Standing, ...], digest: str) -> Resolution:
    """Several versions may share the same files: the best state wins, then the newest."""
    found = [standing for standing in known if standing.manifest_digest == digest]
    for state in _BEST_STATE_FIRST:
        if fitting := [standing for standing in found if standing.state is state]:
            return _resolution(max(fitting, key=lambda standing: standing.number))
    raise NothingResolves(reference.text, "no version that is not deleted has these files")


def _by_semver(reference: Reference, known: tuple[Standing, ...], semver: Semver) -> Resolution:
    for standing in known:
        if standing.semver == str(semver):
            return _pinned(reference, standing)
    raise NothingResolves(reference.text, "no version was published under this semantic version")


def _greatest(
    reference: Reference, known: tuple[Standing, ...], fits: Callable[[Semver], bool]
) -> Resolution:
    published = [(parse_semver(s.semver), s) for s in known if s.semver]
    for state in (VersionState.READY, VersionState.DEPRECATED):
        fitting = [pair for pair in published if pair[1].state is state and fits(pair[0])]
        if fitting:
            return _resolution(max(fitting, key=lambda pair: pair[0].precedence())[1])
    raise NothingResolves(reference.text, "no READY or DEPRECATED release fits")


def _latest(reference: Reference, known: tuple[Standing, ...]) -> Resolution:
    ready = [standing for standing in known if standing.state is VersionState.READY]
    if not ready:
        raise NothingResolves(reference.text, "no version is READY; publish one first")
    return _resolution(max(ready, key=lambda standing: standing.number))


def _resolution(standing: Standing) -> Resolution:
    reason = f": {standing.state_reason}" if standing.state_reason else ""
    remark = {
        VersionState.DEPRECATED: f"is deprecated{reason}",
        VersionState.YANKED: f"was yanked{reason}",
        VersionState.CANDIDATE: "is a candidate: it was not published",
    }.get(standing.state)
    warnings = (f"version {standing.number} {remark}",) if remark else ()
    return Resolution(standing.number, warnings)


def _name(reference: Reference, number: int) -> str:
    return version_name(reference.namespace_id, reference.model_id, number)
