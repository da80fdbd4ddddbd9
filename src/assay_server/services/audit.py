"""Reading the audit trail."""

from assay_server.domain.audit import AuditEntry, AuditFilter
from assay_server.domain.calls import Page, Paged
from assay_server.ports.audit import AuditReads


class AuditService:
    """The requests about the audit trail."""

    def __init__(self, trail: AuditReads) -> None:
        self._trail = trail

    async def list(self, wanted: AuditFilter, page: Page) -> Paged[AuditEntry]:
        """List the entries that fit, newest first."""
        return await self._trail.list(wanted, page)
