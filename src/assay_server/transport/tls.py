"""The server's TLS: certificates from files, read again when they change, clients required."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from prometheus_client import CollectorRegistry, Gauge

log = logging.getLogger("assay.tls")

_Signature = tuple[tuple[int, int, int], ...]


class UnusableCertificate(Exception):
    """The files do not make a server certificate; the text says which and why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Three PEM files: chain of the server (leaf first), its key, authorities of clients."""

    certificate: Path
    private_key: Path
    client_authorities: Path

    def signature(self) -> _Signature:
        """What changes when a file is replaced or written.

        Raises:
            UnusableCertificate: One is not there.
        """
        paths = (self.certificate, self.private_key, self.client_authorities)
        return tuple(
            (stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in map(_looked_at, paths)
        )

    def load(self) -> grpc.ServerCertificateConfiguration:
        """Read and check the files.

        Raises:
            UnusableCertificate: One cannot be read, is not PEM, or the key is of another one.
        """
        chain = _read(self.certificate)
        key = _read(self.private_key)
        authorities = _read(self.client_authorities)
        leaf = _parsed(self.certificate, chain)[0]
        _parsed(self.client_authorities, authorities)
        try:
            private = serialization.load_pem_private_key(key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnusableCertificate(f"{self.private_key} is not a PEM private key") from None
        if private.public_key() != leaf.public_key():
            raise UnusableCertificate(f"{self.private_key} is not the key of {self.certificate}")
        return grpc.ssl_server_certificate_configuration(
            [(key, chain)], root_certificates=authorities
        )


def credentials(
    files: TlsFiles, metrics: CollectorRegistry
) -> Callable[[], grpc.ServerCredentials]:
    """What makes credentials that demand a client certificate and follow ``files``.

    New ones for each listener: the core takes the first configuration from them only once.

    Raises:
        UnusableCertificate: The files are wrong to begin with.
    """
    follower = _Follower(files, metrics)

    def make() -> grpc.ServerCredentials:
        return grpc.dynamic_ssl_server_credentials(
            follower.newest_good(),
            follower.fetch,  # type: ignore[arg-type] # None keeps the last one; the stubs forget it
            require_client_authentication=True,
        )

    return make


class _Follower:
    """Asked by the core before each handshake, on threads of its own: fast, and never raises."""

    def __init__(self, files: TlsFiles, metrics: CollectorRegistry) -> None:
        self._files = files
        self._are_current = Gauge(
            "assay_tls_files_are_current",
            "1 when the files of [tls] were usable at the newest handshake, 0 when older ones are "
            "in force.",
            registry=metrics,
        )
        self._are_current.set(1)
        self._seen = files.signature()
        self._good = files.load()
        self._lock = threading.Lock()

    def newest_good(self) -> grpc.ServerCertificateConfiguration:
        """What is in force."""
        with self._lock:
            return self._good

    def fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """The new configuration, or None when nothing changed or the new files are unusable."""
        with self._lock:
            try:
                signature = self._files.signature()
                if signature == self._seen:
                    self._are_current.set(1)
                    return None
                fresh = self._files.load()
            except UnusableCertificate as problem:
                # Not seen yet, so that the rest of a half-written file is noticed.
                self._are_current.set(0)
                log.warning("keeping the previous TLS certificate: %s", problem)
                return None
            self._seen, self._good = signature, fresh
            self._are_current.set(1)
            log.info("TLS certificate replaced")
            return fresh


def _looked_at(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise UnusableCertificate(f"{path} cannot be read: {error.strerror}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableCertificate(f"{path} cannot be read: {error.strerror}") from None


def _parsed(path: Path, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise UnusableCertificate(f"{path} is not a PEM certificate") from None
