"""Audit entries on the wire."""

from assay.v1 import audit_entry_pb2
from assay_server.domain.audit import AuditEntry
from assay_server.domain.names import audit_entry_name
from assay_server.transport.translating.enums import to_enum
from assay_server.transport.translating.timestamps import to_timestamp


def to_message(entry: AuditEntry) -> audit_entry_pb2.AuditEntry:
    """Translate for an answer."""
    return audit_entry_pb2.AuditEntry(
        name=audit_entry_name(entry.entry_id),
        time=to_timestamp(entry.time),
        principal=entry.principal,
        certificate_sha256=entry.certificate_sha256,
        peer=entry.peer,
        method=entry.method,
        resource=entry.resource,
        decision=to_enum(entry.decision, audit_entry_pb2.AuditDecision),
        status=entry.status,
        reason=entry.reason,
        request_id=entry.request_id,
        call_id=entry.call_id,
        phase=to_enum(entry.phase, audit_entry_pb2.AuditPhase),
        revision=entry.revision,
        duration_us=entry.duration_us,
        received_bytes=entry.bytes_in,
        sent_bytes=entry.bytes_out,
        entry_count=entry.entry_count,
    )
