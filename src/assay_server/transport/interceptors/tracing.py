"""Traces: one OpenTelemetry server span for each call, child of the caller's ``traceparent``."""

from collections.abc import Iterable

import grpc
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from assay_server.transport.interceptors.rpc import Proceed, Rpc

_SERVER_ERRORS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""What the semantic conventions count as an error of a server."""

_OTHER = "_OTHER"


class Traced:
    """Makes the spans; a server without an exporter leaves this concern out altogether."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    async def calls(self, rpc: Rpc, proceed: Proceed) -> bytes | None:
        """Put a span around what is inside."""
        name = rpc.method.full_name if rpc.method.behaviour else _OTHER
        with self._tracer.start_as_current_span(
            name,
            context=self._propagator.extract(_headers(rpc)),
            kind=SpanKind.SERVER,
            attributes={"rpc.system.name": "grpc", "rpc.method": name},
            record_exception=False,  # its text may be secret; the log has it
            set_status_on_exception=False,
        ) as span:
            rpc.trace_id = format_trace_id(span.get_span_context().trace_id)
            try:
                return await proceed(rpc)
            finally:
                span.set_attribute("rpc.status_code", rpc.status.name)
                span.set_attribute("assay.call_id", rpc.call_id)
                if rpc.status in _SERVER_ERRORS:
                    span.set_attribute("error.type", rpc.status.name)
                    span.set_status(Status(StatusCode.ERROR))


def _headers(rpc: Rpc) -> dict[str, str]:
    metadata: Iterable[tuple[str, str | bytes]] = rpc.context.invocation_metadata() or ()
    return {
        key: value if isinstance(value, str) else value.decode("ascii", "replace")
        for key, value in metadata
        if key in {"traceparent", "tracestate"}
    }
