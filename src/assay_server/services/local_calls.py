"""Calls that no network made: a command on the server's machine, or the server itself."""

from assay_server.domain.audit import AuditEntry, Decision
from assay_server.domain.calls import Call
from assay_server.ports.clock import Clock, Ids


def local_call(
    command: str,
    clock: Clock,
    ids: Ids,
    *,
    principal: str,
    resource: str = "",
    namespace_id: str = "",
) -> Call:
    """A call by ``principal``; the trail names it and the command."""
    method = f"assay-server/{command}"
    entry = AuditEntry(
        entry_id=ids.new(),
        time=clock.now(),
        principal=principal,
        certificate_sha256="",
        peer="local",
        method=method,
        resource=resource,
        namespace_id=namespace_id,
        decision=Decision.ALLOWED,
        status="OK",
        reason="",
        request_id="",
        call_id=ids.new(),
    )
    return Call(
        principal=principal,
        method=method,
        permissions=frozenset(),
        roles=frozenset(),
        readable_namespaces=None,
        request_id="",
        payload_sha256="",
        entry=lambda: entry,
    )
