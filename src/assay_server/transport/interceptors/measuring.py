"""Metrics, under the names of go-grpc-middleware that dashboards already know."""

from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import MethodDescriptor
from prometheus_client import CollectorRegistry, Counter, Histogram

from assay_server.transport.interceptors.rpc import Proceed, Rpc

LABELS = ("grpc_type", "grpc_service", "grpc_method")
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
_KINDS = {
    (False, False): "unary",
    (True, False): "client_stream",
    (False, True): "server_stream",
    (True, True): "bidi_stream",
}
_ODD_NAMES = {grpc.StatusCode.OK: "OK", grpc.StatusCode.CANCELLED: "Canceled"}
UNKNOWN = ("unary", "_OTHER", "_OTHER")
"""All methods that do not exist share one series: their names are chosen by callers."""


@dataclass(frozen=True, slots=True)
class _Series:
    """The children of one method, looked up once."""

    started: Counter
    received: Counter
    sent: Counter
    seconds: Histogram
    handled: dict[grpc.StatusCode, Counter]


class Measured:
    """Counts calls and times them; every series exists from the start, at zero."""

    def __init__(
        self, methods: Iterable[tuple[str, MethodDescriptor]], registry: CollectorRegistry
    ) -> None:
        started = Counter("grpc_server_started_total", "RPCs started.", LABELS, registry=registry)
        handled = Counter(
            "grpc_server_handled_total",
            "RPCs completed, by status.",
            (*LABELS, "grpc_code"),
            registry=registry,
        )
        received = Counter(
            "grpc_server_msg_received_total", "Messages received.", LABELS, registry=registry
        )
        sent = Counter("grpc_server_msg_sent_total", "Messages sent.", LABELS, registry=registry)
        seconds = Histogram(
            "grpc_server_handling_seconds",
            "Time from arrival to status.",
            LABELS,
            buckets=BUCKETS_S,
            registry=registry,
        )

        def series(labels: tuple[str, str, str]) -> _Series:
            return _Series(
                started.labels(*labels),
                received.labels(*labels),
                sent.labels(*labels),
                seconds.labels(*labels),
                {code: handled.labels(*labels, code_name(code)) for code in grpc.StatusCode},
            )

        self._series = {
            full_name: series(
                (
                    _KINDS[method.client_streaming, method.server_streaming],
                    method.containing_service.full_name,
                    method.name,
                )
            )
            for full_name, method in methods
        }
        self._unknown = series(UNKNOWN)

    async def calls(self, rpc: Rpc, proceed: Proceed) -> bytes | None:
        """Count and time what is inside."""
        series = self._series.get(rpc.method.full_name, self._unknown)
        series.started.inc()
        try:
            return await proceed(rpc)
        finally:
            series.handled[rpc.status].inc()
            series.seconds.observe(rpc.duration_us / 1e6)
            series.received.inc(rpc.messages_in)
            series.sent.inc(rpc.messages_out)


def code_name(code: grpc.StatusCode) -> str:
    """``NOT_FOUND`` as Go spells it, ``NotFound``: the dashboards match on that."""
    if code in _ODD_NAMES:
        return _ODD_NAMES[code]
    return code.name.title().replace("_", "")
