"""Traces and log lines of calls."""

import logging
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from assay.v1 import access_service_pb2, access_service_pb2_grpc
from assay_server.domain.errors import NotFound
from tests.pki import Authority
from tests.wire.scripted import ADMIN, refusal, serving

REQUEST = access_service_pb2.GetNamespaceRequest(name="namespaces/vision")
METHOD = "assay.v1.AccessService/GetNamespace"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECRET = "hunter2"


async def gives(_request: Any, _context: Any) -> Any:
    return access_service_pb2.GetNamespaceResponse(revision=7)


async def raises(_request: Any, _context: Any) -> Any:
    raise ValueError(SECRET)


async def hides(request: Any, _context: Any) -> Any:
    raise NotFound(request.name)


async def test_a_call_is_a_span_of_the_callers_trace(authority: Authority) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    parent = ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")

    async with (
        serving(authority, {"GetNamespace": gives}, tracer=provider.get_tracer("t")) as running,
        running.channel() as channel,
    ):
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        await stub.GetNamespace(REQUEST, metadata=(parent,))
        await refusal(channel.unary_unary("/x.Y/Z")(b""))

    span, unknown = spans.get_finished_spans()
    assert (span.name, span.kind) == (METHOD, SpanKind.SERVER)
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.attributes is not None
    assert span.attributes["rpc.method"] == METHOD
    assert span.attributes["rpc.status_code"] == "OK"
    assert span.status.status_code is StatusCode.UNSET
    assert unknown.name == "_OTHER"
    provider.shutdown()


async def test_a_fault_marks_its_span_without_its_text(authority: Authority) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    async with (
        serving(authority, {"GetNamespace": raises}, tracer=provider.get_tracer("t")) as running,
        running.channel() as channel,
    ):
        await refusal(access_service_pb2_grpc.AccessServiceStub(channel).GetNamespace(REQUEST))

    [span] = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "INTERNAL"
    assert SECRET not in span.to_json()
    provider.shutdown()


@pytest.mark.parametrize(
    ("handler", "level", "code", "reason"),
    [
        (gives, logging.INFO, "OK", ""),
        (hides, logging.INFO, "NOT_FOUND", "RESOURCE_NOT_FOUND"),
        (raises, logging.WARNING, "INTERNAL", "INTERNAL"),
    ],
)
async def test_a_call_is_one_line_of_the_log(
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    handler: Any,
    level: int,
    code: str,
    reason: str,
) -> None:
    caplog.set_level(logging.INFO, logger="assay.calls")
    async with (
        serving(authority, {"GetNamespace": handler}) as running,
        running.channel() as channel,
    ):
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        call = stub.GetNamespace(REQUEST, timeout=20)
        await call.code()

    [line] = [r for r in caplog.records if r.name == "assay.calls"]
    fields: Any = line.__dict__["fields"]
    assert line.levelno == level
    assert (fields["rpc.method"], fields["code"], fields["reason"]) == (METHOD, code, reason)
    assert fields["principal"] == ADMIN
    assert fields["resource"] == "namespaces/vision"
    assert 0 < fields["duration_ms"] < 10_000
    assert 0 < fields["deadline_ms"] <= 20_000
    assert fields["bytes_in"] == REQUEST.ByteSize()
