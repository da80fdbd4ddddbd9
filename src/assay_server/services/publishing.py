"""Publishing: the gates answer, a semantic version is given, the version is READY."""

from assay_server.domain.bumps import Asked, base_among, decide_semver
from assay_server.domain.calls import Call, Change, Committed
from assay_server.domain.etags import require_etag
from assay_server.domain.events import EventType
from assay_server.domain.gates import PUBLISH
from assay_server.domain.gating import require_open_gates
from assay_server.domain.models import require_live
from assay_server.domain.names import VersionName, version_name
from assay_server.domain.transitions import published, require_candidate
from assay_server.domain.versions import Version, outline
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.judging import judge_move
from assay_server.services.versions import ShownVersion, version_happened


class Publisher:
    """Decides a publication within a transaction that holds the gates and the model."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def published(
        self, tx: Transaction, version: Version, asked: Asked, *, by: str
    ) -> Version:
        """``version``, READY under its semver; saving it is for the caller.

        Raises:
            IllegalTransition: It is not a candidate.
            GateClosed: A rule is not met; the verdict names every one.
            BumpRequired, SemverTooLow, SemverTaken: See ``decide_semver``.
        """
        names = (version.namespace_id, version.model_id)
        name = version_name(*names, version.number)
        verdict = await judge_move(tx, require_candidate(version), PUBLISH)
        require_open_gates(name, verdict)
        given = await tx.versions.standings(*names, with_deleted=True)
        base = base_among(given)
        decision = decide_semver(
            version.facts,
            await tx.versions.get(*names, base.number) if base else None,
            asked,
            name=name,
            taken={standing.semver: standing.number for standing in given},
        )
        now, etag = self._clock.now(), self._ids.new()
        return published(version, decision, verdict, by=by, now=now, etag=etag)


class PublishingService:
    """The request to publish."""

    def __init__(self, store: MetadataStore, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher

    async def publish(
        self, call: Call, name: VersionName, asked: Asked, *, etag: str
    ) -> Committed[ShownVersion]:
        """Ask the publish gates and, when they are open, make a candidate READY.

        Raises:
            NotFound: There is no such version.
            ModelIsDeleted: The model must be restored first.
            EtagMismatch: The version changed since the caller read it.
            IllegalTransition, GateClosed, BumpRequired, SemverTooLow, SemverTaken: See
                ``Publisher.published``.
        """

        async def move(tx: Transaction) -> Change[ShownVersion]:
            await tx.gates.hold(name.namespace_id)
            require_live(await tx.models.lock(name.namespace_id, name.model_id))
            version = await tx.versions.lock(*name)
            require_etag(version_name(*name), expected=etag, current=version.etag)
            ready = await self._publisher.published(tx, version, asked, by=call.principal)
            await tx.versions.save(ready)
            answer = ShownVersion(outline(ready))
            return Change(answer, (version_happened(EventType.UPDATED, ready),))

        return await self._store.change(call, ShownVersion, move)
