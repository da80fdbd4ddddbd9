"""Where traces go, when they go anywhere."""

from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from assay_server.config.settings import TracingSection

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter


class ExporterMissing(Exception):
    """Traces are asked for, but what sends them is not installed."""


def tracer_provider(section: TracingSection, *, version: str) -> TracerProvider | None:
    """A provider that sends to the collector; None when there is none, which costs nothing.

    Raises:
        ExporterMissing: The extra ``otlp`` is not installed.
    """
    if not section.otlp_endpoint:
        return None
    send_with = exporter_type()
    provider = TracerProvider(
        resource=Resource.create({"service.name": "assay", "service.version": version}),
        sampler=ParentBased(TraceIdRatioBased(section.sample_share)),
    )
    exporter = send_with(endpoint=section.otlp_endpoint, insecure=True)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def exporter_type() -> "type[OTLPSpanExporter]":
    """What sends traces.

    Raises:
        ExporterMissing: The extra ``otlp`` is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise ExporterMissing(
            "tracing.otlp_endpoint is set, but the exporter is missing: "
            "pip install 'assay-registry-server[otlp]'"
        ) from None
    return OTLPSpanExporter
