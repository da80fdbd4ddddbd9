"""Who calls: one principal from the names in a client certificate, by one configured rule.

Rules:
- By default the principal is the single URI, which must be a SPIFFE id of an accepted trust
  domain. DNS names and e-mail addresses beside it mean nothing, and so does the common name.
- By explicit choice it is the single e-mail address or DNS name instead; such a certificate
  must have no URI, so that no certificate stands for two principals.
- Nothing is normalized. A name that could be written in two ways is refused, since two
  spellings would be two principals.

Source:
    SPIFFE-ID §2 (grammar, 2,048 bytes), X509-SVID §2 and §5.2 (exactly one URI, with a path).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from assay_server.domain.errors import Unauthenticated
from assay_server.domain.errors.families import quoted

SPIFFE_ID_BYTES_MAX = 2048
TRUST_DOMAIN_BYTES_MAX = 255
EMAIL_CHARACTERS_MAX = 254
"""RFC 5321 §4.5.3.1.3, less the angle brackets."""

DNS_CHARACTERS_MAX = 253

_SPIFFE_ID = re.compile(r"spiffe://(?P<domain>[a-z0-9._-]+)(?P<path>(?:/[A-Za-z0-9._-]+)+)")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_EMAIL = re.compile(rf"[a-z0-9][a-z0-9._+-]{{0,63}}@(?P<domain>{_LABEL}(?:\.{_LABEL})+)")


class NameSource(StrEnum):
    """Which kind of name in a certificate is the principal."""

    SPIFFE = "spiffe"
    EMAIL = "email"
    DNS = "dns"


@dataclass(frozen=True, slots=True)
class CertificateNames:
    """The subject alternative names of a verified certificate, as they stand in it."""

    uris: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """How principals are read from certificates.

    ``trust_domains`` limits SPIFFE trust domains, domains of e-mail addresses, or the DNS
    domains that hosts lie in; empty accepts what the authorities sign. ``path_pattern`` is a
    regular expression for the whole path of a SPIFFE id.
    """

    source: NameSource = NameSource.SPIFFE
    trust_domains: frozenset[str] = frozenset()
    path_pattern: re.Pattern[str] = re.compile(r".*")


def principal_of(names: CertificateNames, rule: IdentityRule) -> str:
    """The principal: a SPIFFE id, ``email:…`` or ``dns:…``; kinds never look alike.

    Raises:
        Unauthenticated: There is not exactly one acceptable name; says why.
    """
    if rule.source is NameSource.SPIFFE:
        return _spiffe_id(_sole(names.uris, "URI"), rule)
    if names.uris:
        raise Unauthenticated(f"it has a URI, but principals are {rule.source.value} names here")
    if rule.source is NameSource.EMAIL:
        return _email(_sole(names.emails, "e-mail address"), rule)
    return _dns_name(_sole(names.dns_names, "DNS name"), rule)


def _sole(found: tuple[str, ...], kind: str) -> str:
    if len(found) != 1:
        raise Unauthenticated(f"it needs exactly one {kind}, but has {len(found)}")
    return found[0]


def _spiffe_id(uri: str, rule: IdentityRule) -> str:
    if len(uri.encode(errors="replace")) > SPIFFE_ID_BYTES_MAX:
        raise Unauthenticated(f"its URI has more than {SPIFFE_ID_BYTES_MAX} bytes")
    match = _SPIFFE_ID.fullmatch(uri)
    if match is None or len(match["domain"]) > TRUST_DOMAIN_BYTES_MAX:
        raise Unauthenticated(
            f"{quoted(uri)} is not spiffe://, a lower-case trust domain and a plain path"
        )
    if {".", ".."} & set(match["path"].split("/")):
        raise Unauthenticated(f"the path of {quoted(uri)} has . or .. in it")
    if rule.trust_domains and match["domain"] not in rule.trust_domains:
        raise Unauthenticated(f"the trust domain of {quoted(uri)} is not accepted here")
    if not rule.path_pattern.fullmatch(match["path"]):
        raise Unauthenticated(f"the path of {quoted(uri)} is not accepted here")
    return uri


def _email(address: str, rule: IdentityRule) -> str:
    match = _EMAIL.fullmatch(address) if len(address) <= EMAIL_CHARACTERS_MAX else None
    if match is None:
        raise Unauthenticated(f"{quoted(address)} is not a plain address in lower case")
    if rule.trust_domains and match["domain"] not in rule.trust_domains:
        raise Unauthenticated(f"the domain of {quoted(address)} is not accepted here")
    return f"email:{address}"


def _dns_name(host: str, rule: IdentityRule) -> str:
    if len(host) > DNS_CHARACTERS_MAX or not _DNS_NAME.fullmatch(host):
        raise Unauthenticated(f"{quoted(host)} is not a full host name in lower case")
    if rule.trust_domains and not any(
        host == domain or host.endswith(f".{domain}") for domain in rule.trust_domains
    ):
        raise Unauthenticated(f"the domain of {quoted(host)} is not accepted here")
    return f"dns:{host}"
