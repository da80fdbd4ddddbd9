"""What ``assay doctor`` looks at, from this machine's files to the server's answer."""

import datetime as dt
import re
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from assay.cli import wording
from assay.cli.exit_codes import ExitCode, exit_code_of
from assay.client import Client
from assay.contexts import Context
from assay.errors import AssayError, Unauthenticated
from assay.v1.access_service_pb2 import WhoAmIResponse

TIMEOUT_S = 5.0
EXPIRES_SOON = dt.timedelta(days=14)
SKEW_MAX = dt.timedelta(seconds=30)
"""Certificates are issued minutes ahead; times in listings mislead long before they fail."""

_URI = re.compile(rb"\x86(?:\x81.|[\x00-\x7f])([a-z][a-z0-9+.-]*://[!-~]+)")
"""A uniformResourceIdentifier of a subjectAltName in DER: RFC 5280 §4.2.1.6, tag [6]."""

_REMEDIES = {
    "CERTIFICATE_DENIED": (
        "The server's operator put you or this certificate on its deny-list: ask them why. "
        "Another identity: assay context ls"
    ),
    "CERTIFICATE_EXPIRED": "Ask the server's operator for a new certificate.",
    "IDENTITY_INVALID": (
        "Ask the server's operator for a certificate with one SPIFFE URI of a trust domain that "
        "it accepts."
    ),
    "METHOD_UNKNOWN": "Use a client of the server's version, or look whether it is Assay at all.",
}
"""By reason, what to do when the server refuses to say who one is."""


class Mark(StrEnum):
    """How a check ended."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``remedy`` says what to do when it is not good."""

    subject: str
    mark: Mark
    found: str
    remedy: str = ""


class Doctor:
    """Looks at one context, in the order in which one thing rests on another."""

    def __init__(self, context: Context, client: Client, *, called: str) -> None:
        self._context = context
        self._client = client
        self._called = called
        self._status = ExitCode.UNREACHABLE

    @property
    def status(self) -> ExitCode:
        """What to end with where a check is bad."""
        return self._status

    def checks(self) -> Iterator[Check]:
        """Every check; what cannot be looked at any more is said to be skipped."""
        yield Check("context", Mark.GOOD, self._called)
        files = [*self._files()]
        yield from files
        steps: list[tuple[str, Callable[[], Iterator[Check]]]] = [
            ("connection", self._connection),
            ("TLS", self._handshake),
            ("identity", self._identity),
        ]
        failed = any(check.mark is Mark.BAD for check in files)
        for subject, look in steps:
            if failed:
                yield Check(subject, Mark.SKIPPED, "not looked at: mend the above first")
                continue
            for check in look():
                failed = failed or check.mark is Mark.BAD
                yield check

    def _files(self) -> Iterator[Check]:
        """Authority, certificate and key on this machine."""
        context = self._context
        if context.ca is None or context.cert is None or context.key is None:
            yield Check("certificates", Mark.DOUBTFUL, "none: plaintext, on this machine only")
            return
        for subject, path in (("authority", context.ca), ("key", context.key)):
            yield _file(subject, path)
        readable = _file("certificate", context.cert)
        if readable.mark is Mark.BAD:
            yield readable
            return
        names = ", ".join(uris_of(context.cert.read_bytes())) or "no URI inside"
        yield _expiry("certificate", names, context.tls.expire_time() if context.tls else None)

    def _connection(self) -> Iterator[Check]:
        host, port = _address(self._context.target)
        try:
            began = dt.datetime.now(dt.UTC)
            socket.create_connection((host, port), TIMEOUT_S).close()
            took = dt.datetime.now(dt.UTC) - began
        except (OSError, OverflowError) as error:
            why = "the name is unknown" if isinstance(error, socket.gaierror) else _why(error)
            yield Check(
                "connection",
                Mark.BAD,
                f"{self._context.target}: {why}",
                "Is the server running, and this its address? Start one with: assay-server dev",
            )
            return
        yield Check(
            "connection",
            Mark.GOOD,
            f"{self._context.target} answers in {took.total_seconds() * 1000:.0f} ms",
        )

    def _handshake(self) -> Iterator[Check]:
        context = self._context
        if context.ca is None or context.cert is None or context.key is None:
            yield Check("TLS", Mark.SKIPPED, "plaintext")
            return
        host, port = _address(context.target)
        try:
            tls = ssl.create_default_context(cafile=str(context.ca))
            tls.load_cert_chain(str(context.cert), str(context.key))
            tls.set_alpn_protocols(["h2"])
            with (
                socket.create_connection((host, port), TIMEOUT_S) as plain,
                tls.wrap_socket(plain, server_hostname=context.server_name or host) as secure,
            ):
                version, expires = secure.version() or "TLS", _not_after(secure)
        except ssl.SSLCertVerificationError as error:
            yield Check(
                "TLS",
                Mark.BAD,
                f"the server's certificate is refused: {error.verify_message.rstrip('.')}",
                f"Is {context.ca} the authority of this server, and its name in the certificate?",
            )
        except (ssl.SSLError, OSError) as error:
            yield Check(
                "TLS",
                Mark.BAD,
                f"no handshake: {_why(error)}",
                "Is this a TLS port, and does the key belong to the certificate?",
            )
        else:
            yield _expiry("TLS", f"{version}; the server's certificate is good", expires)

    def _identity(self) -> Iterator[Check]:
        asked = dt.datetime.now(dt.UTC)
        try:
            answer = self._client.within(TIMEOUT_S).whoami()
        except AssayError as error:
            if isinstance(error, Unauthenticated):
                self._status = exit_code_of(error)
            remedy = _REMEDIES.get(error.reason, "See: assay help exit-codes")
            yield Check("identity", Mark.BAD, error.message, remedy)
            return
        answered = dt.datetime.now(dt.UTC)
        yield _version(answer.server_version)
        yield from _clock(answer, asked, answered)
        yield Check("identity", Mark.GOOD, answer.principal)
        roles = len(answer.role_bindings)
        if roles:
            yield Check("roles", Mark.GOOD, f"{wording.counted(roles, 'role')}: see assay whoami")
        else:
            yield Check(
                "roles",
                Mark.DOUBTFUL,
                "none: nothing is visible to you",
                f"Ask an admin for: assay role grant ROLE {answer.principal} [WHERE]",
            )


def uris_of(certificate_pem: bytes) -> list[str]:
    """The URIs that a certificate names; one of them is usually the principal."""
    end = certificate_pem.partition(b"-----END")[0] + b"-----END CERTIFICATE-----\n"
    try:
        der = ssl.PEM_cert_to_DER_cert(end[end.find(b"-----BEGIN") :].decode("ascii"))
    except ValueError:
        return []
    found = []
    for match in _URI.finditer(der):
        # The pattern cannot count; the byte before the text is its length.
        length = der[match.start(1) - 1]
        found.append(match[1][:length].decode("ascii"))
    return found


def _file(subject: str, path: Path) -> Check:
    try:
        mode = path.stat().st_mode
        path.read_bytes()
    except OSError as error:
        return Check(
            subject, Mark.BAD, f"{path}: {_why(error)}", "Check the path: assay context show"
        )
    if subject == "key" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Check(subject, Mark.DOUBTFUL, f"{path} can be read by others", f"chmod 600 {path}")
    return Check(subject, Mark.GOOD, str(path))


def _expiry(subject: str, found: str, expires: dt.datetime | None) -> Check:
    if expires is None:
        return Check(subject, Mark.GOOD, found)
    left = expires - dt.datetime.now(dt.UTC)
    when = f"{expires.astimezone():%Y-%m-%d %H:%M}"
    if left <= dt.timedelta(0):
        return Check(subject, Mark.BAD, f"{found}; expired {when}", "Get a new certificate.")
    told = f"{found}; expires {when}, in {wording.span(left)}"
    if left < EXPIRES_SOON:
        return Check(subject, Mark.DOUBTFUL, told, "Get a new certificate soon.")
    return Check(subject, Mark.GOOD, told)


def _version(server: str) -> Check:
    own = metadata.version("assay-registry")
    told = f"server {server}, this client {own}"
    if server.split(".")[:2] == own.split(".")[:2]:
        return Check("version", Mark.GOOD, told)
    return Check("version", Mark.DOUBTFUL, told, "Use a client of the server's minor version.")


def _clock(answer: WhoAmIResponse, asked: dt.datetime, answered: dt.datetime) -> Iterator[Check]:
    """The clocks of both sides; the answer was made somewhere between question and answer."""
    if not answer.HasField("server_time"):
        return
    there = answer.server_time.ToDatetime(dt.UTC)
    late = max(there - answered, asked - there, dt.timedelta(0))
    if late <= SKEW_MAX:
        yield Check("clock", Mark.GOOD, "agrees with the server's")
        return
    side = "ahead of" if there > answered else "behind"
    yield Check(
        "clock",
        Mark.DOUBTFUL,
        f"the server's is {wording.span(late)} {side} this machine's",
        "Set both by NTP: certificates and --since go by the clock.",
    )


def _not_after(secure: ssl.SSLSocket) -> dt.datetime | None:
    told = (secure.getpeercert() or {}).get("notAfter")
    if not isinstance(told, str):
        return None
    return dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(told), dt.UTC)


def _address(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    return host.strip("[]"), int(port) if port.isdecimal() else 0


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return (getattr(error, "strerror", None) or str(error)).lower().rstrip(".")
