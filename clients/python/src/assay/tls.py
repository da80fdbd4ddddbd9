"""Who the client is and whom it trusts: certificates, from files or as PEM text."""

import base64
import datetime as dt
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from assay.errors import ContextInvalid

Pem = str | Path | bytes
"""A path to a PEM file, or its content as bytes."""

_VALIDITY = re.compile(rb"[\x17\x18][\x0d\x0f](\d{12,14})Z[\x17\x18][\x0d\x0f](\d{12,14})Z")
"""The two times of a certificate, one after the other in DER: RFC 5280 §4.1.2.5."""

_CERTIFICATE = "CERTIFICATE"
_KEY = "PRIVATE KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """Certificates for a connection, each a path or PEM bytes.

    Attributes:
        ca: The authority that signed the server's certificate.
        cert: The client's certificate, with its chain: it decides who you are.
        key: Its private key.
        server_name: The name in the server's certificate, where it differs from the target's.
    """

    ca: Pem
    cert: Pem
    key: Pem
    server_name: str = ""

    def loaded(self) -> "TLS":
        """The same with the content of the files, each of which is one that gRPC survives.

        Raises:
            ContextInvalid: A file cannot be read, is empty, or holds no whole PEM block.
        """
        ca, key, cert = self._contents()
        return TLS(ca=ca, cert=cert, key=key, server_name=self.server_name)

    def credentials(self) -> grpc.ChannelCredentials:
        """What gRPC takes; reads the files.

        Raises:
            ContextInvalid: A file cannot be read, is empty, or holds no whole PEM block.
        """
        return grpc.ssl_channel_credentials(*self._contents())

    def expire_time(self) -> dt.datetime | None:
        """When the client's certificate expires; None where that cannot be read."""
        try:
            return expire_time(_content(self.cert, "client certificate"))
        except (ContextInvalid, ValueError):
            return None

    def _contents(self) -> tuple[bytes, bytes, bytes]:
        return (
            _pem(self.ca, "authority's certificate", _CERTIFICATE),
            _pem(self.key, "private key", _KEY),
            _pem(self.cert, "client certificate", _CERTIFICATE),
        )


def expire_time(certificate_pem: bytes) -> dt.datetime | None:
    """When the first certificate in ``certificate_pem`` expires; None where it has no such time."""
    first = certificate_pem.partition(b"-----END")[0] + b"-----END CERTIFICATE-----\n"
    der = ssl.PEM_cert_to_DER_cert(first[first.find(b"-----BEGIN") :].decode("ascii"))
    found = _VALIDITY.search(der)
    if found is None:
        return None
    digits = found[2].decode()
    # RFC 5280 §4.1.2.5.1: two-digit years from 50 on are of the last century.
    century = "" if len(digits) == 14 else ("19" if digits[:2] >= "50" else "20")
    return dt.datetime.strptime(century + digits, "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)


def named(source: Pem) -> str:
    """``source`` as a message may name it: the path, never the content."""
    return "the given PEM bytes" if isinstance(source, bytes) else str(source)


def _pem(source: Pem, what: str, label: str) -> bytes:
    """The content of ``source``, looked at first: gRPC ends the whole process for an empty one."""
    content = _content(source, what)
    block = re.compile(
        rb"-----BEGIN ([A-Z0-9 ]*%b)-----\s(.+?)-----END \1-----" % label.encode(), re.DOTALL
    ).search(content)
    if block is None:
        raise ContextInvalid(
            f"The {what}, {named(source)}, holds no whole {label} in PEM. It may be empty, half "
            "written at this moment, or another file: check the path, and call again."
        )
    if label == _CERTIFICATE:
        try:
            base64.b64decode(b"".join(block[2].split()), validate=True)
        except ValueError as error:
            raise ContextInvalid(
                f"The {what}, {named(source)}, is damaged: {error}. Get it anew."
            ) from error
    return content


def _content(source: Pem, what: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).expanduser().read_bytes()
    except (OSError, RuntimeError, ValueError) as error:  # nobody's ~, or a character NUL
        why = getattr(error, "strerror", None) or error
        raise ContextInvalid(
            f"The {what} {source} cannot be read: {why}. Check the path and who may read it."
        ) from error
