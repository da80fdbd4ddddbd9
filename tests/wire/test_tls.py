"""Certificates: who gets in, who gets out, and how they are replaced without a restart."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from assay.v1 import (
    access_service_pb2,
    access_service_pb2_grpc,
    watch_service_pb2,
    watch_service_pb2_grpc,
)
from assay_server.transport.tls import TlsFiles, UnusableCertificate, _Follower, credentials
from tests.pki import Authority
from tests.wire.scripted import ADMIN, Running, info_of, refusal, secure_channel, serving

REQUEST = access_service_pb2.GetNamespaceRequest(name="namespaces/vision")


async def gives_namespace(_request: Any, _context: Any) -> Any:
    return access_service_pb2.GetNamespaceResponse(revision=7)


async def ask(running: Running, channel: grpc.aio.Channel, timeout_s: float = 5) -> Any:
    return await access_service_pb2_grpc.AccessServiceStub(channel).GetNamespace(
        REQUEST, timeout=timeout_s
    )


async def test_a_certificate_with_two_uris_is_nobody(authority: Authority) -> None:
    both = authority.issue_client(ADMIN, "spiffe://assay.test/other")

    async with serving(authority, {"GetNamespace": gives_namespace}) as running:
        async with running.channel(both) as channel:
            error = await refusal(ask(running, channel))

        [entry] = running.trail.entries
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert info_of(error).reason == "IDENTITY_INVALID"
    assert "exactly one URI, but has 2" in (error.details() or "")
    assert (entry.principal, entry.decision, entry.reason) == ("", "DENIED", "IDENTITY_INVALID")
    assert len(entry.certificate_sha256) == 64


@pytest.mark.parametrize("kind", ["other authority", "expired", "not yet valid", "none"])
async def test_who_is_not_vouched_for_does_not_get_through_the_handshake(
    authority: Authority, other_authority: Authority, kind: str
) -> None:
    leaf = {
        "other authority": lambda: other_authority.issue_client(ADMIN),
        "expired": lambda: authority.issue_expired(ADMIN),
        "not yet valid": lambda: authority.issue_not_yet_valid(ADMIN),
        "none": lambda: None,
    }[kind]()
    async with serving(authority, {"GetNamespace": gives_namespace}) as running:
        if leaf is None:
            trust_only = grpc.ssl_channel_credentials(authority.certificate)
            channel = grpc.aio.secure_channel(running.target, trust_only)
        else:
            channel = secure_channel(running.target, authority, leaf)
        async with channel:
            error = await refusal(ask(running, channel))

        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert not running.trail.entries


async def test_an_expired_certificate_gets_no_further_on_an_open_connection(
    authority: Authority,
) -> None:
    async def waits(_request: Any, _context: Any) -> AsyncIterator[Any]:
        yield watch_service_pb2.WatchResponse(revision=1)
        await asyncio.Event().wait()

    short = authority.issue_valid_for(ADMIN, 2.5)
    handlers = {"GetNamespace": gives_namespace, "Watch": waits}
    async with serving(authority, handlers) as running, running.channel(short) as channel:
        watch = watch_service_pb2_grpc.WatchServiceStub(channel).Watch(
            watch_service_pb2.WatchRequest()
        )
        await watch.read()
        before = await ask(running, channel)
        ended = await refusal(watch.read())
        after = await refusal(ask(running, channel))

    assert before.revision == 7
    for error in (ended, after):
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
        assert info_of(error).reason == "CERTIFICATE_EXPIRED"
    assert [e.reason for e in running.trail.entries if e.status == "UNAUTHENTICATED"] == [
        "CERTIFICATE_EXPIRED",
        "CERTIFICATE_EXPIRED",
    ]


def tls_files(directory: Path, authority: Authority, name: str = "server") -> TlsFiles:
    certificate, key = authority.issue_server().write(directory, name)
    authorities = directory / "ca.pem"
    authorities.write_bytes(authority.certificate)
    return TlsFiles(certificate, key, authorities)


def test_files_that_fit_are_loaded_and_unchanged_ones_not_again(
    tmp_path: Path, authority: Authority
) -> None:
    files = tls_files(tmp_path, authority)
    follower = _Follower(files, CollectorRegistry())

    assert follower.fetch() is None


def test_replaced_files_are_taken_once(tmp_path: Path, authority: Authority) -> None:
    follower = _Follower(tls_files(tmp_path, authority), CollectorRegistry())

    tls_files(tmp_path, authority)

    assert follower.fetch() is not None
    assert follower.fetch() is None


def test_a_half_written_file_keeps_the_previous_certificate_until_it_is_whole(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    files, metrics = tls_files(tmp_path, authority), CollectorRegistry()
    follower = _Follower(files, metrics)
    fresh = authority.issue_server()

    files.certificate.write_bytes(fresh.certificate[:200])
    assert follower.fetch() is None
    files.certificate.write_bytes(fresh.certificate)
    assert follower.fetch() is None  # whole, but the key is still the old one's
    assert metrics.get_sample_value("assay_tls_files_are_current") == 0
    files.private_key.write_bytes(fresh.private_key)
    assert follower.fetch() is not None
    assert metrics.get_sample_value("assay_tls_files_are_current") == 1

    assert "is not a PEM certificate" in caplog.text
    assert "is not the key of" in caplog.text


@pytest.mark.parametrize("missing", ["certificate", "private_key", "client_authorities"])
def test_files_that_cannot_serve_are_refused_at_start_by_name(
    tmp_path: Path, authority: Authority, missing: str
) -> None:
    files = tls_files(tmp_path, authority)
    path: Path = getattr(files, missing)

    path.write_text("nonsense")
    with pytest.raises(UnusableCertificate, match=path.name):
        files.load()
    path.unlink()
    with pytest.raises(UnusableCertificate, match=path.name):
        files.load()
    with pytest.raises(UnusableCertificate, match=path.name):
        credentials(files, CollectorRegistry())
