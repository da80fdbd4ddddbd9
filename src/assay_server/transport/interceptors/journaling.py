"""The log: one line for each call when it ends. No payloads, no names but those in the trail."""

import logging

import grpc

from assay_server.transport.interceptors.rpc import Proceed, Rpc

log = logging.getLogger("assay.calls")

_OUR_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)


async def journaled(rpc: Rpc, proceed: Proceed) -> bytes | None:
    """Write the line, whatever happens inside."""
    deadline_s = rpc.context.time_remaining()
    try:
        return await proceed(rpc)
    finally:
        level = logging.WARNING if rpc.status in _OUR_FAULTS else logging.INFO
        if log.isEnabledFor(level):
            # Not log.log: it looks for the line of code that logs, which is always this one.
            extra = {"fields": _fields(rpc, deadline_s)}
            log.handle(log.makeRecord(log.name, level, __file__, 0, "call", (), None, extra=extra))


def _fields(rpc: Rpc, deadline_s: float | None) -> dict[str, object]:
    return {
        "rpc.method": rpc.method.full_name,
        "code": rpc.status.name,
        "reason": rpc.reason,
        "duration_ms": rpc.duration_us / 1000,
        "peer": rpc.peer,
        "principal": rpc.principal,
        "resource": rpc.resource,
        "call_id": rpc.call_id,
        "request_id": rpc.request_id,
        "msgs_in": rpc.messages_in,
        "msgs_out": rpc.messages_out,
        "bytes_in": rpc.bytes_in,
        "bytes_out": rpc.bytes_out,
        "deadline_ms": None if deadline_s is None else round(deadline_s * 1000),
        "trace_id": rpc.trace_id,
        "revision": rpc.answering.call.on_record.revision if rpc.answering else 0,
    }
