"""The operations port: metrics and health over plain HTTP/1.1. There is no data behind it.

Three fixed answers to GET need no framework, and code that parses nothing cannot be tricked:
only the request line is looked at, headers are skipped, bodies are never read.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

REQUEST_BYTES_MAX = 8 * 1024
"""Of request line and headers together."""

REQUEST_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 32
"""Scrapers and probes are few; more are hung up on."""

_TEXT = "text/plain; charset=utf-8"
_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    content_type: str = _TEXT

    def encoded(self, *, with_body: bool) -> bytes:
        head = (
            f"HTTP/1.1 {self.status} {_REASONS[self.status]}\r\n"
            f"Content-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        return head.encode() + (self.body if with_body else b"")


class OperationsPort:
    """Serves ``/metrics``, ``/healthz`` (the process lives) and ``/readyz`` (it takes calls)."""

    def __init__(self, metrics: CollectorRegistry, is_ready: Callable[[], bool]) -> None:
        self._metrics = metrics
        self._is_ready = is_ready
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    async def start(self, host: str, port: int) -> int:
        """Begin to listen and return the port."""
        self._server = await asyncio.start_server(
            self._serve, host, port, limit=REQUEST_BYTES_MAX, reuse_port=False
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and hang up."""
        if self._server is None:
            return
        self._server.close()
        serving = tuple(self._connections.values())
        for writer in self._connections:
            writer.close()
        if serving:
            await asyncio.wait(serving)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[writer] = task
        try:
            if len(self._connections) <= CONNECTIONS_MAX:
                async with asyncio.timeout(REQUEST_TIMEOUT_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    method, _, rest = head.partition(b" ")
                    answer = self._answer(method, rest.partition(b" ")[0])
                    writer.write(answer.encoded(with_body=method != b"HEAD"))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that does not speak HTTP gets no answer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            del self._connections[writer]

    def _answer(self, method: bytes, target: bytes) -> _Answer:
        if method not in {b"GET", b"HEAD"}:
            return _Answer(405, b"only GET\n")
        match target.partition(b"?")[0]:
            case b"/metrics":
                return _Answer(200, generate_latest(self._metrics), CONTENT_TYPE_LATEST)
            case b"/healthz":
                return _Answer(200, b"alive\n")
            case b"/readyz" if self._is_ready():
                return _Answer(200, b"ready\n")
            case b"/readyz":
                return _Answer(503, b"not ready\n")
        return _Answer(404, b"there are /metrics, /healthz and /readyz\n")
