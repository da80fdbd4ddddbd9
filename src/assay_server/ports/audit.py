"""The audit trail: a mutation's entry comes with its transaction, others through the sink."""

from collections.abc import Sequence
from typing import Protocol

from assay_server.domain.audit import AuditEntry, AuditFilter
from assay_server.domain.calls import Page, Paged


class AuditSink(Protocol):
    """Where reads and denials are recorded."""

    async def record(self, entry: AuditEntry) -> None:
        """Make the entry durable, together with others that wait, before returning.

        A caller that is cancelled while it waits has its entry recorded none the less, once; and
        so has one that records the same entry again.

        Raises:
            AuditUnavailable: It could not be made durable; the call must be refused.
        """
        ...


class AuditTally(Protocol):
    """Where calls are recorded of which there may be any number, since they get nowhere."""

    async def record_refusal(self, entries: Sequence[AuditEntry]) -> None:
        """Record the entries of one call, or count it among others that are alike.

        Raises:
            AuditUnavailable: As ``AuditSink.record``.
        """
        ...


class AuditReads(Protocol):
    """Reading the whole trail: mutations, reads and denials together."""

    async def list(self, wanted: AuditFilter, page: Page) -> Paged[AuditEntry]:
        """List newest first."""
        ...
