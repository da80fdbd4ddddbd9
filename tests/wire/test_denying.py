"""Who is denied gets no further: on the next call, in the middle of a watch and of an upload."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.v1 import access_service_pb2 as access
from assay.v1 import access_service_pb2_grpc, audit_service_pb2, watch_service_pb2
from assay_server.app.serving import running
from assay_server.config.settings import IdentitySection
from assay_server.domain.access import Role
from assay_server.transport.deny_file import UnusableDenyFile
from assay_server.transport.interceptors import tallying
from tests.pki import Authority, Credentials
from tests.wire.registry import Registry, open_registry, principal, settings
from tests.wire.scripted import info_of, refusal, secure_channel
from tests.wire.transfers import MIB, Transfers, each, messages_of

MALLORY = principal(Role.ADMIN)
PATIENCE_S = 30.0
FLOOD = 400
GET = access.GetNamespaceRequest(name="namespaces/vision")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def denial(kind: str, credentials: Credentials) -> str:
    """The line that denies the holder of ``credentials``."""
    certificate = x509.load_pem_x509_certificate(credentials.certificate)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    value = {
        "principal": MALLORY,
        "serial": f"{certificate.serial_number:x}",
        "certificate-sha256": sha256(certificate.public_bytes(Encoding.DER)),
        "spki-sha256": sha256(key),
    }[kind]
    return f"{kind} {value}\n"


@pytest.fixture
def deny_file(tmp_path: Path) -> Path:
    file = tmp_path / "denied"
    file.write_text("nobody  # yet\n")
    return file


@pytest_asyncio.fixture
async def registry(
    tmp_path: Path, authority: Authority, deny_file: Path
) -> AsyncIterator[Registry]:
    """A registry with a deny-list and a model."""
    config = settings(tmp_path, authority)
    config = replace(config, identity=IdentitySection(deny_file=deny_file))
    async with open_registry(config, authority) as opened:
        async with opened.channel() as channel:
            await Transfers(channel).found()
        yield opened


async def is_denied(ask: Callable[[], Any]) -> bool:
    """Whether the call is denied; any other refusal fails the test."""
    try:
        await ask()
    except grpc.aio.AioRpcError as error:
        if info_of(error).reason != "CERTIFICATE_DENIED":
            raise
        return True
    return False


async def eventually(happens: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it does."""
    async with asyncio.timeout(PATIENCE_S):
        for wait_s in itertools.repeat(0.05):
            if await happens():
                return
            await asyncio.sleep(wait_s)


@pytest.mark.parametrize("kind", ["principal", "serial", "certificate-sha256", "spki-sha256"])
async def test_a_watch_and_the_next_call_of_who_is_denied_are_refused_with_a_reason(
    registry: Registry, authority: Authority, deny_file: Path, kind: str
) -> None:
    mallory = authority.issue_client(MALLORY)
    async with (
        secure_channel(registry.running.target, authority, mallory) as channel,
        registry.stubs(Role.AUDITOR) as auditor,
    ):
        request = watch_service_pb2.WatchRequest(start_revision=1)
        watch = channel.unary_stream(
            "/assay.v1.WatchService/Watch",
            request_serializer=watch_service_pb2.WatchRequest.SerializeToString,
            response_deserializer=watch_service_pb2.WatchResponse.FromString,
        )(request)
        other = auditor.watch.Watch(request)
        await asyncio.gather(watch.read(), other.read())

        deny_file.write_text(denial(kind, mallory))
        ended = await asyncio.wait_for(refusal(_drained(watch)), PATIENCE_S)
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        after = await refusal(stub.GetNamespace(GET))
        await auditor.access.GetNamespace(GET)

        for error in (ended, after):
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED
            assert info_of(error).reason == "CERTIFICATE_DENIED"
        assert not other.done()
        other.cancel()


async def test_an_upload_of_who_is_denied_ends_and_goes_on_when_that_is_taken_back(
    registry: Registry, authority: Authority, deny_file: Path
) -> None:
    content = bytes(range(256)) * 4096 * 3
    mallory = authority.issue_client(MALLORY)
    async with secure_channel(registry.running.target, authority, mallory) as channel:
        transfers = Transfers(channel)
        draft = await transfers.draft()
        upload = await transfers.begin(draft, content)
        some = messages_of(upload, content)[:2]
        writing = asyncio.create_task(
            refusal(transfers.artifacts.WriteUpload(each(some, then_hang=True)))
        )
        await transfers.some_durable(upload)

        deny_file.write_text(denial("serial", mallory))
        error = await asyncio.wait_for(writing, PATIENCE_S)
        assert await is_denied(lambda: transfers.get(upload))
        deny_file.write_text("nobody\n")

        async def is_back() -> bool:
            return not await is_denied(lambda: transfers.get(upload))

        await eventually(is_back)
        again = await transfers.begin(draft, content, name=upload.name)
        await transfers.write(again, content)
        await transfers.commit(again, content)

    assert info_of(error).reason == "CERTIFICATE_DENIED"
    assert again.durable_bytes >= MIB
    async with registry.stubs() as admin:
        found = await admin.audit.ListEntries(
            audit_service_pb2.ListEntriesRequest(method="WriteUpload")
        )
    denied = [e for e in found.entries if e.reason == "CERTIFICATE_DENIED"]
    assert [(e.principal, e.status) for e in denied] == [(MALLORY, "UNAUTHENTICATED")]


async def test_a_list_that_cannot_be_read_keeps_the_last_one_and_says_so(
    registry: Registry, authority: Authority, deny_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mallory = authority.issue_client(principal("mallory"))
    async with secure_channel(registry.running.target, authority, mallory) as channel:
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        who = access.WhoAmIRequest()
        await stub.WhoAmI(who)
        deny_file.write_text(f"principal {principal('mallory')}\n")
        await eventually(lambda: is_denied(lambda: stub.WhoAmI(who)))

        async def is_noticed() -> bool:
            return "assay_deny_list_is_current 0.0" in await metrics(registry)

        deny_file.write_text("principal\n")
        await eventually(is_noticed)
        error = await refusal(stub.WhoAmI(who))

    assert info_of(error).reason == "CERTIFICATE_DENIED"
    assert "keeping the previous deny-list" in caplog.text
    assert "assay_deny_list_entries 1.0" in await metrics(registry)


async def test_a_server_does_not_start_with_a_list_that_cannot_be_read(
    tmp_path: Path, authority: Authority
) -> None:
    config = replace(
        settings(tmp_path, authority), identity=IdentitySection(deny_file=tmp_path / "absent")
    )

    with pytest.raises(UnusableDenyFile, match="absent cannot be read"):
        async with running(config):
            pass


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_a_flood_of_who_is_denied_is_a_few_entries_that_add_up_to_all_calls(
    tmp_path: Path,
    authority: Authority,
    deny_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_stopped: bool,
) -> None:
    monkeypatch.setattr(tallying, "TOLD_EVERY_S", 3600 if is_stopped else 0.2)
    deny_file.write_text(f"principal {MALLORY}\n")
    identity = IdentitySection(deny_file=deny_file)
    config = replace(settings(tmp_path, authority), identity=identity)

    async def flood(opened: Registry) -> None:
        mallory = authority.issue_client(MALLORY)
        async with secure_channel(opened.running.target, authority, mallory) as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            for _ in range(FLOOD // 50):
                refused = [is_denied(lambda: stub.GetNamespace(GET)) for _ in range(50)]
                assert all(await asyncio.gather(*refused))

    async def on_record(opened: Registry) -> list[int]:
        async with opened.stubs(Role.AUDITOR) as auditor:
            wanted = audit_service_pb2.ListEntriesRequest(principal=MALLORY, page_size=1000)
            found = (await auditor.audit.ListEntries(wanted)).entries
        assert {entry.reason for entry in found} <= {"CERTIFICATE_DENIED"}
        return [entry.entry_count for entry in found]

    async with open_registry(config, authority) as opened:
        await flood(opened)
        if not is_stopped:
            await eventually(lambda: _adds_up(on_record(opened)))
    if is_stopped:
        deny_file.write_text("nobody\n")
        async with open_registry(config, authority) as opened:
            assert await _adds_up(on_record(opened))


async def _adds_up(counts: Awaitable[list[int]]) -> bool:
    found = await counts
    return sum(found) == FLOOD and len(found) < FLOOD / 2


async def metrics(registry: Registry) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", registry.running.operations_port)
    writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    return answer


async def _drained(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass
