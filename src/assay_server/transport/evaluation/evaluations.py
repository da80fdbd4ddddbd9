"""EvaluationService on evaluations: translate, call, translate."""

from assay.v1 import evaluation_service_pb2 as api
from assay_server.domain.names import parse_evaluation, parse_version
from assay_server.domain.revisions import require_as_of
from assay_server.services.evaluations import EvaluationService
from assay_server.transport.caller import current_call
from assay_server.transport.messages import evaluation
from assay_server.transport.paging import Paging


class EvaluationRpcs:
    """The RPCs on evaluations."""

    def __init__(self, evaluations: EvaluationService, paging: Paging) -> None:
        self._evaluations = evaluations
        self._paging = paging

    async def ImportEvaluation(
        self, request: api.ImportEvaluationRequest, _context: object
    ) -> api.ImportEvaluationResponse:
        version = parse_version(request.parent, field="parent")
        stated = evaluation.from_message(request.evaluation, version)
        made = await self._evaluations.record(current_call(), stated)
        return api.ImportEvaluationResponse(
            evaluation=evaluation.to_message(made.answer), revision=made.revision
        )

    async def GetEvaluation(
        self, request: api.GetEvaluationRequest, _context: object
    ) -> api.GetEvaluationResponse:
        found = await self._evaluations.get(
            parse_evaluation(request.name), as_of=require_as_of(request.as_of)
        )
        return api.GetEvaluationResponse(
            evaluation=evaluation.to_message(found.answer), revision=found.revision
        )

    async def ListEvaluations(
        self, request: api.ListEvaluationsRequest, _context: object
    ) -> api.ListEvaluationsResponse:
        call, page = current_call(), self._paging.page_of(request, current_call())
        found = await self._evaluations.list(
            parse_version(request.parent, field="parent"),
            page,
            as_of=require_as_of(request.as_of),
        )
        return api.ListEvaluationsResponse(
            evaluations=map(evaluation.to_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )
