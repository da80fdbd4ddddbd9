"""Certificates for tests: an authority, and leaves that are right or wrong in one way each."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Credentials:
    """One certificate (PEM, with no chain) and its private key (PEM, PKCS#8)."""

    certificate: bytes
    private_key: bytes

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        """Write ``name.crt`` and ``name.key`` (mode 0600) and return their paths."""
        directory.mkdir(parents=True, exist_ok=True)
        certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
        certificate.write_bytes(self.certificate)
        key.touch(mode=0o600)
        key.write_bytes(self.private_key)
        return certificate, key


@dataclass(frozen=True)
class Authority:
    """Signs leaves; ``certificate`` is what the other side is told to trust."""

    certificate: bytes
    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, common_name: str = "Assay test authority") -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(common_name)
        certificate = (
            _unsigned(name, name, key.public_key(), _now() - DAY, _now() + 365 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate.public_bytes(serialization.Encoding.PEM), certificate, key)

    def issue_client(self, *uris: str, common_name: str = "client") -> Credentials:
        """Issue a client's leaf with these SAN URIs; pass two to make one that must be refused."""
        return self.issue([x509.UniformResourceIdentifier(uri) for uri in uris], common_name)

    def issue_server(self, *host_names: str) -> Credentials:
        """Issue a server's leaf for localhost, the loopback addresses and ``host_names``."""
        names: list[x509.GeneralName] = [x509.DNSName(n) for n in ("localhost", *host_names)]
        names += [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", "::1")]
        return self.issue(names, "localhost")

    def issue_expired(self, uri: str) -> Credentials:
        """Issue a client's leaf that ended yesterday."""
        now = _now()
        return self.issue([x509.UniformResourceIdentifier(uri)], valid=(now - 30 * DAY, now - DAY))

    def issue_not_yet_valid(self, uri: str) -> Credentials:
        """Issue a client's leaf that begins tomorrow."""
        now = _now()
        return self.issue([x509.UniformResourceIdentifier(uri)], valid=(now + DAY, now + 30 * DAY))

    def issue_valid_for(self, uri: str, seconds: float) -> Credentials:
        """Issue a client's leaf that ends ``seconds`` from now (rounded down to whole ones)."""
        now = _now()
        return self.issue(
            [x509.UniformResourceIdentifier(uri)],
            valid=(now - DAY, now + dt.timedelta(seconds=seconds)),
        )

    def issue(
        self,
        names: Sequence[x509.GeneralName],
        common_name: str = "client",
        *,
        valid: tuple[dt.datetime, dt.datetime] | None = None,
    ) -> Credentials:
        """Issue a leaf for both ends of TLS; ``names`` may mix URIs, e-mail and DNS names."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin, end = valid or (_now() - DAY, _now() + 30 * DAY)
        leaf = _unsigned(
            _name(common_name), self._certificate.subject, key.public_key(), begin, end
        )
        if names:
            leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        signed = (
            leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False
            )
            .sign(self._key, hashes.SHA256())
        )
        return Credentials(
            signed.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    *validity: dt.datetime,
) -> x509.CertificateBuilder:
    begin, end = validity
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
