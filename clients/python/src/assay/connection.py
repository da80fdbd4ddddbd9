"""The channels to one server: made on first use, owned by one event loop of one process."""

import asyncio
import ipaddress
import os
from importlib import metadata
from typing import Any

import grpc

from assay import retries, statuses
from assay.diagnosis import why_no_connection
from assay.errors import (
    AssayError,
    ClientClosed,
    ConnectionFailed,
    ForeignLoop,
    ForkedClient,
    InsecureTarget,
    MethodUnknown,
)
from assay.stubs import Stubs
from assay.tls import TLS

KEEPALIVE_MS = 60_000
"""grpc.io advises against less than a minute; servers hang up on those who ping more often."""

KEEPALIVE_TIMEOUT_MS = 20_000

CARRIERS = 4
"""Channels for bytes besides the one for everything else: streams that share one wait for each
other, and so would the answers to short questions."""

WINDOW_BYTES = 4 * 1024 * 1024
"""What may be under way to one stream of bytes. gRPC itself would enlarge it for a slow disk."""


class Connection:
    """Channels and their stubs. Nothing of gRPC is touched before the first call."""

    _process_with_grpc: int | None = None
    """Process that first opened a channel: its children inherit gRPC's memory, not its threads."""

    def __init__(self, target: str, tls: TLS | None) -> None:
        if tls is None and not is_loopback(target):
            raise InsecureTarget(
                f"{target} is not on this machine, and without TLS everybody on the way could "
                "read and change what is sent. Give certificates: TLS(ca=…, cert=…, key=…)."
            )
        self.target = target
        self.tls = tls
        self._loaded: TLS | None = None
        self._channel: grpc.aio.Channel | None = None
        self._stubs: Stubs | None = None
        self._carriers: dict[int, tuple[grpc.aio.Channel, Stubs]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    @property
    def stubs(self) -> Stubs:
        """The generated stubs, on a channel of the running loop.

        Raises:
            ForkedClient: This process is a fork of one that used gRPC.
            ForeignLoop: The client works on another loop, or there is none here.
            ClientClosed: It was closed.
        """
        self.require_own_process()
        if self._is_closed:
            raise ClientClosed(f"This client of {self.target} is closed; make a new one.")
        loop = _running_loop()
        if self._stubs is None or self._loop is not loop:
            if self._loop is not None and not self._loop.is_closed():
                raise ForeignLoop(
                    "This client belongs to the event loop that used it first; make one client "
                    "per loop, or use the synchronous Client from several threads."
                )
            self._loop = loop
            self._channel = self._open()
            self._stubs = Stubs(self._channel)
            self._carriers = {}
        return self._stubs

    @property
    def is_made(self) -> bool:
        """Whether the channel for questions has a connection at this moment."""
        state = self._channel.get_state() if self._channel is not None else None
        return state is grpc.ChannelConnectivity.READY

    def carrier(self, number: int) -> Stubs:
        """The stubs for one of several streams of bytes, each on a connection of its own.

        Raises:
            Misused: As for ``stubs``.
        """
        _ = self.stubs
        number %= CARRIERS
        if number not in self._carriers:
            # Otherwise gRPC would put channels with the same arguments on one connection. What is
            # sent again, and from where on, is decided by the transfer.
            channel = self._open(
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.enable_retries", 0),
                ("grpc.http2.bdp_probe", 0),
                ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
            )
            self._carriers[number] = channel, Stubs(channel)
        return self._carriers[number][1]

    async def close(self) -> None:
        """Close the channels; calls still under way end."""
        self._is_closed = True
        channels = [channel for channel, _ in self._carriers.values()]
        if self._channel is not None:
            channels.append(self._channel)
        self._channel, self._stubs, self._carriers = None, None, {}
        if self._loop is asyncio.get_running_loop():
            await asyncio.gather(*(channel.close() for channel in channels))

    def error_of(self, error: grpc.aio.AioRpcError) -> AssayError:
        """What ``error`` of a call on this connection means."""
        failure = statuses.error_of(error)
        if isinstance(failure, ConnectionFailed):
            sentence = why_no_connection(
                self.target, self.tls, error.details() or "", shown=self._loaded
            )
            return ConnectionFailed(sentence, code=error.code())
        if isinstance(failure, MethodUnknown) and not failure.reason:
            return MethodUnknown(
                f"The server at {self.target} does not know this method ({error.details()}): it is "
                "older than this client, or not an Assay server.",
                code=error.code(),
            )
        return failure

    @classmethod
    def require_own_process(cls) -> None:
        """Refuse to hang: after a fork, gRPC waits for a thread that only the parent has.

        Raises:
            ForkedClient: This process is a fork of one that used gRPC.
        """
        if cls._process_with_grpc not in {None, os.getpid()}:
            raise ForkedClient(
                f"This process ({os.getpid()}) was forked from one that used gRPC "
                f"({cls._process_with_grpc}), which gRPC does not survive. Start workers with "
                "the spawn or forkserver method, or use the client only after the fork."
            )

    def _open(self, *more: tuple[str, Any]) -> grpc.aio.Channel:
        Connection._process_with_grpc = os.getpid()
        options: list[tuple[str, Any]] = [
            ("grpc.service_config", retries.service_config()),
            ("grpc.keepalive_time_ms", KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
            ("grpc.primary_user_agent", f"assay-python/{metadata.version('assay-registry')}"),
            *more,
        ]
        if self.tls is None:
            return grpc.aio.insecure_channel(self.target, options=options)
        if self.tls.server_name:
            options.append(("grpc.ssl_target_name_override", self.tls.server_name))
        # Read once: after a rotation half of a push would come from another principal.
        self._loaded = self._loaded or self.tls.loaded()
        return grpc.aio.secure_channel(self.target, self._loaded.credentials(), options=options)


def is_loopback(target: str) -> bool:
    """Whether ``target`` (``host:port``) can only be this machine."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    host = target.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ForeignLoop(
            "AsyncClient works inside a running event loop (async def … asyncio.run). Without "
            "one, use Client, which has the same verbs."
        ) from None
