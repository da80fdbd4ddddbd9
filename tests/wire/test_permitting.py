"""Access on the wire: nothing where one may not read, the remedy where one may."""

from typing import Any

import grpc
import pytest

from assay.v1 import access_service_pb2 as access
from assay.v1 import access_service_pb2_grpc, watch_service_pb2, watch_service_pb2_grpc
from assay_server.domain.access import Role
from assay_server.domain.audit import Decision
from assay_server.domain.errors import NotFound
from assay_server.transport.caller import current_call
from tests.pki import Authority
from tests.wire.scripted import ADMIN, binding, details_of, info_of, refusal, serving

CONSUMER = "spiffe://assay.test/consumer"
STRANGER = "spiffe://assay.test/stranger"
BINDINGS = (
    binding(ADMIN, Role.ADMIN),
    binding(CONSUMER, Role.CONSUMER, "namespaces/vision"),
)


async def gives_namespace(request: Any, _context: Any) -> Any:
    if request.name != "namespaces/vision":
        raise NotFound(request.name)
    return access.GetNamespaceResponse(revision=7)


async def test_hidden_and_absent_are_the_same_to_the_byte(authority: Authority) -> None:
    handlers = {"GetNamespace": gives_namespace}
    async with serving(authority, handlers, bindings=BINDINGS) as running:
        async with running.channel(STRANGER) as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            hidden = await refusal(
                stub.GetNamespace(access.GetNamespaceRequest(name="namespaces/vision"))
            )
        async with running.channel(ADMIN) as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            absent = await refusal(
                stub.GetNamespace(access.GetNamespaceRequest(name="namespaces/absent"))
            )

        denied, undecided = running.trail.entries
    as_absent = details_of(hidden).SerializeToString().replace(b"vision", b"absent")
    assert hidden.code() is absent.code() is grpc.StatusCode.NOT_FOUND
    assert as_absent == details_of(absent).SerializeToString()
    assert (hidden.details() or "").replace("vision", "absent") == absent.details()
    assert (denied.decision, undecided.decision) == (Decision.DENIED, Decision.ALLOWED)


async def test_who_may_read_but_not_this_hears_what_is_missing(authority: Authority) -> None:
    async with serving(authority, {}, bindings=BINDINGS) as running:
        async with running.channel(CONSUMER) as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            request = access.UpdateNamespaceRequest()
            request.namespace.name = "namespaces/vision"
            error = await refusal(stub.UpdateNamespace(request))

        [entry] = running.trail.entries
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert dict(info_of(error).metadata) == {
        "permission": "namespaces.write",
        "resource": "namespaces/vision",
        "principal": CONSUMER,
        "roles": "admin",
    }
    assert entry.decision is Decision.DENIED
    assert entry.reason == "PERMISSION_MISSING"


async def test_a_list_over_all_is_narrowed_to_what_is_readable(authority: Authority) -> None:
    seen: list[Any] = []

    async def lists(_request: Any, _context: Any) -> Any:
        seen.append(current_call().readable_namespaces)
        return access.ListNamespacesResponse()

    async with serving(authority, {"ListNamespaces": lists}, bindings=BINDINGS) as running:
        for principal in (ADMIN, CONSUMER, STRANGER):
            async with running.channel(principal) as channel:
                stub = access_service_pb2_grpc.AccessServiceStub(channel)
                await stub.ListNamespaces(access.ListNamespacesRequest())

    assert seen == [None, {"vision"}, set()]


async def test_a_watch_of_a_prefix_asks_for_the_permission_there(authority: Authority) -> None:
    async with serving(authority, {}, bindings=BINDINGS) as running:
        async with running.channel(CONSUMER) as channel:
            stub = watch_service_pb2_grpc.WatchServiceStub(channel)
            request = watch_service_pb2.WatchRequest(name_prefix="namespaces/vision/models/digits")
            error = await refusal(stub.Watch(request).read())

        opened, closed = running.trail.entries
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert (opened.decision, closed.decision) == (Decision.DENIED, Decision.DENIED)


@pytest.mark.parametrize(
    "name",
    ["", "vision", "namespaces/", "namespaces/-", "namespaces/Vision", "namespaces/vision/models/",
     "namespaces/vision\n", "/namespaces/vision", "namespaces/a b"],
)  # fmt: skip
async def test_a_name_that_is_none_is_refused_before_anything_is_looked_up(
    authority: Authority, name: str
) -> None:
    async with (
        serving(authority, {}, bindings=BINDINGS) as running,
        running.channel(ADMIN) as channel,
    ):
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        request = access.UpdateNamespaceRequest()
        request.namespace.name = name
        error = await refusal(stub.UpdateNamespace(request))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert info_of(error).reason == "NAME_INVALID"
    assert info_of(error).metadata["field"] == "namespace.name"


async def test_a_request_id_must_be_a_uuid(authority: Authority) -> None:
    async with serving(authority, {}, bindings=BINDINGS) as running:
        async with running.channel(ADMIN) as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            request = access.CreateNamespaceRequest(namespace_id="x", request_id="again\n")
            error = await refusal(stub.CreateNamespace(request))

        [entry] = running.trail.entries
    assert info_of(error).metadata["field"] == "request_id"
    assert entry.request_id == ""
    assert entry.resource == "namespaces/x"


async def test_the_payload_of_a_retry_is_the_same_without_its_request_id(
    authority: Authority,
) -> None:
    seen: list[str] = []

    async def keeps(_request: Any, _context: Any) -> Any:
        seen.append(current_call().payload_sha256)
        return access.CreateNamespaceResponse()

    async with (
        serving(authority, {"CreateNamespace": keeps}) as running,
        running.channel(ADMIN) as channel,
    ):
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        for namespace_id, digit in (("x", "1"), ("x", "2"), ("y", "1")):
            request_id = f"6f1d1d5e-6c1c-4d6f-9f1b-0e4a5c8f0a1{digit}"
            await stub.CreateNamespace(
                access.CreateNamespaceRequest(namespace_id=namespace_id, request_id=request_id)
            )

    first, again, other = seen
    assert first == again != other
