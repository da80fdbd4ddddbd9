"""A TCP proxy that loses what a network can lose: connections, and answers to what was done."""

import asyncio
from urllib.parse import urlsplit


class LossyProxy:
    """Passes everything on, until it is told to lose something.

    Attributes:
        target: Where it passes everything to, as host:port.
        loses_commit: The next COMMIT that comes by is passed on, and its connection breaks where
            PostgreSQL's answer comes by: done, and nobody knows. False again when it came by.
        held_commit: Before the next COMMIT that comes by is passed on, this is waited for, while
            its connection breaks at once: PostgreSQL does not know it, and will do it later. None
            again when it came by.
        drops: The same as ``loses_commit`` of these bytes, but they are not passed on.
        loses_answers: Nothing that the target says comes back.
        is_down: Nobody gets a connection.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self.loses_commit = False
        self.held_commit: asyncio.Event | None = None
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
        is_losing = asyncio.Event()
        self._passing |= {
            asyncio.create_task(self._pass_on(reader, far_writer, writer, is_losing)),
            asyncio.create_task(self._pass_back(far_reader, writer, is_losing)),
        }

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        is_losing: asyncio.Event,
    ) -> None:
        while data := await reader.read(65536):
            if self.drops and self.drops in data:
                self.drops = b""
                back.transport.abort()
                break
            if self.held_commit is not None and COMMIT in data:
                held, self.held_commit = self.held_commit, None
                back.transport.abort()
                await held.wait()
            if self.loses_commit and COMMIT in data:
                self.loses_commit = False
                is_losing.set()
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _pass_back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_losing: asyncio.Event
    ) -> None:
        lost = b""
        while data := await reader.read(65536):
            if is_losing.is_set():
                lost += data
                if _COMMITTED in lost:  # not before: a test may ask at once what became of it
                    writer.transport.abort()
                    break
            elif not self.loses_answers:
                writer.write(data)
                await writer.drain()
        writer.close()


COMMIT = b"COMMIT AND CHAIN"
"""How the server ends its transactions in PostgreSQL."""

_COMMITTED = b"COMMIT\0"
"""The tag with which PostgreSQL says that it did: of a CommandComplete message of its protocol."""


def address_in(url: str) -> str:
    """The host:port of the database at ``url``."""
    return urlsplit(url).netloc.rpartition("@")[2]


def through(url: str, proxy: LossyProxy) -> str:
    """``url`` with the proxy where the database was."""
    return url.replace(address_in(url), f"127.0.0.1:{proxy.port}")
