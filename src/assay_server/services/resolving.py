"""Resolving: from a reference that a person typed to a version, and what to know of it."""

from dataclasses import dataclass

from assay_server.domain.aliases import Alias
from assay_server.domain.calls import Stamped
from assay_server.domain.models import Model, require_live
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
from assay_server.domain.resolving import Standing, resolve, standing_of
from assay_server.domain.semver import ALL_RELEASES, SemverRange
from assay_server.domain.versions import Version, VersionState
from assay_server.ports.metadata import MetadataStore, Reader

Shown = tuple[Version, tuple[Alias, ...]]
"""A version and the aliases that point to it."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The version that a reference stands for, its aliases, and warnings."""

    version: Version
    alias_ids: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Versions of which one can answer, and where the alias points, 0 if nowhere.

    ``shown`` is the only candidate and its aliases, where they were read already.
    """

    standings: tuple[Standing, ...] = ()
    alias_number: int = 0
    shown: Shown | None = None


class ResolvingService:
    """The request to resolve."""

    def __init__(self, store: MetadataStore) -> None:
        self._store = store

    async def resolve(self, reference: Reference, *, as_of: int = 0) -> Stamped[Resolved]:
        """Find the version that ``reference`` stands for, or stood for, in one snapshot.

        Raises:
            NotFound: There is no such model, version or alias.
            ModelIsDeleted: Nothing of a deleted model resolves.
            NothingResolves: The model has no version that fits.
            VersionNotReady: An alias or pin leads to a version that may not be used like this.
            VersionYanked: An alias leads to a version that was withdrawn.
        """
        names = (reference.namespace_id, reference.model_id)
        async with self._store.read(as_of) as reader:
            _, found = await reader.together(_live(reader, names), _candidates(reader, reference))
            resolution = resolve(reference, found.standings, alias_number=found.alias_number)
            shown = found.shown or await _shown(reader, names, resolution.number)
            version, aliases = shown
            alias_ids = tuple(alias.alias_id for alias in aliases)
            return Stamped(Resolved(version, alias_ids, resolution.warnings), reader.revision)


async def _live(reader: Reader, names: tuple[str, str]) -> Model:
    return require_live(await reader.models.get(*names))


async def _shown(reader: Reader, names: tuple[str, str], number: int) -> Shown:
    return await reader.together(
        reader.versions.get(*names, number), reader.aliases.of_versions(*names, {number})
    )


async def _candidates(reader: Reader, reference: Reference) -> _Candidates:
    names, versions = (reference.namespace_id, reference.model_id), reader.versions
    match reference.target:
        case ByNumber(number):
            return _sole(await _shown(reader, names, number))
        case ByAlias(alias_id):
            alias = await reader.aliases.find(*names, alias_id)
            if alias is None:
                return _Candidates()
            return _sole(await _shown(reader, names, alias.number), alias_number=alias.number)
        case BySemver(semver):
            return await _alone(reader, await versions.find_semver(*names, str(semver)))
        case ByDigest(digest):
            return _Candidates(await versions.with_manifest(*names, digest))
        case Latest():
            return await _alone(reader, await versions.latest(*names))
        case ByRange(wanted):
            return await _greatest(reader, names, wanted)
        case Greatest():
            return await _greatest(reader, names, ALL_RELEASES)


async def _alone(reader: Reader, found: Version | None) -> _Candidates:
    """What was found is the only candidate, if there is one."""
    if found is None:
        return _Candidates()
    names, numbers = (found.namespace_id, found.model_id), {found.number}
    return _sole((found, await reader.aliases.of_versions(*names, numbers)))


async def _greatest(reader: Reader, names: tuple[str, str], within: SemverRange) -> _Candidates:
    """The greatest that is READY, and the greatest that is DEPRECATED."""
    found = await reader.together(
        reader.versions.greatest(*names, {VersionState.READY}, within),
        reader.versions.greatest(*names, {VersionState.DEPRECATED}, within),
    )
    return _Candidates(tuple(standing_of(one) for one in found if one is not None))


def _sole(shown: Shown, *, alias_number: int = 0) -> _Candidates:
    return _Candidates((standing_of(shown[0]),), alias_number, shown)
