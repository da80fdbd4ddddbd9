"""A real server around handlers that a test writes: what surrounds calls, without a store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry

from assay.v1 import (
    access_service_pb2_grpc,
    artifact_service_pb2_grpc,
    watch_service_pb2_grpc,
)
from assay_server.access.identities import IdentityRule
from assay_server.app.clock import SystemClock, Uuid7
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.audit import AuditEntry
from assay_server.domain.errors import AuditUnavailable
from assay_server.domain.rates import Rate
from assay_server.services.grants import Grants
from assay_server.transport.api import METHODS
from assay_server.transport.interceptors.around import Around
from assay_server.transport.interceptors.auditing import Audited
from assay_server.transport.interceptors.composing import concerns
from assay_server.transport.interceptors.identifying import Identified
from assay_server.transport.interceptors.limiting import Limited, Share
from assay_server.transport.interceptors.measuring import Measured
from assay_server.transport.interceptors.permitting import Permitted
from assay_server.transport.permissions import REQUIREMENTS
from assay_server.transport.server import EXEMPT, GrpcServer, ServerLimits
from tests.pki import Authority, Credentials

ADMIN = "spiffe://assay.test/admin"
CLOCK = SystemClock()
ANYWHERE = IdentityRule()

Handler = Callable[[Any, Any], Any]


@dataclass
class KeptTrail:
    """An audit sink that a test can read, and break."""

    entries: list[AuditEntry] = field(default_factory=list)
    is_broken: bool = False
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def record(self, entry: AuditEntry) -> None:
        if self.is_broken:
            raise AuditUnavailable
        self.entries.append(entry)
        async with self._more:
            self._more.notify_all()

    async def record_refusal(self, entries: Sequence[AuditEntry]) -> None:
        for entry in entries:
            await self.record(entry)

    async def settled(self, count: int) -> list[AuditEntry]:
        """The entries, once there are ``count``: those of the cancelled come after the client."""
        async with asyncio.timeout(10), self._more:
            await self._more.wait_for(lambda: len(self.entries) >= count)
        return self.entries


class KnownBindings:
    """As much of a store as access asks for."""

    revision = 1

    def __init__(self, bindings: tuple[RoleBinding, ...]) -> None:
        self._bindings = bindings
        self.bindings = self

    @asynccontextmanager
    async def read(self) -> AsyncIterator["KnownBindings"]:
        yield self

    async def epoch(self) -> int:
        return 1

    async def all(self) -> tuple[RoleBinding, ...]:
        return self._bindings


async def _not_expected(request: Any, _context: Any) -> Any:
    raise AssertionError(f"nobody should send {request!r}")


@dataclass
class Scripted:
    """The handlers of a test by method name; those not given fail the test that calls them."""

    handlers: dict[str, Handler]

    def __getattr__(self, name: str) -> Handler:
        return self.handlers.get(name, _not_expected)


def binding(member: str, role: Role, scope: str = "") -> RoleBinding:
    return RoleBinding(scope, f"{role}-{len(member)}", role, member, "test", CLOCK.now())


@dataclass
class Running:
    """A server that runs, and what it left behind."""

    server: GrpcServer
    around: Around
    trail: KeptTrail
    metrics: CollectorRegistry
    target: str
    authority: Authority

    def channel(self, credentials: Credentials | str = ADMIN) -> grpc.aio.Channel:
        """A channel of the holder of ``credentials``, or of a fresh certificate for a URI."""
        if isinstance(credentials, str):
            credentials = self.authority.issue_client(credentials)
        return secure_channel(self.target, self.authority, credentials)


def secure_channel(
    target: str, authority: Authority, credentials: Credentials, **options: int
) -> grpc.aio.Channel:
    return grpc.aio.secure_channel(
        target,
        grpc.ssl_channel_credentials(
            authority.certificate, credentials.private_key, credentials.certificate
        ),
        options=[
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_send_message_length", -1),
            *((f"grpc.{name}", value) for name, value in options.items()),
        ],
    )


LIMITS = ServerLimits(
    transport_message_bytes_max=8 * 1024 * 1024,
    metadata_bytes_max=8192,
    connections_max=1000,
    streams_per_connection_max=100,
    stream_window_bytes=1024 * 1024,
    handshake_timeout_s=10,
    connection_idle_s=300,
    connection_age_s=300,
    connection_age_grace_s=300,
    client_ping_interval_s=10,
    drain_notice_s=0,
    drain_grace_s=5,
)


GENEROUS = Share(calls=Rate(0, 1), streams_max=1000, under_way_max=1000)


@asynccontextmanager
async def serving(
    authority: Authority,
    handlers: dict[str, Handler],
    *,
    bindings: tuple[RoleBinding, ...] = (binding(ADMIN, Role.ADMIN),),
    rule: IdentityRule = ANYWHERE,
    stall_s: float = 30.0,
    share: Share = GENEROUS,
    tracer: Tracer | None = None,
) -> AsyncIterator[Running]:
    """Serve Access, Artifact and Watch services whose methods are ``handlers``, over mTLS."""
    trail, metrics, ids = KeptTrail(), CollectorRegistry(), Uuid7()
    audited = Audited(trail, CLOCK, ids, tallied=trail)
    grants = Grants(KnownBindings(bindings), fresh_s=3600)  # type: ignore[arg-type]
    around = Around(
        concerns(
            tracer=tracer,
            measured=Measured(METHODS.items(), metrics),
            audited=audited,
            identified=Identified(rule, CLOCK, is_plaintext=False),
            limited=Limited(share),
            permitted=Permitted(grants, audited),
        ),
        REQUIREMENTS,
        ids,
        message_bytes_max=4 * 1024 * 1024,
        exempt=EXEMPT,
        stall_s=stall_s,
    )
    servicer: Any = Scripted(handlers)
    registrations = [
        lambda server: access_service_pb2_grpc.add_AccessServiceServicer_to_server(
            servicer, server
        ),
        lambda server: artifact_service_pb2_grpc.add_ArtifactServiceServicer_to_server(
            servicer, server
        ),
        lambda server: watch_service_pb2_grpc.add_WatchServiceServicer_to_server(servicer, server),
    ]
    server = GrpcServer(around, registrations, LIMITS)
    leaf = authority.issue_server()
    credentials = grpc.ssl_server_credentials(
        [(leaf.private_key, leaf.certificate)], authority.certificate, True
    )
    port = await server.start("127.0.0.1", 0, lambda: credentials)
    try:
        yield Running(server, around, trail, metrics, f"localhost:{port}", authority)
    finally:
        await server.stop()


def details_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The google.rpc.Status in the trailers."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value)
    raise AssertionError(f"no details in {error!r}")


def info_of(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """The ErrorInfo, which every error has."""
    info = error_details_pb2.ErrorInfo()
    assert details_of(error).details[0].Unpack(info)
    assert info.domain == "assay.dev"
    return info


async def refusal(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """The error with which ``call`` ends."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError(f"the call was answered: {answer!r}")
