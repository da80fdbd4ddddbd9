"""Identity: one principal from the certificate of the connection, looked at for every call."""

import asyncio

from assay_server.access.denying import DenyList, Presented
from assay_server.access.identities import CertificateNames, IdentityRule, principal_of
from assay_server.domain.errors import CertificateDenied, CertificateExpired, Unauthenticated
from assay_server.ports.clock import Clock
from assay_server.transport.certificates import CACHED_MAX, Certificates, ClientCertificate
from assay_server.transport.interceptors.rpc import Proceed, Rpc

DEVELOPMENT_PRINCIPAL = "dev:local"
"""Everyone, on a plaintext listener. No certificate can yield it."""


class Identified:
    """Finds out who calls. Metadata never matters: a client can write there what it likes."""

    def __init__(self, rule: IdentityRule, clock: Clock, *, is_plaintext: bool) -> None:
        self._rule = rule
        self._clock = clock
        self._is_plaintext = is_plaintext
        self._certificates = Certificates()
        self._principals: dict[str, str] = {}
        self._denied = DenyList()
        self._streams: dict[Rpc, Presented] = {}

    def deny(self, denied: DenyList) -> None:
        """Refuse these from now on, and end the streams that they have."""
        self._denied = denied
        for rpc, presented in self._streams.items():
            if denied.denies(presented):
                rpc.end_with(CertificateDenied())

    async def calls(self, rpc: Rpc, proceed: Proceed) -> bytes | None:
        """Fill in the principal; end a stream when its certificate does or is denied."""
        if self._is_plaintext:
            rpc.principal = DEVELOPMENT_PRINCIPAL
            return await proceed(rpc)
        certificate = self._certificate(rpc)
        rpc.certificate_sha256 = certificate.sha256
        rpc.certificate_expire_time = certificate.not_after
        rpc.principal = self._principal(certificate)
        left_s = (certificate.not_after - self._clock.now()).total_seconds()
        if left_s <= 0:
            raise _expired(certificate)
        presented = Presented(
            rpc.principal, certificate.serial_number, certificate.sha256, certificate.spki_sha256
        )
        if self._denied.denies(presented):
            raise CertificateDenied
        if not rpc.method.is_stream:
            return await proceed(rpc)
        expired = _expired(certificate)
        timer = asyncio.get_running_loop().call_later(left_s, rpc.end_with, expired)
        self._streams[rpc] = presented
        try:
            return await proceed(rpc)
        finally:
            timer.cancel()
            del self._streams[rpc]

    def _principal(self, certificate: ClientCertificate) -> str:
        """By the rule, remembered for the certificate."""
        known = self._principals.get(certificate.sha256)
        if known is None:
            names = CertificateNames(certificate.uris, certificate.emails, certificate.dns_names)
            known = principal_of(names, self._rule)
            if len(self._principals) >= CACHED_MAX:
                self._principals.clear()
            self._principals[certificate.sha256] = known
        return known

    def _certificate(self, rpc: Rpc) -> ClientCertificate:
        pems = list(rpc.context.auth_context().get("x509_pem_cert", ()))
        if len(pems) != 1:
            raise Unauthenticated("the connection has no client certificate")
        try:
            return self._certificates.read(pems[0])
        except ValueError:
            raise Unauthenticated("it cannot be read") from None


def _expired(certificate: ClientCertificate) -> CertificateExpired:
    return CertificateExpired(f"{certificate.not_after:%Y-%m-%d %H:%M:%S} UTC")
