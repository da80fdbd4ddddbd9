"""What operators' tools need: health, reflection, metrics, and a curl that speaks gRPC."""

import asyncio
import base64
import json
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from assay_server.domain.access import Role
from assay_server.transport.api import SERVICES
from assay_server.transport.server import REFLECTION_V1
from tests.absence import absent
from tests.house.sources import ROOT
from tests.wire.registry import Registry, principal

BUF = ROOT / ".venv/bin/buf"
V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"


async def test_health_is_told_for_the_server_and_each_service(registry: Registry) -> None:
    async with registry.channel("stranger") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        names = ["", *(service.full_name for service in SERVICES)]
        answers = [await stub.Check(health_pb2.HealthCheckRequest(service=n)) for n in names]
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))

    assert {a.status for a in answers} == {health_pb2.HealthCheckResponse.SERVING}
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("service", [V1ALPHA, REFLECTION_V1])
async def test_reflection_lists_the_services_and_describes_a_message(
    registry: Registry, service: str
) -> None:
    async with registry.channel("stranger") as channel:
        call = channel.stream_stream(
            f"/{service}/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )(
            iter(
                [
                    reflection_pb2.ServerReflectionRequest(list_services=""),
                    reflection_pb2.ServerReflectionRequest(
                        file_containing_symbol="assay.v1.RegistryService"
                    ),
                ]
            )
        )
        listed, described = [response async for response in call]

    names = {s.name for s in listed.list_services_response.service}
    assert {s.full_name for s in SERVICES} <= names
    assert described.file_descriptor_response.file_descriptor_proto


async def test_health_and_reflection_leave_no_entry(registry: Registry) -> None:
    async with registry.channel() as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest())
    async with registry.stubs() as stubs:
        from assay.v1 import audit_service_pb2

        found = await stubs.audit.ListEntries(audit_service_pb2.ListEntriesRequest())

    assert not [e for e in found.entries if "grpc" in e.method]


async def test_metrics_count_calls_under_the_names_that_dashboards_know(
    registry: Registry,
) -> None:
    async with registry.stubs() as stubs, registry.channel() as channel:
        await stubs.create_namespace("vision")
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary("/made.Up/Method")(b"")
    url = f"http://127.0.0.1:{registry.running.operations_port}/metrics"
    page = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())

    create = 'grpc_method="CreateNamespace",grpc_service="assay.v1.AccessService"'
    assert f'grpc_server_handled_total{{grpc_code="OK",{create},grpc_type="unary"}} 1.0' in page
    assert f'grpc_server_started_total{{{create},grpc_type="unary"}} 1.0' in page
    assert f'grpc_server_handling_seconds_count{{{create},grpc_type="unary"}} 1.0' in page
    assert 'grpc_code="Unimplemented",grpc_method="_OTHER"' in page
    # Series that never happened are there, at zero, so that rates need no special case.
    assert 'grpc_code="Canceled",grpc_method="Watch"' in page
    assert "process_resident_memory_bytes" in page


async def buf_curl(registry: Registry, directory: Path, method: str, body: object) -> Any:
    if not BUF.exists():
        absent("buf", "run `make setup`, which installs it")
    credentials = registry.authority.issue_client(principal(Role.ADMIN))
    certificate, key = credentials.write(directory, "client")
    authority = directory / "authority.pem"
    authority.write_bytes(registry.authority.certificate)
    process = await asyncio.create_subprocess_exec(
        str(BUF), "curl", "--protocol", "grpc", "--cacert", str(authority),
        "--cert", str(certificate), "--key", str(key), "-d", json.dumps(body),
        f"https://{registry.running.target}/{method}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"HOME": str(directory), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    output, errors = await process.communicate()
    return json.loads(output) if process.returncode == 0 else json.loads(errors)


async def test_a_generic_tool_can_call_over_mutual_tls(registry: Registry, tmp_path: Path) -> None:
    made = await buf_curl(
        registry, tmp_path, "assay.v1.AccessService/CreateNamespace", {"namespaceId": "vision"}
    )
    refused = await buf_curl(
        registry, tmp_path, "assay.v1.AccessService/GetNamespace", {"name": "namespaces/absent"}
    )

    assert made["namespace"]["name"] == "namespaces/vision"
    assert refused["code"] == "not_found"
    assert refused["details"][0]["type"] == "google.rpc.ErrorInfo"
    value = base64.b64decode(refused["details"][0]["value"] + "==")
    info = error_details_pb2.ErrorInfo.FromString(value)
    assert info.reason == "RESOURCE_NOT_FOUND"
