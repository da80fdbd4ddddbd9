"""Client certificates: the names in them and when they end, read once for each certificate."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CACHED_MAX = 4096
"""About 40 MiB of PEM at the very most; one connection has one certificate."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a handshake proved.

    Attributes:
        sha256: The fingerprint, of the DER form, in hex.
        spki_sha256: That of the public key alone.
    """

    sha256: str
    spki_sha256: str
    serial_number: int
    uris: tuple[str, ...]
    emails: tuple[str, ...]
    dns_names: tuple[str, ...]
    not_after: datetime


class Certificates:
    """Reads PEM certificates, keeping the latest ones read."""

    def __init__(self) -> None:
        self._read: OrderedDict[bytes, ClientCertificate] = OrderedDict()

    def read(self, pem: bytes) -> ClientCertificate:
        """The certificate in ``pem``, which the transport verified.

        Raises:
            ValueError: It cannot be read.
        """
        known = self._read.get(pem)
        if known is None:
            known = self._read[pem] = _parsed(pem)
            if len(self._read) > CACHED_MAX:
                self._read.popitem(last=False)
        return known


def _parsed(pem: bytes) -> ClientCertificate:
    certificate = x509.load_pem_x509_certificate(pem)
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    return ClientCertificate(
        sha256=hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
        spki_sha256=hashlib.sha256(
            certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).hexdigest(),
        serial_number=certificate.serial_number,
        uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
        emails=tuple(names.get_values_for_type(x509.RFC822Name)),
        dns_names=tuple(names.get_values_for_type(x509.DNSName)),
        not_after=certificate.not_valid_after_utc,
    )
