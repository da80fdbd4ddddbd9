"""A connection that fails says why, and one that is misused says how it is meant."""

import asyncio
import dataclasses
import datetime as dt
import os
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509

from assay import TLS, AsyncClient, Client, errors
from assay.connection import is_loopback
from assay.diagnosis import why_no_connection
from assay.tls import expire_time
from assay.v1.access_service_pb2 import WhoAmIRequest, WhoAmIResponse
from tests.clients.python.serving import SPIFFE_ID, client_tls, serving
from tests.pki import Authority, Credentials


async def whoami(request: Any, context: Any) -> WhoAmIResponse:
    return WhoAmIResponse(principal="trainer")


HANDLERS = {"WhoAmI": whoami}


async def failure(target: str, tls: TLS | None) -> str:
    async with AsyncClient(target, tls=tls) as client:
        with pytest.raises(errors.ConnectionFailed) as caught:
            await client.whoami()
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    return str(caught.value)


def with_client(authority: Authority, credentials: Credentials) -> TLS:
    return TLS(ca=authority.certificate, cert=credentials.certificate, key=credentials.private_key)


async def test_certificates_may_be_given_as_bytes(authority: Authority) -> None:
    tls = with_client(authority, authority.issue_client(SPIFFE_ID))

    async with serving(HANDLERS, authority) as target, AsyncClient(target, tls=tls) as client:
        answer = await client.whoami()

    assert answer.principal == "trainer"


async def test_nobody_listens(tls: TLS) -> None:
    sentence = await failure("localhost:1", tls)

    assert sentence == "Nothing listens at localhost:1. Is the server running there?"


async def test_the_port_is_plaintext(tls: TLS) -> None:
    async with serving(HANDLERS) as target:
        sentence = await failure(target, tls)

    assert "does not speak TLS" in sentence


async def test_the_port_wants_tls(authority: Authority) -> None:
    async with serving(HANDLERS, authority) as target:
        sentence = await failure(target, None)

    assert "Connect with certificates" in sentence


async def test_the_server_is_of_another_authority(tls: TLS, other_authority: Authority) -> None:
    async with serving(HANDLERS, other_authority) as target:
        sentence = await failure(target, tls)

    assert "not from the authority in" in sentence
    assert str(tls.ca) in sentence


async def test_the_client_is_of_another_authority(
    authority: Authority, other_authority: Authority
) -> None:
    tls = with_client(authority, other_authority.issue_client(SPIFFE_ID))

    async with serving(HANDLERS, authority) as target:
        sentence = await failure(target, tls)

    assert "does not accept the certificate" in sentence


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [(-30, -1, "has expired; it must be renewed there"), (1, 30, "compare the clocks")],
    ids=["expired", "not yet valid"],
)
async def test_the_certificate_of_the_server_is_out_of_its_time(
    authority: Authority, tls: TLS, since: int, until: int, said: str
) -> None:
    now = dt.datetime.now(dt.UTC)
    valid = (now + dt.timedelta(days=since), now + dt.timedelta(days=until))
    leaf = authority.issue([x509.DNSName("localhost")], "localhost", valid=valid)
    credentials = grpc.ssl_server_credentials(
        [(leaf.private_key, leaf.certificate)], authority.certificate, True
    )

    async with serving(HANDLERS, credentials=credentials) as target:
        sentence = await failure(target, tls)

    assert f"The certificate of the server at {target}" in sentence
    assert said in sentence


async def test_the_certificate_of_the_client_has_expired(authority: Authority) -> None:
    tls = with_client(authority, authority.issue_expired(SPIFFE_ID))

    async with serving(HANDLERS, authority) as target:
        sentence = await failure(target, tls)

    assert "Your certificate the given PEM bytes expired at" in sentence


async def test_the_server_has_another_name(authority: Authority, tmp_path: Path) -> None:
    right = client_tls(authority, tmp_path)
    wrong = TLS(ca=right.ca, cert=right.cert, key=right.key, server_name="registry.example.com")

    async with serving(HANDLERS, authority) as target:
        sentence = await failure(target, wrong)

    assert "server_name" in sentence


async def test_the_name_cannot_be_resolved(tls: TLS) -> None:
    sentence = await failure("nowhere.invalid:7443", tls)

    assert "cannot be resolved" in sentence


def test_a_connection_that_broke_is_told_from_one_that_was_never_made() -> None:
    broken = why_no_connection("registry:7443", None, "recvmsg:Connection reset by peer")

    assert broken.startswith("The connection to registry:7443 broke")


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    tls = TLS(ca=tmp_path / "ca.crt", cert=b"", key=b"")

    with pytest.raises(errors.ContextInvalid, match=r"ca\.crt cannot be read: No such file"):
        tls.credentials()


@pytest.mark.parametrize("what", ["ca", "cert", "key"])
@pytest.mark.parametrize("as_file", [True, False], ids=["file", "bytes"])
@pytest.mark.parametrize("kept_bytes", [0, 100, None], ids=["empty", "half", "garbage"])
async def test_what_is_no_whole_pem_is_refused_before_grpc_aborts_the_process_over_it(
    tls: TLS, tmp_path: Path, what: str, as_file: bool, kept_bytes: int | None
) -> None:
    whole = Path(str(getattr(tls, what))).read_bytes()
    content = b"zz" if kept_bytes is None else whole[:kept_bytes]
    spoilt = tmp_path / "spoilt.pem"
    spoilt.write_bytes(content)
    given = dataclasses.replace(tls, **{what: spoilt if as_file else content})

    async with AsyncClient("localhost:1", tls=given) as client:
        with pytest.raises(errors.ContextInvalid, match="holds no whole"):
            await client.whoami()


async def test_a_certificate_with_damaged_letters_is_refused(authority: Authority) -> None:
    own = with_client(authority, authority.issue_client(SPIFFE_ID))
    letters = authority.issue_client(SPIFFE_ID).certificate.replace(b"\nMI", b"\n!!")
    damaged = dataclasses.replace(own, cert=letters)

    with pytest.raises(errors.ContextInvalid, match="client certificate, the given PEM bytes, is"):
        damaged.loaded()


async def test_a_key_of_another_certificate_is_named(authority: Authority) -> None:
    one, other = authority.issue_client(SPIFFE_ID), authority.issue_client(SPIFFE_ID)
    tls = TLS(ca=authority.certificate, cert=one.certificate, key=other.private_key)

    async with serving(HANDLERS, authority) as target:
        sentence = await failure(target, tls)

    assert "is not the key of" in sentence


async def test_what_is_at_the_paths_later_is_not_shown_to_the_server(
    authority: Authority, tls: TLS, tmp_path: Path
) -> None:
    principals = []

    async def who(request: Any, context: Any) -> WhoAmIResponse:
        principals.append(context.auth_context()["x509_subject_alternative_name"])
        return WhoAmIResponse()

    async with (
        serving({"WhoAmI": who}, authority) as target,
        AsyncClient(target, tls=tls) as client,
    ):
        await client.whoami()
        client_tls(authority, Path(str(tls.ca)).parent, "spiffe://assay.test/somebody-else")
        carrier = client._connection.carrier(0)
        await carrier.access.WhoAmI(WhoAmIRequest())
        Path(str(tls.key)).write_bytes(b"")
        await client._connection.carrier(1).access.WhoAmI(WhoAmIRequest())

    assert principals == 3 * [[SPIFFE_ID.encode()]]


def test_the_expiry_is_read_off_a_certificate(authority: Authority) -> None:
    pem = authority.issue_client(SPIFFE_ID).certificate

    assert expire_time(pem) == x509.load_pem_x509_certificate(pem).not_valid_after_utc


@pytest.mark.parametrize(
    "target", ["localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/run/assay.sock"]
)
def test_plaintext_is_allowed_on_this_machine(target: str) -> None:
    assert is_loopback(target)
    AsyncClient(target, tls=None)


@pytest.mark.parametrize(
    "target", ["registry:1", "10.0.0.1:1", "0.0.0.0:1", "localhost.example.com:1", "dns:///a:1"]
)
def test_plaintext_is_refused_elsewhere(target: str) -> None:
    with pytest.raises(errors.InsecureTarget, match="TLS"):
        AsyncClient(target, tls=None)


def test_an_asynchronous_client_without_a_loop_points_to_the_other_client() -> None:
    client = AsyncClient("localhost:1", tls=None)

    with pytest.raises(errors.ForeignLoop, match="use Client"):
        _ = client.stubs


async def test_a_client_belongs_to_the_loop_that_used_it_first(connected: Any) -> None:
    client = await connected(HANDLERS)
    await client.whoami()

    def elsewhere() -> None:
        with pytest.raises(errors.ForeignLoop, match="one client per loop"):
            asyncio.run(client.whoami())

    await asyncio.to_thread(elsewhere)


def test_a_client_may_be_used_in_one_loop_after_another() -> None:
    client = AsyncClient("localhost:1", tls=None)

    async def ask() -> None:
        with pytest.raises(errors.ConnectionFailed):
            await client.whoami()

    asyncio.run(ask())
    asyncio.run(ask())


async def test_a_closed_client_says_so(connected: Any) -> None:
    client = await connected(HANDLERS)
    await client.whoami()

    await client.close()

    with pytest.raises(errors.ClientClosed, match="make a new one"):
        await client.whoami()


async def test_a_forked_process_gets_a_sentence_instead_of_a_hang(connected: Any) -> None:
    client = await connected(HANDLERS)
    await client.whoami()
    unused = Client("localhost:1", tls=None)

    said = in_fork(lambda: client.stubs), in_fork(unused.whoami)

    assert all("ForkedClient" in text and "spawn" in text for text in said)


def in_fork(act: Any) -> str:
    """What ``act`` raises in a forked process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            act()
            text = "nothing"
        except BaseException as error:  # noqa: BLE001
            text = repr(error)
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text
