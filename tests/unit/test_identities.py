"""A corpus of certificates, and whom each of them names, if anybody."""

import re

import pytest

from assay_server.access.identities import (
    CertificateNames,
    IdentityRule,
    NameSource,
    principal_of,
)
from assay_server.domain.errors import Unauthenticated

LAB = IdentityRule(trust_domains=frozenset({"lab.example", "partner"}))
USERS = IdentityRule(path_pattern=re.compile(r"/(user|ci)/[a-z]+"))
EMAIL = IdentityRule(NameSource.EMAIL, frozenset({"lab.example"}))
DNS = IdentityRule(NameSource.DNS, frozenset({"lab.example"}))


def uris(*found: str) -> CertificateNames:
    return CertificateNames(uris=found)


LONGEST = "spiffe://lab.example/" + "a" * (2048 - len("spiffe://lab.example/"))

ACCEPTED: list[tuple[IdentityRule, CertificateNames, str]] = [
    (LAB, uris("spiffe://lab.example/user/ann"), "spiffe://lab.example/user/ann"),
    (LAB, uris("spiffe://partner/x"), "spiffe://partner/x"),
    (LAB, uris("spiffe://lab.example/User/Ann_1.2-3"), "spiffe://lab.example/User/Ann_1.2-3"),
    (LAB, uris("spiffe://lab.example/..."), "spiffe://lab.example/..."),
    (LAB, uris(LONGEST), LONGEST),
    (
        LAB,
        CertificateNames(("spiffe://lab.example/a",), ("eve@lab.example",), ("evil.example",)),
        "spiffe://lab.example/a",
    ),
    (IdentityRule(), uris("spiffe://anywhere/a"), "spiffe://anywhere/a"),
    (USERS, uris("spiffe://lab.example/user/ann"), "spiffe://lab.example/user/ann"),
    (EMAIL, CertificateNames(emails=("ann@lab.example",)), "email:ann@lab.example"),
    (
        EMAIL,
        CertificateNames(emails=("ann+ci@lab.example",), dns_names=("x.lab.example",)),
        "email:ann+ci@lab.example",
    ),
    (DNS, CertificateNames(dns_names=("trainer.lab.example",)), "dns:trainer.lab.example"),
    (DNS, CertificateNames(dns_names=("lab.example",)), "dns:lab.example"),
    (
        IdentityRule(NameSource.DNS),
        CertificateNames(dns_names=("a.b",), emails=("x@y.z",)),
        "dns:a.b",
    ),
]

REFUSED: list[tuple[IdentityRule, CertificateNames]] = [
    (LAB, CertificateNames()),
    (LAB, CertificateNames(emails=("ann@lab.example",), dns_names=("lab.example",))),
    (LAB, uris("spiffe://lab.example/a", "spiffe://lab.example/b")),
    (LAB, uris("spiffe://lab.example/a", "spiffe://lab.example/a")),
    (LAB, uris("spiffe://lab.example/a", "https://lab.example/a")),
    *(
        (LAB, uris(uri))
        for uri in [
            "",
            "https://lab.example/a",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "spiffe://other.example/a",
            "spiffe://lab.example.evil/a",
            "spiffe://evil.lab.example/a",
            "spiffe://lab.example",
            "spiffe://lab.example/",
            "spiffe:///a",
            "spiffe:/lab.example/a",
            "spiffe://lab.example/a/",
            "spiffe://lab.example//a",
            "spiffe://lab.example/a//b",
            "spiffe://lab.example/./a",
            "spiffe://lab.example/a/../b",
            "spiffe://lab.example/..",
            "spiffe://lab.example/%2e%2e/a",
            "spiffe://lab.example/a%2fb",
            "spiffe://lab%2eexample/a",
            "spiffe://LAB.example/a",
            "SPIFFE://lab.example/a",
            "Spiffe://lab.example/a",
            "spiffe://user@lab.example/a",
            "spiffe://lab.example:443/a",
            "spiffe://lab.example/a?b=c",
            "spiffe://lab.example/a#b",
            "spiffe://lab.example/a b",
            " spiffe://lab.example/a",
            "spiffe://lab.example/a\n",
            "spiffe://lab.example/a\0",
            "spiffe://lab.example/a*",
            "spiffe://lab.example/\u00e4",
            "spiffe://lab.example/\u0430nn",
            "spiffe://l\u0430b.example/a",
            "spiffe://lab.example/a\\b",
            LONGEST + "a",
            "spiffe://" + "a" * 256 + "/a",
        ]
    ),
    (USERS, uris("spiffe://lab.example/robot/ann")),
    (USERS, uris("spiffe://lab.example/user/ann/extra")),
    (EMAIL, CertificateNames()),
    (EMAIL, CertificateNames(dns_names=("lab.example",))),
    (EMAIL, CertificateNames(emails=("ann@lab.example", "eve@lab.example"))),
    (EMAIL, CertificateNames(uris=("spiffe://lab.example/a",), emails=("ann@lab.example",))),
    *(
        (EMAIL, CertificateNames(emails=(address,)))
        for address in [
            "Ann@lab.example", "ann@LAB.example", "ann@evil.example", "ann@sub.lab.example",
            "ann@lab.example.evil", "ann", "@lab.example", "ann@@lab.example", "a b@lab.example",
            "ann@lab.example\n", '"ann"@lab.example', "ann@lab", "*@lab.example",
            "a" * 65 + "@lab.example", "ann@" + "a." * 130 + "lab.example",
        ]
    ),
    (DNS, CertificateNames()),
    (DNS, CertificateNames(dns_names=("a.lab.example", "b.lab.example"))),
    (DNS, CertificateNames(uris=("https://x",), dns_names=("a.lab.example",))),
    *(
        (DNS, CertificateNames(dns_names=(host,)))
        for host in [
            "*.lab.example", "A.lab.example", "evillab.example", "lab.example.evil", "lab",
            "a..lab.example", ".lab.example", "a.lab.example.", "-a.lab.example",
            "a_b.lab.example", "a.lab.example\n", ("a" * 63 + ".") * 4 + "lab.example",
        ]
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "names", "principal"), ACCEPTED)
def test_a_certificate_with_one_acceptable_name_has_a_principal(
    rule: IdentityRule, names: CertificateNames, principal: str
) -> None:
    assert principal_of(names, rule) == principal


@pytest.mark.parametrize(("rule", "names"), REFUSED)
def test_any_other_certificate_names_nobody(rule: IdentityRule, names: CertificateNames) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        principal_of(names, rule)

    assert refusal.value.message.isprintable()
    assert len(refusal.value.message) < 300
