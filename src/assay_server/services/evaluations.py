"""Evaluations: recorded once, of one version, and never changed."""

from dataclasses import replace

from assay_server.domain.access import Role
from assay_server.domain.calls import (
    Call,
    Change,
    Committed,
    Happened,
    Page,
    Paged,
    Stamped,
)
from assay_server.domain.evaluating import require_same_files, trust_of
from assay_server.domain.evaluations import Evaluation
from assay_server.domain.events import EventType
from assay_server.domain.models import require_live
from assay_server.domain.names import EvaluationName, VersionName, evaluation_name, version_name
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction


class EvaluationService:
    """The requests about evaluations."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def record(self, call: Call, stated: Evaluation) -> Committed[Evaluation]:
        """Record what was measured of a version, with who vouches for it.

        Args:
            call: Whose roles and principal decide the trust.
            stated: A checked evaluation as far as the caller states it; what the server knows
                better (id, files, trust, maker, time) is filled in.

        Raises:
            NotFound: There is no such version.
            ModelIsDeleted: The model must be restored first.
            InvalidField: Other files than those of the version were measured.
        """
        now, evaluation_id = self._clock.now(), self._ids.new()

        async def add(tx: Transaction) -> Change[Evaluation]:
            model, version = await tx.together(
                tx.models.hold(stated.namespace_id, stated.model_id),
                tx.versions.get(stated.namespace_id, stated.model_id, stated.number),
            )
            require_live(model)
            evaluation = replace(
                stated,
                evaluation_id=evaluation_id,
                manifest_digest=require_same_files(
                    stated.manifest_digest,
                    version.manifest.digest,
                    name=version_name(stated.namespace_id, stated.model_id, stated.number),
                ),
                trust=trust_of(
                    holds_evaluator_role=Role.EVALUATOR in call.roles,
                    evaluator=call.principal,
                    author=version.created_by,
                ),
                created_by=call.principal,
                create_time=now,
            )
            await tx.evaluations.add(evaluation)
            return Change(evaluation, (_recorded(evaluation),))

        return await self._store.change(call, Evaluation, add)

    async def get(self, name: EvaluationName, *, as_of: int = 0) -> Stamped[Evaluation]:
        """Read one evaluation."""
        async with self._store.read(as_of) as reader:
            evaluation = await reader.evaluations.get(*name)
            return Stamped(evaluation, reader.revision)

    async def list(
        self, name: VersionName, page: Page, *, as_of: int = 0
    ) -> Stamped[Paged[Evaluation]]:
        """List the evaluations of a version, newest first."""
        async with self._store.read(as_of) as reader:
            await reader.versions.get(*name)
            evaluations = await reader.evaluations.list(*name, page)
            return Stamped(evaluations, reader.revision)


def _recorded(evaluation: Evaluation) -> Happened:
    name = evaluation_name(
        evaluation.namespace_id, evaluation.model_id, evaluation.number, evaluation.evaluation_id
    )
    return Happened(EventType.CREATED, name, evaluation.namespace_id, evaluation)
