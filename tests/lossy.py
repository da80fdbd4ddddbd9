"""A TCP proxy that loses what a network can lose: connections, and answers to what was done."""

import asyncio
from urllib.parse import urlsplit


class LossyProxy:
    """Passes everything on, until it is told to lose something.

    Attributes:
        target: Where it passes everything to, as host:port.
        loses_answer_to: The next bytes to the target that have this in them are passed on, and
            their connection breaks before the answer comes back. Empty again when it did.
        drops: The same, but the bytes are not passed on.
        loses_answers: Nothing that the target says comes back.
        is_down: Nobody gets a connection.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self.loses_answer_to = b""
        self.drops = b""
        self.loses_answers = False
        self.is_down = False
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def __aenter__(self) -> "LossyProxy":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._open:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._open |= {writer, far_writer}
        self._passing |= {
            asyncio.create_task(self._pass_on(reader, far_writer, back=writer)),
            asyncio.create_task(self._pass_back(far_reader, writer)),
        }

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65536):
            if self.drops and self.drops in data:
                self.drops = b""
                back.transport.abort()
                break
            if self.loses_answer_to and self.loses_answer_to in data:
                self.loses_answer_to = b""
                back.transport.abort()  # before the answer comes
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.loses_answers:
                writer.write(data)
                await writer.drain()
        writer.close()


COMMIT = b"COMMIT AND CHAIN"
"""How the server ends its transactions in PostgreSQL."""


def address_in(url: str) -> str:
    """The host:port of the database at ``url``."""
    return urlsplit(url).netloc.rpartition("@")[2]


def through(url: str, proxy: LossyProxy) -> str:
    """``url`` with the proxy where the database was."""
    return url.replace(address_in(url), f"127.0.0.1:{proxy.port}")
