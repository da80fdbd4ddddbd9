"""The audit trail: a mutation's entry comes with its transaction, others through the sink."""

from typing import Protocol

from assay_server.domain.audit import AuditEntry, AuditFilter
from assay_server.domain.calls import Page, Paged


class AuditSink(Protocol):
    """Where reads and denials are recorded."""

    async def record(self, entry: AuditEntry) -> None:
        """Make the entry durable, together with others that wait, before returning.

        A caller that is cancelled while it waits has its entry recorded none the less, once.

        Raises:
            AuditUnavailable: It could not be made durable; the call must be refused.
        """
        ...


class AuditReads(Protocol):
    """Reading the whole trail: mutations, reads and denials together."""

    async def list(self, wanted: AuditFilter, page: Page) -> Paged[AuditEntry]:
        """List newest first."""
        ...
