"""A client that speaks HTTP/2 by hand: it can send what no gRPC library would."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from tests.pki import Authority, Credentials

PATIENCE_S = 30.0
"""How long any one answer may take; a busy machine is slow, a lost answer never comes."""

GOODBYE_S = 0.2

Header = tuple[str, str]


def framed(message: bytes, *, flag: int = 0, says: int | None = None) -> bytes:
    """A gRPC frame; ``says`` lies about its length, ``flag`` about its compression."""
    return struct.pack(">BI", flag, len(message) if says is None else says) + message


@dataclass(eq=False)
class RawCall:
    """One stream of HTTP/2 and what came back on it."""

    number: int
    path: str | bytes
    headers: dict[str, str] = field(default_factory=dict)
    received: bytes = b""
    reset_with: int | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def grpc_status(self) -> int | None:
        """The number in ``grpc-status``; None when the stream ended without one."""
        async with asyncio.timeout(PATIENCE_S):
            await self.ended.wait()
        status = self.headers.get("grpc-status")
        return None if status is None else int(status)

    async def began_to_answer(self) -> None:
        """Wait for the first message."""
        async with asyncio.timeout(PATIENCE_S):
            await self.answered.wait()


class RawConnection:
    """One connection, whose calls are made of headers and bytes that the test chooses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        # Our own sense of what is valid would keep the odd from the server.
        self._http2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                header_encoding="utf-8",
            )
        )
        self._calls: dict[int, RawCall] = {}
        self._pongs: dict[bytes, asyncio.Event] = {}
        self._window_opened = asyncio.Event()
        self._number = 1

    async def begin(
        self, path: str | bytes, *more: Header, method: str = "POST", end: bool = False
    ) -> RawCall:
        """Send the headers of a call."""
        call = RawCall(self._number, path)
        self._number += 2
        self._calls[call.number] = call
        headers = [
            (":method", method),
            (":scheme", "https"),
            (":path", path),
            (":authority", "localhost"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            *more,
        ]
        self._http2.send_headers(call.number, headers, end_stream=end)
        await self._flush()
        return call

    async def send(self, call: RawCall, data: bytes, *, end: bool = False) -> None:
        """Send bytes on a call, as far as the other side takes them."""
        left = memoryview(data)
        while left and not call.ended.is_set():
            size = min(
                len(left),
                self._http2.local_flow_control_window(call.number),
                self._http2.max_outbound_frame_size,
            )
            if size == 0:
                self._window_opened.clear()
                async with asyncio.timeout(PATIENCE_S):
                    await self._window_opened.wait()
                continue
            self._http2.send_data(call.number, bytes(left[:size]))
            left = left[size:]
            await self._flush()
        if end and not call.ended.is_set():
            self._http2.end_stream(call.number)
            await self._flush()

    async def ask(self, path: str | bytes, message: bytes, *more: Header) -> RawCall:
        """Make a whole call with one message."""
        call = await self.begin(path, *more)
        await self.send(call, framed(message), end=True)
        return call

    async def reset(self, call: RawCall) -> None:
        """Cancel a call, as gRPC clients do."""
        if not call.ended.is_set():
            self._http2.reset_stream(call.number, h2.errors.ErrorCodes.CANCEL)
            call.ended.set()
            await self._flush()

    async def ping(self) -> None:
        """Wait until the other side has read everything before this."""
        data = self._number.to_bytes(8)
        pong = self._pongs[data] = asyncio.Event()
        self._http2.ping(data)
        await self._flush()
        async with asyncio.timeout(PATIENCE_S):
            await pong.wait()

    async def open(self) -> None:
        self._http2.initiate_connection()
        await self._flush()

    async def listen(self) -> None:
        """Take what comes until the connection ends."""
        while data := await self._reader.read(65536):
            for event in self._http2.receive_data(data):
                self._take(event)
            await self._flush()
        for call in self._calls.values():
            call.ended.set()

    async def close(self) -> None:
        """Say goodbye, but do not wait long for a server that lost patience with us."""
        self._writer.close()
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()
            await asyncio.sleep(0)

    def _take(self, event: Any) -> None:
        if isinstance(event, h2.events.WindowUpdated | h2.events.RemoteSettingsChanged):
            self._window_opened.set()
        if isinstance(event, h2.events.PingAckReceived):
            self._pongs[event.ping_data].set()
        call = self._calls.get(getattr(event, "stream_id", None) or 0)
        if call is None:
            return
        if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
            call.headers.update(event.headers or ())
        elif isinstance(event, h2.events.DataReceived):
            call.received += event.data or b""
            call.answered.set()
            self._http2.acknowledge_received_data(event.flow_controlled_length, call.number)
        elif isinstance(event, h2.events.StreamEnded):
            call.ended.set()
        elif isinstance(event, h2.events.StreamReset):
            call.reset_with = event.error_code
            call.ended.set()
        if call.ended.is_set():
            self._window_opened.set()

    async def _flush(self) -> None:
        self._writer.write(self._http2.data_to_send())
        await self._writer.drain()


@asynccontextmanager
async def raw_connection(
    target: str, authority: Authority, credentials: Credentials, directory: Path
) -> AsyncIterator[RawConnection]:
    """Connect over mutual TLS; the key goes through files in ``directory``."""
    context = ssl.create_default_context(cadata=authority.certificate.decode())
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_cert_chain(*credentials.write(directory, "raw-client"))
    context.set_alpn_protocols(["h2"])
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(port), ssl=context, server_hostname=host
    )
    connection = RawConnection(reader, writer)
    listening = asyncio.create_task(connection.listen())
    try:
        await connection.open()
        yield connection
    finally:
        await connection.close()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
