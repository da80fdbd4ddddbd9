"""The settings: one frozen dataclass for each section of the file.

``reason`` is printed by ``assay-server config reference``; ``least`` is the smallest number that
makes sense.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MIB = 1024 * 1024


def setting(
    default: Any,
    reason: str,
    *,
    least: float | None = None,
    choices: tuple[str, ...] = (),
    is_secret: bool = False,
) -> Any:
    """A field of a section."""
    return field(
        default=default,
        metadata={"reason": reason, "least": least, "choices": choices, "is_secret": is_secret},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSection:
    """Where gRPC is served."""

    listen: str = setting(
        "127.0.0.1:8443", "Address and port for gRPC; port 0 lets the system choose."
    )
    plaintext_for_development: bool = setting(
        False,
        "Serve without TLS, everyone being the principal dev:local. Refused unless the address "
        "is a loopback one.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSection:
    """Files in PEM. They are read again when they change; a half-written one is not taken."""

    certificate: Path | None = setting(None, "Certificate chain of the server, leaf first.")
    private_key: Path | None = setting(None, "Private key of that certificate.")
    client_authorities: Path | None = setting(
        None, "Certificates of the authorities that sign clients. A client without one is refused."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySection:
    """Which name in a certificate is the principal. Never the common name."""

    source: str = setting(
        "spiffe",
        "spiffe: the single URI, which must be a SPIFFE id; email or dns: the single name of "
        "that kind, and no URI.",
        choices=("spiffe", "email", "dns"),
    )
    trust_domains: tuple[str, ...] = setting(
        (), "SPIFFE trust domains that are accepted; empty accepts any that an authority signs."
    )
    deny_file: Path | None = setting(
        None,
        "A list of principals and certificates that are denied, one a line: principal, serial, "
        "certificate-sha256 or spki-sha256, and its value; or the line nobody. Read again within "
        "seconds.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSection:
    """Where facts are kept."""

    url: str = setting(
        "sqlite:///assay.db",
        "sqlite:///path for one server with a directory of its own, "
        "postgresql://user:password@host/database for any number of servers.",
        is_secret=True,
    )
    migrate_at_start: bool = setting(
        True,
        "Bring the schema up to date when the server starts. Turn it off where "
        "`assay-server migrate` is a step of its own.",
    )
    events_kept_s: float = setting(
        30 * 86400.0,
        "A watch that stood still for longer cannot be resumed and begins again from a list. "
        "What was true at a revision is kept for ever.",
        least=3600,
    )
    audit_kept_s: float = setting(
        400 * 86400.0,
        "Entries of the audit trail are kept for so long, at least 30 days; on PostgreSQL they go "
        "by the month, with the last of it.",
        least=30 * 86400,
    )
    audit_reserve_bytes: int = setting(
        64 * MIB,
        "On SQLite, space that a file beside the audit trail keeps for it. When the disk is full "
        "changes are refused, and reads go on until it is used up. 0 keeps none.",
        least=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobsSection:
    """Where bytes are kept."""

    kind: str = setting("disk", "disk: files in a directory.", choices=("disk",))
    directory: Path = setting(
        Path("blobs"), "Directory of the files; several servers need the same shared one."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsSection:
    """Metrics and health over plain HTTP. There is no data behind it."""

    listen: str = setting(
        "127.0.0.1:9090", "Address and port of /metrics, /healthz and /readyz; empty for none."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PagingSection:
    """The key of page tokens. Servers of one registry need the same."""

    key: str = setting("", "At least 64 hex digits; empty keeps a key in key_file.", is_secret=True)
    key_file: Path = setting(
        Path("page-token.key"), "Where a key is kept; made with mode 0600 when absent."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSection:
    """The log, on standard error."""

    level: str = setting(
        "info",
        "info has one line for each call, warning only those that failed by our fault.",
        choices=("debug", "info", "warning", "error"),
    )
    format: str = setting("json", "json for machines, text for people.", choices=("json", "text"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSection:
    """OpenTelemetry."""

    otlp_endpoint: str = setting(
        "", "host:port of an OTLP/gRPC collector; empty for no traces and no cost."
    )
    sample_share: float = setting(
        1.0, "Share of the traces, from 0 to 1, where the caller did not decide.", least=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSection:
    """What one caller may take. Names end in their unit."""

    message_bytes_max: int = setting(
        4 * MIB,
        "Largest message. Transfers prefer 1 MiB: larger ones make other calls wait.",
        least=64 * 1024,
    )
    transport_message_bytes_max: int = setting(
        8 * MIB,
        "Largest message that is read at all; what lies between the two is refused with a "
        "reason and audited.",
        least=64 * 1024,
    )
    metadata_bytes_max: int = setting(
        8 * 1024, "Headers of a call; twice this is refused by the transport.", least=1024
    )
    streams_per_connection_max: int = setting(
        100, "Calls at once on one connection; more wait on the client's side.", least=1
    )
    connections_max: int = setting(
        4096,
        "Connections at once to one server; more are closed at once. Each is a file descriptor: "
        "let `ulimit -n` be 4,096 more than this.",
        least=1,
    )
    calls_per_principal_per_s: float = setting(
        2000.0,
        "Calls that one principal may make each second, at one server, for as long as it likes: "
        "about what one processor answers. 0 is no limit.",
        least=0,
    )
    calls_at_once_per_principal_max: int = setting(
        10_000,
        "Calls that it may make at once when it was quiet before: a push of some thousand files.",
        least=1,
    )
    calls_under_way_per_principal_max: int = setting(
        256,
        "Calls of it that have not ended, streams apart: each may hold one message while it comes.",
        least=1,
    )
    streams_per_principal_max: int = setting(
        1000,
        "Uploads, downloads and watches that one principal may have open at once at one server.",
        least=1,
    )
    file_bytes_max: int = setting(
        1024 * 1024 * MIB, "Largest file: ten times the largest one of weights in use.", least=1
    )
    upload_streams_max: int = setting(
        64,
        "Uploads at once in one server; each takes some 8 MiB when the disk is slower than the "
        "network.",
        least=1,
    )
    upload_streams_per_principal_max: int = setting(
        32, "Of these, how many one principal may take: half, so that others get on.", least=1
    )
    upload_bytes_per_s_min: int = setting(
        16 * 1024,
        "A stream that brought less than this on average after its first minute is closed, like "
        "one on which nothing moves. 0 is no limit.",
        least=0,
    )
    upload_idle_s: float = setting(
        30.0, "A stream on which nothing moves is closed; the upload stays.", least=1
    )
    upload_ttl_s: float = setting(
        7 * 86400.0, "An upload that nobody begins again is dropped, like its draft.", least=60
    )
    stream_window_bytes: int = setting(
        1 * MIB,
        "What a stream may send ahead of its reader: 8 uploads into slow disks take about "
        "100 MiB, and 1 MiB at 50 ms is 20 MiB/s for one stream.",
        least=64 * 1024,
    )
    handshake_timeout_s: float = setting(10.0, "A TLS handshake that takes longer.", least=1)
    connection_idle_s: float = setting(300.0, "A connection without calls is closed.", least=1)
    connection_age_s: float = setting(
        1200.0,
        "After so long a connection is replaced: load spreads, and a certificate is looked at "
        "anew.",
        least=1,
    )
    connection_age_grace_s: float = setting(
        300.0, "What calls on such a connection have left; a watch resumes, an upload too.", least=1
    )
    client_ping_interval_s: float = setting(
        10.0, "Clients that ping more often are cut off (ENHANCE_YOUR_CALM).", least=1
    )
    watch_bookmark_s: float = setting(
        20.0, "A watch without news gets a bookmark; the contract promises 30 s.", least=0.1
    )
    watches_max: int = setting(
        4000, "Watches at once in one server; each polls the store when there is news.", least=1
    )
    access_fresh_s: float = setting(
        1.0,
        "For how long role bindings are believed that another server may have changed.",
        least=0,
    )
    drain_notice_s: float = setting(
        3.0,
        "Between NOT_SERVING and closing the door, for load balancers to look elsewhere.",
        least=0,
    )
    drain_grace_s: float = setting(30.0, "What calls have left when the server stops.", least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All sections."""

    server: ServerSection = ServerSection()
    tls: TlsSection = TlsSection()
    identity: IdentitySection = IdentitySection()
    store: StoreSection = StoreSection()
    blobs: BlobsSection = BlobsSection()
    operations: OperationsSection = OperationsSection()
    paging: PagingSection = PagingSection()
    log: LogSection = LogSection()
    tracing: TracingSection = TracingSection()
    limits: LimitsSection = LimitsSection()
