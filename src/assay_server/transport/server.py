"""The gRPC server: its options, its services, and how it stops without losing anything."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer

from assay_server.domain.errors import Draining
from assay_server.transport.api import SERVICES
from assay_server.transport.interceptors.around import Around
from assay_server.transport.listening import CannotListen, require_free

REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"
"""Newer tools ask for this only; its messages are those of v1alpha on the wire."""

EXEMPT = frozenset(
    {
        health.SERVICE_NAME,
        reflection.SERVICE_NAME,
        REFLECTION_V1,
    }
)
"""Not authorized and not audited: probes and schemas tell nothing about anyone's models."""

KEEPALIVE_S = 60.0
"""A client from which nothing came for so long is asked whether it is still there."""

KEEPALIVE_ANSWER_S = 20.0
"""How long it has to answer; then its connection, and what its calls hold, is given up."""

PING_STRIKES_MAX = 2
"""Pings that come too early before the connection is closed (ENHANCE_YOUR_CALM)."""

LOOK_S = 0.2
"""How often it is asked whether the core's server is still there."""

LAST_WORDS_S = 1.0
"""Before the grace ends, calls that still run are told why, instead of being cut."""

log = logging.getLogger("assay.server")

AddTo = Callable[[Any], None]
"""Adds the handlers of a service to what it is given."""


Credentials = Callable[[], grpc.ServerCredentials]
"""Makes those of one listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """What the transport allows; the reasons stand with the settings."""

    transport_message_bytes_max: int
    metadata_bytes_max: int
    connections_max: int
    streams_per_connection_max: int
    stream_window_bytes: int
    handshake_timeout_s: float
    connection_idle_s: float
    connection_age_s: float
    connection_age_grace_s: float
    client_ping_interval_s: float
    drain_notice_s: float
    drain_grace_s: float

    def options(self) -> list[tuple[str, int]]:
        """The channel arguments of the core. Unknown names are silently ignored there."""
        return [
            # Two servers on one port share its calls without an error (pitfall 11).
            ("grpc.so_reuseport", 0),
            # The probe opens the window far beyond what a slow sink reads: 537 instead of 82 MiB.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.http2.lookahead_bytes", self.stream_window_bytes),
            ("grpc.max_receive_message_length", self.transport_message_bytes_max),
            ("grpc.max_send_message_length", self.transport_message_bytes_max),
            ("grpc.max_metadata_size", self.metadata_bytes_max),
            ("grpc.absolute_max_metadata_size", 2 * self.metadata_bytes_max),
            ("grpc.max_allowed_incoming_connections", self.connections_max),
            ("grpc.max_concurrent_streams", self.streams_per_connection_max),
            ("grpc.server_handshake_timeout_ms", _ms(self.handshake_timeout_s)),
            ("grpc.max_connection_idle_ms", _ms(self.connection_idle_s)),
            ("grpc.max_connection_age_ms", _ms(self.connection_age_s)),
            ("grpc.max_connection_age_grace_ms", _ms(self.connection_age_grace_s)),
            # Not min_recv_ping_interval_without_data_ms, which does nothing.
            ("grpc.http2.min_ping_interval_without_data_ms", _ms(self.client_ping_interval_s)),
            ("grpc.http2.max_ping_strikes", PING_STRIKES_MAX),
            ("grpc.keepalive_time_ms", _ms(KEEPALIVE_S)),
            ("grpc.keepalive_timeout_ms", _ms(KEEPALIVE_ANSWER_S)),
            ("grpc.keepalive_permit_without_calls", 1),
        ]


class _Unregistered:
    """What generated code adds its handlers to, without the table of registered methods.

    grpc.aio keeps one pending task for each method of that table and, for every call, waits for
    the first of them all, which grows with the API. Handlers that are looked up by name have
    one such task together.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Nothing: ``add_generic_rpc_handlers`` got the same ones."""


class GrpcServer:
    """Serves the registered services with ``around`` around every call."""

    def __init__(self, around: Around, registrations: Sequence[AddTo], limits: ServerLimits):
        self._around = around
        self._registrations = tuple(registrations)
        self._limits = limits
        self._health = health.aio.HealthServicer()
        self._server = self._made()
        self._standing: asyncio.Task[None] | None = None
        self._replacing = asyncio.Lock()
        self._is_stopping = False
        self.is_serving = False
        self._is_started = False

    async def start(self, host: str, port: int, credentials: Credentials | None) -> int:
        """Begin to serve and return the port; without ``credentials`` in plaintext.

        Raises:
            CannotListen: The address is taken or not ours.
        """
        require_free(host, port)
        host = f"[{host}]" if ":" in host else host
        bound = await self._listen(f"{host}:{port}", credentials)
        self._is_started = True
        self._standing = asyncio.create_task(self._stand(f"{host}:{bound}", credentials))
        await self.announce(is_healthy=True)
        return bound

    async def announce(self, *, is_healthy: bool) -> None:
        """Tell probes whether calls can be answered; a server that stops says no for good."""
        if not self._is_started:
            return
        self.is_serving = is_healthy
        states = health_pb2.HealthCheckResponse
        status = states.SERVING if is_healthy else states.NOT_SERVING
        for service in ("", *(service.full_name for service in SERVICES)):
            await self._health.set(service, status)

    async def stop(self) -> None:
        """Stop in the order that lets everyone go on elsewhere.

        Probes see NOT_SERVING; a pause; watches end with a status that says resume; calls in
        flight finish or are told why not; and only then are handlers awaited to their end.
        """
        if self._is_started:
            self._is_started = self.is_serving = False
            await self._health.enter_graceful_shutdown()
            await asyncio.sleep(self._limits.drain_notice_s)
        self._is_stopping = True
        async with self._replacing:
            if self._standing is not None:
                self._standing.cancel()
        self._around.end_streams(Draining())
        grace_s = self._limits.drain_grace_s
        stopping = asyncio.create_task(self._server.stop(grace_s))
        await asyncio.wait({stopping}, timeout=max(grace_s - LAST_WORDS_S, 0))
        for rpc in self._around.running():
            rpc.end_with(Draining())
        try:
            await stopping
        except Exception:
            log.exception("the gRPC server was broken when it was stopped")
        await self._around.settle(timeout_s=grace_s + LAST_WORDS_S)

    def _made(self) -> grpc.aio.Server:
        server = grpc.aio.server(interceptors=[self._around], options=self._limits.options())
        unregistered = _Unregistered(server)
        for add_to in self._registrations:
            add_to(unregistered)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, unregistered)
        _add_reflection(unregistered)
        return server

    async def _listen(self, address: str, credentials: Credentials | None) -> int:
        try:
            if credentials is None:
                bound = self._server.add_insecure_port(address)
            else:
                bound = self._server.add_secure_port(address, credentials())
        except RuntimeError:
            raise CannotListen(
                f"cannot listen on {address}: another program was faster. Choose another port, or 0"
            ) from None
        await self._server.start()
        return bound

    async def _stand(self, address: str, credentials: Credentials | None) -> None:
        """Replace the core's server when it breaks, as one call with an odd path makes it.

        grpc.aio decodes the path of a call outside of any handler: bytes that are not UTF-8 end
        its loop, and with it everybody's service. Calls in flight are cancelled, and on record.
        """
        is_standing = True
        while is_standing:
            try:
                # With a timeout, since a broken server waits for its calls to end before it tells.
                is_standing = await self._server.wait_for_termination(LOOK_S)
            except Exception:
                log.exception("the gRPC server broke and is replaced")
                async with self._replacing:
                    await self._replace(address, credentials)

    async def _replace(self, address: str, credentials: Credentials | None) -> None:
        was_serving = self.is_serving
        await self.announce(is_healthy=False)
        await self._server.stop(None)
        while not self._is_stopping:
            self._server = self._made()
            try:
                await self._listen(address, credentials)
            except CannotListen as problem:
                log.error("%s", problem)
                await asyncio.sleep(LOOK_S)
            else:
                await self.announce(is_healthy=was_serving)
                return


def _add_reflection(server: _Unregistered) -> None:
    names = [service.full_name for service in SERVICES]
    servicer = ReflectionServicer(
        service_names=[*names, health.SERVICE_NAME, reflection.SERVICE_NAME, REFLECTION_V1]
    )
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(REFLECTION_V1, {"ServerReflectionInfo": handler}),)
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
