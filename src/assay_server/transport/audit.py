"""AuditService: translate, call, translate."""

from assay.v1 import audit_entry_pb2, audit_service_pb2_grpc
from assay.v1 import audit_service_pb2 as api
from assay_server.domain.audit import AuditFilter, Decision
from assay_server.domain.limits import require_line
from assay_server.domain.names import parse_namespace
from assay_server.services.audit import AuditService
from assay_server.transport.api import METHODS
from assay_server.transport.caller import current_call
from assay_server.transport.messages import audit_entry
from assay_server.transport.paging import Paging
from assay_server.transport.translating.enums import from_enum
from assay_server.transport.translating.timestamps import from_timestamp

FILTER_BYTES_MAX = 4096
"""The longest principal has half of that, and names have less."""


class AuditServicer(audit_service_pb2_grpc.AuditServiceServicer):
    """Answers the RPC of AuditService."""

    def __init__(self, trail: AuditService, paging: Paging) -> None:
        self._trail = trail
        self._paging = paging

    async def ListEntries(
        self, request: api.ListEntriesRequest, _context: object
    ) -> api.ListEntriesResponse:
        call = current_call()
        page = self._paging.page_of(request, call)
        found = await self._trail.list(_filter(request), page)
        return api.ListEntriesResponse(
            entries=map(audit_entry.to_message, found.items),
            next_page_token=self._paging.token_for(found, request, call),
        )


def _filter(request: api.ListEntriesRequest) -> AuditFilter:
    decision = None
    if request.decision:
        decision = from_enum(
            request.decision, audit_entry_pb2.AuditDecision, Decision, field="decision"
        )
    return AuditFilter(
        principal=_text(request.principal, "principal"),
        method=_full_name(_text(request.method, "method")),
        resource_prefix=_text(request.resource_prefix, "resource_prefix"),
        namespace_id=parse_namespace(request.parent, field="parent") if request.parent else "",
        decision=decision,
        status=_text(request.status, "status").upper(),
        since=from_timestamp(request.since, field="since") if request.HasField("since") else None,
        until=from_timestamp(request.until, field="until") if request.HasField("until") else None,
    )


def _text(text: str, field: str) -> str:
    """What an entry could hold; with anything else some databases fail instead of finding none."""
    return require_line(text, field=field, bytes_max=FILTER_BYTES_MAX)


def _full_name(method: str) -> str:
    """``method`` as the trail has it; people write the last part only."""
    if not method or "/" in method:
        return method
    full = (name for name in METHODS if name.endswith(f"/{method}"))
    return next(full, method)
