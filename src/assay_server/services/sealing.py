"""Sealing: a draft becomes a version with a number and digests, and never changes again.

Of content that is here already a version can be made at once, in the same way.
"""

from dataclasses import dataclass, replace

from assay_server.domain.bumps import Asked
from assay_server.domain.calls import Call, Change, Committed, Happened
from assay_server.domain.events import EventType
from assay_server.domain.manifest import File, Manifest
from assay_server.domain.models import Model, require_live
from assay_server.domain.names import DraftName, ModelName, model_name
from assay_server.domain.records import record_digest
from assay_server.domain.transitions import (
    expected_manifest,
    new_draft,
    new_version,
    require_held,
    require_not_deleted,
    sealable_manifest,
    sealed,
)
from assay_server.domain.versions import Draft, DraftChange, Version, VersionState, outline
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.drafts import draft_happened, require_visible, still_visible
from assay_server.services.publishing import NO_GROUNDS, Grounds, Publisher
from assay_server.services.uploads import sealed_sizes
from assay_server.services.versions import version_happened

_PUBLISHED = frozenset({VersionState.READY, VersionState.DEPRECATED})
"""Where the same record was published before, there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class SealedVersion:
    """What sealing gave: a version, and whether it was there already."""

    version: Version
    existed: bool
    alias_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Content:
    """What a version is to be made of; ``found`` is the one with the same record, if any."""

    model: Model
    draft: Draft
    manifest: Manifest
    found: Version | None


class SealingService:
    """The requests to seal, and to create a version at once."""

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
            IllegalTransition: The same record was deleted; with ``publish``, or yanked.
        """

        async def make(tx: Transaction) -> Change[SealedVersion]:
            model, draft = await tx.together(
                _locked_model(tx, *name[:2], publish), tx.drafts.lock_outline(*name)
            )
            require_visible(call, draft)
            content, grounds = await tx.together(
                _content(tx, require_live(model), draft, manifest_digest),
                self._grounds(tx, model, publish),
            )
            made = await self._made(tx, content, publish, grounds, by=call.principal)
            closed = await self._close(tx, content.draft, made.answer.version.number)
            return Change(made.answer, (closed, *made.happened))

        allowed = still_visible(call, name)
        return await self._store.change(call, SealedVersion, make, allowed=allowed)

    async def create(
        self,
        call: Call,
        name: ModelName,
        wanted: DraftChange,
        files: tuple[File, ...],
        *,
        manifest_digest: str,
        publish: Asked | None,
    ) -> Committed[SealedVersion]:
        """Make a version of content that is here already, as if a draft of it were sealed.

        Raises:
            NotFound: There is no such model.
            ModelIsDeleted: It must be restored first.
            FilesMissing: The caller cannot download the content of a file from anywhere here.
            DigestMismatch, InvalidPath, DuplicatePath, InvalidField: The files are wrong.
            GateClosed, BumpRequired, SemverTooLow, SemverTaken, IllegalTransition: As in
                ``seal``.
        """
        model_is = model_name(*name)
        manifest = expected_manifest(files, expected_digest=manifest_digest, name=model_is)
        # Never stored: there is nothing left to be done between its beginning and its sealing.
        draft = new_draft(
            name, wanted, by=call.principal, draft_id="", etag="", now=self._clock.now()
        )
        record = record_digest(manifest, draft.facts)
        digests = {file.sha256 for file in files}

        async def make(tx: Transaction) -> Change[SealedVersion]:
            model = require_live(await _locked_model(tx, *name, publish))
            sizes, found, grounds = await tx.together(
                sealed_sizes(tx, call, name, digests),
                tx.versions.find_record(*name, record),
                self._grounds(tx, model, publish),
            )
            require_held(manifest, sizes, model=model_is)
            content = _Content(model, draft, manifest, found)
            return await self._made(tx, content, publish, grounds, by=call.principal)

        return await self._store.change(call, SealedVersion, make)

    async def _grounds(self, tx: Transaction, model: Model, publish: Asked | None) -> Grounds:
        if publish is None:
            return NO_GROUNDS
        return await self._publisher.grounds(tx, model.namespace_id, model.model_id, publish)

    async def _made(
        self,
        tx: Transaction,
        content: _Content,
        publish: Asked | None,
        grounds: Grounds,
        *,
        by: str,
    ) -> Change[SealedVersion]:
        """The version of ``content``, published when asked; written once it is all decided."""
        found, model = content.found, content.model
        version = require_not_deleted(found) if found else self._new_version(content)
        happened = [] if found else [version_happened(EventType.CREATED, version)]
        if publish is not None and version.state not in _PUBLISHED:
            version = await self._publisher.published(
                tx, version, publish, grounds, by=by, is_made=found is not None
            )
            happened.append(version_happened(EventType.UPDATED, version))
        alias_ids: tuple[str, ...] = ()
        if found is None:
            now = version.create_time
            await tx.models.save(replace(model, version_high_water=version.number, update_time=now))
            await tx.versions.add(version)
        else:
            names = (model.namespace_id, model.model_id)
            aliases = await tx.aliases.of_versions(*names, {version.number})
            alias_ids = tuple(alias.alias_id for alias in aliases)
            if version is not found:
                await tx.versions.save(version)
        answer = SealedVersion(outline(version), found is not None, alias_ids)
        return Change(answer, tuple(happened))

    def _new_version(self, content: _Content) -> Version:
        number = content.model.version_high_water + 1
        return new_version(
            content.draft,
            content.manifest,
            number=number,
            version_uid=self._ids.new(),
            now=self._clock.now(),
            etag=self._ids.new(),
        )

    async def _close(self, tx: Transaction, draft: Draft, number: int) -> Happened:
        closed = sealed(draft, number, now=self._clock.now(), etag=self._ids.new())
        await tx.drafts.save(closed)
        return draft_happened(EventType.UPDATED, closed)


async def _locked_model(
    tx: Transaction, namespace_id: str, model_id: str, publish: Asked | None
) -> Model:
    """The model, locked; before it, when there is something to publish, its gates."""
    if publish is None:
        return await tx.models.lock(namespace_id, model_id)
    _, model = await tx.together(
        tx.gates.hold(namespace_id), tx.models.lock(namespace_id, model_id)
    )
    return model


async def _content(tx: Transaction, model: Model, draft: Draft, expected_digest: str) -> _Content:
    """What sealing the draft would give, and the version that is the same already."""
    name = (draft.namespace_id, draft.model_id, draft.draft_id)
    files, open_paths = await tx.together(tx.drafts.files(*name), tx.uploads.open_paths(*name))
    filled = replace(draft, files=files)
    manifest = sealable_manifest(filled, open_paths=open_paths, expected_digest=expected_digest)
    found = await tx.versions.find_record(*name[:2], record_digest(manifest, draft.facts))
    return _Content(model, filled, manifest, found)
