"""Sealing: a draft becomes a version with a number and digests, and never changes again."""

from dataclasses import dataclass, replace

from assay_server.domain.bumps import Asked
from assay_server.domain.calls import Call, Change, Committed, Happened
from assay_server.domain.events import EventType
from assay_server.domain.manifest import Manifest
from assay_server.domain.models import Model, require_live
from assay_server.domain.names import DraftName
from assay_server.domain.records import record_digest
from assay_server.domain.transitions import new_version, sealable_manifest, sealed
from assay_server.domain.versions import Draft, Version, VersionState, outline
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.drafts import draft_happened, require_visible, still_visible
from assay_server.services.publishing import Publisher
from assay_server.services.versions import version_happened

_PUBLISHED = frozenset({VersionState.READY, VersionState.DEPRECATED})
"""Where the same record was published before, there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class SealedVersion:
    """What sealing gave: a version, and whether it was there already."""

    version: Version
    existed: bool
    alias_ids: tuple[str, ...] = ()


class SealingService:
    """The request to seal."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids, publisher: Publisher) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._publisher = publisher

    async def seal(
        self, call: Call, name: DraftName, *, manifest_digest: str, publish: Asked | None
    ) -> Committed[SealedVersion]:
        """Make a version of a draft, and publish it too when asked: both or neither.

        Args:
            call: Whose draft it is, unless the caller manages those of others.
            name: The draft.
            manifest_digest: What the caller has computed of the files; empty asks nothing.
            publish: What semantic version to publish as; None only seals. That the caller may
                publish is decided before, by the permission table.

        Raises:
            NotFound: There is no such draft, or it is of somebody else.
            ModelIsDeleted: The model must be restored first.
            DraftNotOpen, DraftIncomplete, DraftEmpty, DigestMismatch: See ``sealable_manifest``.
            GateClosed, BumpRequired, SemverTooLow, SemverTaken: With ``publish``.
            IllegalTransition: With ``publish``, where the same record was yanked or deleted.
        """

        async def make(tx: Transaction) -> Change[SealedVersion]:
            if publish is not None:
                await tx.gates.hold(name.namespace_id)
            model = require_live(await tx.models.lock(name.namespace_id, name.model_id))
            draft = require_visible(call, await tx.drafts.lock(*name))
            manifest = sealable_manifest(
                draft,
                open_paths=await tx.uploads.open_paths(*name),
                expected_digest=manifest_digest,
            )
            version, existed = await self._version_of(tx, model, draft, manifest)
            happened = [await self._close(tx, draft, version.number)]
            if not existed:
                happened.append(version_happened(EventType.CREATED, version))
            if publish is not None and version.state not in _PUBLISHED:
                version = await self._publisher.published(tx, version, publish, by=call.principal)
                await tx.versions.save(version)
                happened.append(version_happened(EventType.UPDATED, version))
            aliases = await tx.aliases.of_versions(*name[:2], {version.number})
            answer = SealedVersion(
                outline(version), existed, tuple(alias.alias_id for alias in aliases)
            )
            return Change(answer, tuple(happened))

        allowed = still_visible(call, name)
        return await self._store.change(call, SealedVersion, make, allowed=allowed)

    async def _version_of(
        self, tx: Transaction, model: Model, draft: Draft, manifest: Manifest
    ) -> tuple[Version, bool]:
        """The version with the same record, or a new one; and whether it was there already."""
        found = await tx.versions.find_record(
            model.namespace_id, model.model_id, record_digest(manifest, draft.facts)
        )
        if found is not None:
            return found, True
        number = model.version_high_water + 1
        version = new_version(
            draft,
            manifest,
            number=number,
            version_uid=self._ids.new(),
            now=self._clock.now(),
            etag=self._ids.new(),
        )
        await tx.models.save(replace(model, version_high_water=number))
        await tx.versions.add(version)
        return version, False

    async def _close(self, tx: Transaction, draft: Draft, number: int) -> Happened:
        closed = sealed(draft, number, now=self._clock.now(), etag=self._ids.new())
        await tx.drafts.save(closed)
        return draft_happened(EventType.UPDATED, closed)
