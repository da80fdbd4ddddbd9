"""Which semantic version a version gets: the rule, what was asked, and why.

Rules:
- The base is the greatest release that still resolves (READY or DEPRECATED): its callers rely on
  it. Without one the first semver is 1.0.0, or any that is asked for.
- An interface that breaks callers, or is gone, demands MAJOR. Another architecture, training
  data, feature set, base version, format or framework, or a compatible change of the interface
  demands MINOR. Anything else is a retrain: PATCH.
- Without a signature to compare with, nobody can know what callers notice: the step must be
  named.
- More than demanded may be asked, less is refused. A semver that another version has is passed
  over by the rule, and refused when asked for.
- A pre-release is given only when asked for by its full name; its numbers must reach what is
  demanded. It never becomes the base.
- Where a part is 999999999, the next greater part grows instead.
- Build metadata is refused: two versions that differ only by it would have no order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from assay_server.domain.errors import (
    BumpRequired,
    InvalidField,
    InvalidSemver,
    SemverTaken,
    SemverTooLow,
)
from assay_server.domain.facts import DatasetPurpose, Facts
from assay_server.domain.semver import Semver, parse_semver
from assay_server.domain.signatures import Compatibility, compatibility
from assay_server.domain.versions import Bump, Version, VersionState

_BEFORE_FIRST = Semver(0, 0, 0)
BASES = frozenset({VersionState.READY, VersionState.DEPRECATED})
"""In which of its states a release still resolves, so that it can be the base."""

_SIZE = {Bump.PATCH: 0, Bump.MINOR: 1, Bump.MAJOR: 2}


@dataclass(frozen=True, slots=True)
class Reason:
    """One change that demands a step; ``sentence`` explains it to a person."""

    bump: Bump
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the client named: nothing, a bump, or a semver."""

    bump: Bump | None = None
    semver: str = ""


@dataclass(frozen=True, slots=True)
class SemverDecision:
    """The semver to give, the step it is from the base, and sentences that say why."""

    semver: str
    bump: Bump
    reasons: tuple[str, ...] = ()


def decide_semver(
    candidate: Facts,
    base: Version | None,
    asked: Asked,
    *,
    name: str,
    taken: Mapping[str, int],
    is_made: bool = True,
) -> SemverDecision:
    """Decide the semver of ``candidate``.

    Args:
        candidate: The facts of the version to publish.
        base: The greatest release in one of the states ``BASES``; None where there is none.
        asked: What the client named; a bump and a semver exclude each other.
        name: Resource name of the version to publish, for messages; of its model, where the
            version is not made before this.
        taken: The numbers of the versions that have a release past the base, by their semvers,
            and of the one that has the semver asked for; deleted versions are among them.
        is_made: Whether the version is there already.

    Raises:
        BumpRequired: Nothing was asked and a signature is missing.
        SemverTooLow: Less was asked than the changes demand.
        SemverTaken: Another version has the semver that was asked for.
        InvalidSemver: It cannot be read, or has build metadata.
        InvalidField: Both a bump and a semver were asked for.
    """
    if asked.bump and asked.semver:
        raise InvalidField("semver", "cannot be given together with bump; leave one of them out")
    wanted = _wanted(asked.semver)
    reasons = tuple(demands(candidate, base.facts)) if base else ()
    if base and wanted is None and asked.bump is None:
        _require_signatures(candidate, base, name, is_made=is_made)
    if wanted:
        decision = _as_named(wanted, base, reasons, taken)
    else:
        decision = _as_grown(base, asked.bump, reasons, taken)
    return replace(decision, reasons=_sentences(reasons, base, candidate))


def demands(candidate: Facts, base: Facts) -> Iterator[Reason]:
    """Every change from ``base`` that demands more than PATCH, greatest first."""
    yield from _signature_demands(candidate, base)
    for field, before, after in _compared_fields(base, candidate):
        if before != after:
            yield Reason(Bump.MINOR, field, f"{field} changed")


def _signature_demands(candidate: Facts, base: Facts) -> Iterator[Reason]:
    if base.signature is None:
        return
    if candidate.signature is None:
        yield Reason(Bump.MAJOR, "signature", "signature was removed")
        return
    comparison = compatibility(base.signature, candidate.signature)
    breaks = comparison.compatibility is Compatibility.INCOMPATIBLE
    bump = Bump.MAJOR if breaks else Bump.MINOR
    for change in comparison.breaking if breaks else comparison.changes:
        yield Reason(bump, change.field, str(change))


def _compared_fields(base: Facts, candidate: Facts) -> Iterator[tuple[str, object, object]]:
    """Fields whose change is MINOR, before and after; order within sets carries no meaning."""
    old, new = base.lineage, candidate.lineage
    yield "lineage.architecture_digest", old.architecture_digest, new.architecture_digest
    yield "lineage.datasets", _training_digests(base), _training_digests(candidate)
    yield "lineage.feature_sets", frozenset(old.feature_sets), frozenset(new.feature_sets)
    yield "lineage.base_version", old.base_version, new.base_version
    yield "format.name", base.format.name, candidate.format.name
    yield "format.framework", base.format.framework, candidate.format.framework


def _training_digests(facts: Facts) -> frozenset[str]:
    return frozenset(
        dataset.digest
        for dataset in facts.lineage.datasets
        if dataset.purpose is DatasetPurpose.TRAINING
    )


def _wanted(text: str) -> Semver | None:
    if not text:
        return None
    semver = parse_semver(text)
    if semver.build:
        raise InvalidSemver(text, "build metadata is not used here, since it has no order")
    return semver


def _require_signatures(candidate: Facts, base: Version, name: str, *, is_made: bool) -> None:
    if candidate.signature is None:
        lacking = name if is_made else f"the new version of {name}"
        raise BumpRequired(name, lacking=lacking, is_made=is_made)
    if base.facts.signature is None:
        lacking = f"version {base.number} ({base.semver})"
        raise BumpRequired(name, lacking=lacking, is_made=is_made)


def _as_named(
    wanted: Semver, base: Version | None, reasons: tuple[Reason, ...], taken: Mapping[str, int]
) -> SemverDecision:
    if base is not None:
        floor = parse_semver(base.semver)
        demanded = _greatest(reasons)
        least = _grown(floor, demanded)
        if wanted.release < least:
            raise _too_low(str(wanted), str(least), reasons, base)
        grown = _step(floor, wanted)
    else:
        grown = Bump.MAJOR
    if str(wanted) in taken:
        raise SemverTaken(str(wanted), taken[str(wanted)])
    return SemverDecision(str(wanted), grown)


def _as_grown(
    base: Version | None,
    asked: Bump | None,
    reasons: tuple[Reason, ...],
    taken: Mapping[str, int],
) -> SemverDecision:
    demanded = _greatest(reasons) if base else Bump.MAJOR
    bump = (asked or demanded) if base else Bump.MAJOR
    floor = parse_semver(base.semver) if base else _BEFORE_FIRST
    if base and _SIZE[bump] < _SIZE[demanded]:
        raise _too_low(bump, demanded, reasons, base)
    semver = _grown(floor, bump)
    while str(semver) in taken:
        semver = _grown(semver, bump)
    return SemverDecision(str(semver), _step(floor, semver))


def _grown(floor: Semver, bump: Bump) -> Semver:
    """The next release by ``bump``; by a greater one where its part has no number left.

    Raises:
        InvalidSemver: No release is greater.
    """
    for step in sorted(_SIZE, key=_SIZE.__getitem__)[_SIZE[bump] :]:
        if (semver := floor.grown(step)).can_be_read:
            return semver
    raise InvalidSemver(str(floor), "no release is greater; parts have nine digits at most")


def _greatest(reasons: tuple[Reason, ...]) -> Bump:
    return max((reason.bump for reason in reasons), key=_SIZE.__getitem__, default=Bump.PATCH)


def _step(floor: Semver, wanted: Semver) -> Bump:
    if wanted.major > floor.major:
        return Bump.MAJOR
    return Bump.MINOR if wanted.minor > floor.minor else Bump.PATCH


def _sentences(
    reasons: tuple[Reason, ...], base: Version | None, candidate: Facts
) -> tuple[str, ...]:
    if base is None:
        return ("it is the first published version",)
    if not reasons and None in (candidate.signature, base.facts.signature):
        return (f"asked for; interfaces without a signature are not compared with {base.semver}",)
    if not reasons:
        return (f"nothing but the weights changed against {base.semver}",)
    return tuple(f"{reason.sentence} against {base.semver}" for reason in reasons)


def _too_low(asked: str, least: str, reasons: tuple[Reason, ...], base: Version) -> SemverTooLow:
    """Name only the changes that demand the greatest step; without one, the base itself."""
    greatest = _greatest(reasons)
    offending = tuple(reason for reason in reasons if reason.bump is greatest)
    sentences = tuple(reason.sentence for reason in offending)
    return SemverTooLow(
        asked=asked,
        least=least,
        fields=tuple(reason.field for reason in offending),
        reasons=sentences or (f"{base.semver} is published already",),
    )
