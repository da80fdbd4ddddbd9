"""Publishing: the gates answer, a semantic version is given, the version is READY."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay_server.domain.bumps import BASES, Asked, decide_semver
from assay_server.domain.calls import Call, Change, Committed
from assay_server.domain.etags import require_etag
from assay_server.domain.events import EventType
from assay_server.domain.gates import PUBLISH, Gate
from assay_server.domain.gating import require_open_gates
from assay_server.domain.models import require_live
from assay_server.domain.names import VersionName, model_name, version_name
from assay_server.domain.transitions import published, require_candidate
from assay_server.domain.versions import Version, outline
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.judging import judge_by
from assay_server.services.versions import ShownVersion, version_happened


@dataclass(frozen=True, slots=True)
class Grounds:
    """On what a publication is decided, whatever the version: see ``decide_semver``."""

    gates: tuple[Gate, ...] = ()
    base: Version | None = None
    taken: Mapping[str, int] = field(default_factory=dict)


NO_GROUNDS = Grounds()
"""Where nothing is to be published."""


class Publisher:
    """Decides a publication within a transaction that holds the gates and the model."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def grounds(
        self, tx: Transaction, namespace_id: str, model_id: str, asked: Asked
    ) -> Grounds:
        """Read what ``published`` decides on; only after gates and model were locked."""
        gates, base, past, same = await tx.together(
            tx.gates.applying(namespace_id, model_id, PUBLISH),
            tx.versions.greatest(namespace_id, model_id, BASES),
            tx.versions.past_greatest(namespace_id, model_id, BASES),
            _with_semver(tx, namespace_id, model_id, asked.semver),
        )
        taken = {one.semver: one.number for one in (*past, same) if one is not None}
        return Grounds(gates, base, taken)

    async def published(
        self,
        tx: Transaction,
        version: Version,
        asked: Asked,
        grounds: Grounds,
        *,
        by: str,
        is_made: bool = True,
    ) -> Version:
        """``version``, READY under its semver; saving it is for the caller.

        ``is_made`` says that it is there also if it is not published.

        Raises:
            IllegalTransition: It is not a candidate.
            GateClosed: A rule is not met; the verdict names every one.
            BumpRequired, SemverTooLow, SemverTaken: See ``decide_semver``.
        """
        name = version_name(version.namespace_id, version.model_id, version.number)
        verdict = await judge_by(tx, require_candidate(version), PUBLISH, grounds.gates)
        require_open_gates(name, verdict)
        decision = decide_semver(
            version.facts,
            grounds.base,
            asked,
            name=name if is_made else model_name(version.namespace_id, version.model_id),
            is_made=is_made,
            taken=grounds.taken,
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
            _, model, version = await tx.together(
                tx.gates.hold(name.namespace_id),
                tx.models.lock(name.namespace_id, name.model_id),
                tx.versions.lock(*name),
            )
            require_live(model)
            require_etag(version_name(*name), expected=etag, current=version.etag)
            grounds = await self._publisher.grounds(tx, name.namespace_id, name.model_id, asked)
            ready = await self._publisher.published(tx, version, asked, grounds, by=call.principal)
            await tx.versions.save(ready)
            answer = ShownVersion(outline(ready))
            return Change(answer, (version_happened(EventType.UPDATED, ready),))

        return await self._store.change(call, ShownVersion, move)


async def _with_semver(
    tx: Transaction, namespace_id: str, model_id: str, semver: str
) -> Version | None:
    return await tx.versions.find_semver(namespace_id, model_id, semver) if semver else None
