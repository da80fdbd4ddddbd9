"""News from other servers: NOTIFY wakes those who wait, and a look now and then is the net."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from assay_server.domain.errors import RegistryError
from assay_server.sqlstore.compiled import Catalogue
from assay_server.sqlstore.dialects import POSTGRES_ERRORS
from assay_server.sqlstore.postgres_finishing import CHANNEL
from assay_server.sqlstore.revisions import Revisions
from assay_server.sqlstore.tail import NEWEST

LOOK_S = 1.0
"""How late a watcher is at most when notifications are lost."""

_FAILURES: tuple[type[Exception], ...] = (RegistryError, *POSTGRES_ERRORS)
_log = logging.getLogger(__name__)


class Listener:
    """Keeps ``revisions`` up to date with what all servers commit."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        catalogue: Catalogue,
        revisions: Revisions,
        *,
        look_s: float = LOOK_S,
    ) -> None:
        self._connect = connect
        self._newest = catalogue.compiled(NEWEST)
        self._revisions = revisions
        self._look_s = look_s
        self._connection: Any = None
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, and learn the newest revision."""
        await self._listen()
        await self._look()
        self._looking = asyncio.create_task(self._go_on())

    async def close(self) -> None:
        """Stop listening."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        if self._connection is not None:
            self._connection.terminate()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            try:
                if self._connection.is_closed():
                    await self._listen()
                if self._revisions.are_awaited:
                    await self._look()
            except _FAILURES:
                _log.info("PostgreSQL cannot be listened to", exc_info=True)

    async def _listen(self) -> None:
        self._connection = await self._connect()
        await self._connection.add_listener(CHANNEL, self._hear)

    async def _look(self) -> None:
        arguments = self._newest.arguments({})
        self._revisions.advance(await self._connection.fetchval(self._newest.sql, *arguments))

    def _hear(self, _connection: Any, _pid: int, _channel: str, revision: str) -> None:
        self._revisions.advance(int(revision))
