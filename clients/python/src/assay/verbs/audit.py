"""The audit trail: every call, allowed or denied."""

import datetime as dt
from collections.abc import AsyncGenerator

from google.protobuf.timestamp_pb2 import Timestamp

from assay import names
from assay.v1.audit_entry_pb2 import AuditDecision, AuditEntry
from assay.v1.audit_service_pb2 import ListEntriesRequest
from assay.verbs.session import Session


class AuditVerbs(Session):
    """Read the audit trail."""

    async def list_audit_entries(
        self,
        namespace: str = "",
        *,
        principal: str = "",
        method: str = "",
        resource_prefix: str = "",
        decision: "AuditDecision.ValueType" = AuditDecision.AUDIT_DECISION_UNSPECIFIED,
        status: str = "",
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> AsyncGenerator[AuditEntry, None]:
        """List entries, newest first, of a namespace or, without one, of everything.

        Args:
            method: An RPC, such as ``PublishVersion``.
            status: Only answers with this status, such as ``PERMISSION_DENIED``.
            since: Only entries from this time on; a time without a zone is local time.
            until: Only entries before this time.
        """
        request = ListEntriesRequest(
            parent=names.namespace_name(namespace) if namespace else "",
            principal=principal,
            method=method,
            resource_prefix=resource_prefix,
            decision=decision,
            status=status,
            since=_timestamp(since),
            until=_timestamp(until),
        )
        listing = self.stubs.audit.ListEntries
        async for entry in self._calls.pages(listing, request, lambda page: page.entries):
            yield entry


def _timestamp(time: dt.datetime | None) -> Timestamp | None:
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time.astimezone(dt.UTC))
    return stamp
