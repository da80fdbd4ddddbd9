"""A TCP proxy in front of the server, which breaks an upload where a test says."""

import asyncio


class BreakingProxy:
    """Passes everything on; at an armed number of bytes it cuts or holds what goes to the server.

    Attributes:
        target: Where it passes everything to, as host:port; may change.
        port: Where it listens, on loopback.
        has_broken: Set when the armed byte was reached.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.port = 0
        self.has_broken = asyncio.Event()
        self._left_bytes = -1
        self._holds = False
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "BreakingProxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def arm(self, after_bytes: int, *, holds: bool) -> None:
        """Break after so many more bytes: hold them back, or cut every connection."""
        self.has_broken.clear()
        self._left_bytes, self._holds = after_bytes, holds

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self.target.rpartition(":")
        try:
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        self._passing |= {
            asyncio.create_task(self._pass(reader, far_writer, is_up=True)),
            asyncio.create_task(self._pass(far_reader, writer, is_up=False)),
        }

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool
    ) -> None:
        try:
            while data := await reader.read(65536):
                if is_up and 0 <= self._left_bytes < len(data):
                    writer.write(data[: self._left_bytes])
                    await writer.drain()
                    self._break()
                    if self._holds:
                        await asyncio.Event().wait()  # until its task is cancelled
                    return
                if is_up and self._left_bytes >= 0:
                    self._left_bytes -= len(data)
                writer.write(data)
                await writer.drain()
            writer.close()
        except OSError:
            writer.transport.abort()

    def _break(self) -> None:
        self._left_bytes = -1
        self.has_broken.set()
        if not self._holds:
            self.cut()
