"""A certificate authority in a directory, for development and for small installations.

Keys are ECDSA P-256: every TLS library takes them and handshakes are cheap. The authority's own
key stays in the directory, mode 0600, to issue more; installations with an authority of their
own never need this.
"""

import datetime as dt
import ipaddress
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
LEAF_DAYS = 365
RENEW_BEFORE_DAYS = 30
_CLOCK_SKEW = dt.timedelta(hours=1)
"""Certificates begin a little in the past, for machines whose clock is behind."""


@dataclass(frozen=True, slots=True)
class LeafFiles:
    """The two PEM files of a certificate."""

    certificate: Path
    private_key: Path


class DirectoryAuthority:
    """Issues certificates into ``directory``; the authority itself is ``ca.pem`` and ``ca.key``."""

    def __init__(self, directory: Path) -> None:
        """Open the authority in ``directory``, or make one there."""
        self._directory = directory
        self.certificate_file = directory / "ca.pem"
        key_file = directory / "ca.key"
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.certificate_file.exists():
            _make_authority(self.certificate_file, key_file)
        self._certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    def client(self, name: str, uri: str) -> LeafFiles:
        """A client's certificate ``{name}.pem`` with this single URI."""
        return self._leaf(name, [x509.UniformResourceIdentifier(uri)], is_server=False)

    def issue(self, directory: Path, name: str, uri: str) -> LeafFiles:
        """A client's certificate to hand over, in another directory."""
        return self._leaf(
            name, [x509.UniformResourceIdentifier(uri)], is_server=False, directory=directory
        )

    def server(self, hosts: Iterable[str]) -> LeafFiles:
        """The server's certificate ``server.pem`` for these host names and addresses."""
        return self._leaf("server", [_host(host) for host in hosts], is_server=True)

    def _leaf(
        self,
        name: str,
        names: Sequence[x509.GeneralName],
        *,
        is_server: bool,
        directory: Path | None = None,
    ) -> LeafFiles:
        place = directory or self._directory
        files = LeafFiles(place / f"{name}.pem", place / f"{name}.key")
        if not self._still_good(files, names):
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = self._signed(name, names, key.public_key(), is_server=is_server)
            _write(files.private_key, _pem(key), mode=0o600)
            _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        return files

    def _still_good(self, files: LeafFiles, names: Sequence[x509.GeneralName]) -> bool:
        """Whether the files are there, fit, say the same, are ours and last for a while."""
        if not files.certificate.exists() or not files.private_key.exists():
            return False
        leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = serialization.load_pem_private_key(files.private_key.read_bytes(), password=None)
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        left = leaf.not_valid_after_utc - dt.datetime.now(dt.UTC)
        return (
            key.public_key() == leaf.public_key()  # not so after a crash between the two
            and list(found) == list(names)
            and leaf.issuer == self._certificate.subject
            and left > dt.timedelta(days=RENEW_BEFORE_DAYS)
        )

    def _signed(
        self,
        name: str,
        names: Sequence[x509.GeneralName],
        public_key: ec.EllipticCurvePublicKey,
        *,
        is_server: bool,
    ) -> x509.Certificate:
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            _builder(_named(name), self._certificate.subject, public_key, days=LEAF_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(is_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _make_authority(certificate_file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # A random part, so that two authorities in one trust store can be told apart.
    name = _named(f"Assay authority {secrets.token_hex(4)}")
    certificate = (
        _builder(name, name, key.public_key(), days=AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _pem(key), mode=0o600)
    _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, *, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` at once: a server may be about to read it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
