"""EvaluationService on gates: translate, call, translate."""

from assay.v1 import evaluation_service_pb2 as api
from assay_server.domain.errors import InvalidField
from assay_server.domain.limits import require_description
from assay_server.domain.names import (
    Scope,
    parse_gate,
    parse_scope,
    parse_version,
    require_gate_id,
)
from assay_server.domain.revisions import require_as_of
from assay_server.domain.stating import require_any_digest
from assay_server.services.gates import GateService
from assay_server.transport.caller import current_call
from assay_server.transport.messages import gate
from assay_server.transport.paging import Paging


class GateRpcs:
    """The RPCs on gates."""

    def __init__(self, gates: GateService, paging: Paging) -> None:
        self._gates = gates
        self._paging = paging

    async def SetGate(self, request: api.SetGateRequest, _context: object) -> api.SetGateResponse:
        name = parse_gate(request.gate.name, field="gate.name")
        made = await self._gates.set(
            current_call(),
            name,
            gate.rules_of(request.gate),
            dataset_digest=_dataset_digest(request.gate.dataset_digest),
            description=require_description(request.gate.description, field="gate.description"),
            etag=request.gate.etag,
        )
        return api.SetGateResponse(gate=gate.to_message(made.answer), revision=made.revision)

    async def GetGate(self, request: api.GetGateRequest, _context: object) -> api.GetGateResponse:
        found = await self._gates.get(parse_gate(request.name), as_of=require_as_of(request.as_of))
        return api.GetGateResponse(gate=gate.to_message(found.answer), revision=found.revision)

    async def ListGates(
        self, request: api.ListGatesRequest, _context: object
    ) -> api.ListGatesResponse:
        call, page = current_call(), self._paging.page_of(request, current_call())
        found = await self._gates.list(
            _scope(request.parent), page, as_of=require_as_of(request.as_of)
        )
        return api.ListGatesResponse(
            gates=map(gate.to_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )

    async def DeleteGate(
        self, request: api.DeleteGateRequest, _context: object
    ) -> api.DeleteGateResponse:
        name = parse_gate(request.name)
        made = await self._gates.delete(current_call(), name, etag=request.etag)
        return api.DeleteGateResponse(gate=gate.to_message(made.answer), revision=made.revision)

    async def CheckGate(
        self, request: api.CheckGateRequest, _context: object
    ) -> api.CheckGateResponse:
        name = parse_version(request.version, field="version")
        found = await self._gates.check(name, require_gate_id(request.gate_id))
        return api.CheckGateResponse(
            verdict=gate.verdict_message(found.answer, name), revision=found.revision
        )


def _scope(parent: str) -> Scope:
    if not parent:
        raise InvalidField("parent", "is missing; name a namespace or a model")
    return parse_scope(parent, field="parent")


def _dataset_digest(text: str) -> str:
    return require_any_digest(text, field="gate.dataset_digest") if text else text
