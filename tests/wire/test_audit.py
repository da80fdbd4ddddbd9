"""The trail as auditors read it."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from assay.v1 import access_service_pb2, audit_entry_pb2
from assay.v1 import audit_service_pb2 as api
from assay_server.domain.access import Role
from tests.wire.registry import Registry, Stubs, principal
from tests.wire.scripted import refusal


async def entries(stubs: Stubs, **wanted: object) -> list[audit_entry_pb2.AuditEntry]:
    answer = await stubs.audit.ListEntries(api.ListEntriesRequest(**wanted))  # type: ignore[arg-type]
    return list(answer.entries)


async def test_changes_reads_and_denials_are_found_together_newest_first(
    registry: Registry,
) -> None:
    get = access_service_pb2.GetNamespaceRequest(name="namespaces/vision")
    async with registry.stubs() as admin, registry.stubs("mallory") as mallory:
        revision = await admin.create_namespace("vision")
        await admin.access.GetNamespace(get)
        await refusal(mallory.access.GetNamespace(get))
        async with registry.stubs(Role.AUDITOR) as auditor:
            found = await entries(auditor, parent="namespaces/vision")

    denied, read, made = found
    assert denied.principal == principal("mallory")
    assert denied.decision == audit_entry_pb2.AUDIT_DECISION_DENIED
    assert (denied.status, denied.reason) == ("NOT_FOUND", "RESOURCE_NOT_FOUND")
    assert (read.status, read.revision) == ("OK", 0)
    assert made.method == "assay.v1.AccessService/CreateNamespace"
    assert made.revision == revision
    assert denied.time.ToNanoseconds() >= read.time.ToNanoseconds() >= made.time.ToNanoseconds()


async def test_each_call_has_exactly_one_entry(registry: Registry) -> None:
    request_id = "6f1d1d5e-6c1c-4d6f-9f1b-0e4a5c8f0a11"
    create = access_service_pb2.CreateNamespaceRequest(namespace_id="x", request_id=request_id)
    async with registry.stubs() as admin:
        for _ in range(3):
            await admin.access.CreateNamespace(create)
        await refusal(admin.create_namespace("x"))
        found = await entries(admin, method="CreateNamespace")

    assert [e.status for e in found] == ["ALREADY_EXISTS", "OK", "OK", "OK"]
    assert [e.revision > 0 for e in found] == [False, False, False, True]
    assert {e.request_id for e in found} == {request_id, ""}
    assert len({e.call_id for e in found}) == len({e.name for e in found}) == 4


async def test_the_trail_can_be_narrowed(registry: Registry) -> None:
    async with registry.stubs() as admin, registry.stubs(Role.CONSUMER) as consumer:
        await admin.create_namespace("vision")
        await refusal(consumer.create_namespace("mine"))
        by_status = await entries(admin, status="permission_denied")
        by_decision = await entries(admin, decision=audit_entry_pb2.AUDIT_DECISION_DENIED)
        by_principal = await entries(admin, principal=principal(Role.CONSUMER))
        by_prefix = await entries(admin, resource_prefix="namespaces/vis")
        later = Timestamp(seconds=4_000_000_000)
        by_time = await entries(admin, since=later)

    assert [e.principal for e in by_status] == [principal(Role.CONSUMER)]
    assert by_status == by_decision == by_principal
    assert [e.resource for e in by_prefix] == ["namespaces/vision"]
    assert by_time == []


async def test_pages_of_the_trail_follow_each_other(registry: Registry) -> None:
    async with registry.stubs() as admin:
        for number in range(5):
            await admin.create_namespace(f"n{number}")
        wanted = api.ListEntriesRequest(method="CreateNamespace", page_size=2)
        found = []
        while True:
            page = await admin.audit.ListEntries(wanted)
            found += [e.resource for e in page.entries]
            if not page.next_page_token:
                break
            wanted.page_token = page.next_page_token

    assert found == [f"namespaces/n{number}" for number in (4, 3, 2, 1, 0)]


async def test_who_may_read_one_namespace_only_may_not_read_the_whole_trail(
    registry: Registry,
) -> None:
    async with registry.stubs() as admin, registry.stubs("local-auditor") as local:
        await admin.create_namespace("vision")
        await admin.bind(4, principal("local-auditor"), "namespaces/vision")
        mine = await entries(local, parent="namespaces/vision")
        error = await refusal(entries(local))

    assert mine
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_what_callers_write_cannot_forge_lines_of_the_trail(registry: Registry) -> None:
    evil = 'namespaces/x\n{"status": "OK"}\x1b[2J' + "a" * 5000
    async with registry.stubs() as admin:
        await refusal(admin.access.GetNamespace(access_service_pb2.GetNamespaceRequest(name=evil)))
        [entry] = await entries(admin, method="GetNamespace")

    assert len(entry.resource) <= 600
    assert entry.resource.isprintable()


@pytest.mark.parametrize("field", ["principal", "method", "resource_prefix", "status"])
async def test_a_filter_that_no_database_can_hold_is_refused(
    registry: Registry, field: str
) -> None:
    async with registry.stubs() as admin:
        error = await refusal(entries(admin, **{field: "a\0b"}))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in str(error.details())
