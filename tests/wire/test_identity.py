"""Whom a certificate names, over a real handshake; and that nothing else names anybody."""

from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from assay.v1 import access_service_pb2 as access
from assay.v1 import access_service_pb2_grpc
from assay_server.access.identities import IdentityRule
from assay_server.domain.access import Role
from tests.pki import Authority
from tests.wire.scripted import binding, info_of, refusal, serving

LAB = IdentityRule(trust_domains=frozenset({"lab.example"}))
ANN = "spiffe://lab.example/ann"
LONGEST = "spiffe://lab.example/" + "a" * (2048 - len("spiffe://lab.example/"))
NAMESPACE = access.GetNamespaceRequest(name="namespaces/vision")


def uris(*found: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(uri) for uri in found]


COMMON_NAME = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ANN)]))
DNS, EMAIL = x509.DNSName("lab.example"), x509.RFC822Name("ann@lab.example")
HIDDEN_URI = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x03ann")

CORPUS: list[tuple[list[x509.GeneralName], str]] = [
    (uris(ANN), ANN),
    (uris("spiffe://lab.example/Ann_1.2-3/x"), "spiffe://lab.example/Ann_1.2-3/x"),
    (uris("spiffe://lab.example/..."), "spiffe://lab.example/..."),
    (uris(LONGEST), LONGEST),
    ([*uris(ANN), DNS], ANN),
    ([*uris(ANN), EMAIL, HIDDEN_URI, COMMON_NAME], ANN),
    ([DNS, *uris(ANN), x509.DNSName("evil.example")], ANN),
    ([], ""),
    ([DNS], ""),
    ([EMAIL], ""),
    ([HIDDEN_URI, COMMON_NAME], ""),
    (uris(ANN, "spiffe://lab.example/bob"), ""),
    (uris(ANN, ANN), ""),
    (uris(ANN, "https://lab.example/ann"), ""),
    *(
        (uris(uri), "")
        for uri in [
            "",
            "https://lab.example/ann",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "spiffe://other.example/ann",
            "spiffe://lab.example.evil/ann",
            "spiffe://evil.lab.example/ann",
            "spiffe://lab.example",
            "spiffe://lab.example/",
            "spiffe:///ann",
            "spiffe://lab.example/ann/",
            "spiffe://lab.example//ann",
            "spiffe://lab.example/./ann",
            "spiffe://lab.example/x/../ann",
            "spiffe://lab.example/%2e%2e/ann",
            "spiffe://lab.example/%61nn",
            "spiffe://lab%2eexample/ann",
            "spiffe://LAB.example/ann",
            "SPIFFE://lab.example/ann",
            "spiffe://ann@lab.example/ann",
            "spiffe://lab.example:443/ann",
            "spiffe://lab.example/ann?x",
            "spiffe://lab.example/ann#x",
            "spiffe://lab.example/ann ",
            "spiffe://lab.example/ann\n",
            "spiffe://lab.example/ann\0",
            "spiffe://lab.example/ann*",
            LONGEST + "a",
        ]
    ),
]

HEADERS = (
    *("x-user", "x-username", "x-user-id", "x-user-name", "x-remote-user", "remote-user"),
    *("x-principal", "x-assay-principal", "principal", "assay-principal", "x-identity", "x-id"),
    *("x-forwarded-client-cert", "x-client-cert", "x-ssl-client-cert", "ssl-client-cert"),
    *("x-ssl-client-s-dn", "x-client-dn", "x-client-verify", "x-tls-client-cert"),
    *("x-forwarded-user", "x-forwarded-email", "x-forwarded-preferred-username"),
    *("x-forwarded-for", "x-real-ip", "forwarded", "x-auth-request-user", "x-auth-request-email"),
    *("x-authenticated-user", "x-authenticated-userid", "x-goog-authenticated-user-email"),
    *("x-amzn-oidc-identity", "x-ms-client-principal-name", "x-webauth-user", "x-spiffe-id"),
    *("x-envoy-peer-metadata-id", "authorization", "cookie", "x-api-key", "impersonate-user"),
    "client-cert",
)


async def gives_namespace(_request: Any, _context: Any) -> Any:
    return access.GetNamespaceResponse(revision=7)


@pytest.mark.parametrize(
    ("names", "principal"), CORPUS, ids=[f"{n:02}" for n in range(len(CORPUS))]
)
async def test_a_certificate_names_exactly_one_principal_or_nobody(
    authority: Authority, names: list[x509.GeneralName], principal: str
) -> None:
    handlers = {"GetNamespace": gives_namespace}
    everyone = (binding("spiffe://lab.example/*", Role.ADMIN),)
    async with serving(authority, handlers, bindings=everyone, rule=LAB) as running:
        async with running.channel(authority.issue(names, common_name="lab ann")) as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            if principal:
                await stub.GetNamespace(NAMESPACE)
            else:
                error = await refusal(stub.GetNamespace(NAMESPACE))
                assert error.code() is grpc.StatusCode.UNAUTHENTICATED
                assert info_of(error).reason == "IDENTITY_INVALID"

        [entry] = running.trail.entries
    assert entry.principal == principal
    assert entry.decision == ("ALLOWED" if principal else "DENIED")


async def test_no_header_says_who_calls(authority: Authority) -> None:
    mallory, handlers = "spiffe://lab.example/mallory", {"GetNamespace": gives_namespace}
    admin = (binding(ANN, Role.ADMIN),)
    sent = [((header, ANN),) for header in HEADERS]
    sent.append(tuple((header, ANN) for header in HEADERS))
    async with serving(authority, handlers, bindings=admin, rule=LAB) as running:
        async with running.channel(mallory) as channel:
            stub = access_service_pb2_grpc.AccessServiceStub(channel)
            for metadata in sent:
                error = await refusal(stub.GetNamespace(NAMESPACE, metadata=metadata))
                assert error.code() is grpc.StatusCode.NOT_FOUND

        principals = [entry.principal for entry in running.trail.entries]
    assert principals == [mallory] * (len(HEADERS) + 1)
