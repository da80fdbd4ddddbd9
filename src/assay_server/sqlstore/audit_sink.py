"""Entries of reads and denials: many are made durable at once, and none is answered before.

A write costs the processor about as much as what it writes, whether that is one entry or ten.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from assay_server.domain.audit import AuditEntry
from assay_server.domain.errors import AuditUnavailable

WRITE_MAX_S = 2.0
"""A trail that takes longer is treated as broken: calls are refused, not stalled for ever."""

BATCH_MAX = 1000
GATHER_S = 0.001
"""How long a batch waits at most until it is as large as the last one: nobody waits alone."""

_log = logging.getLogger(__name__)


class BatchingSink:
    """The port ``AuditSink``. What arrives during a write is the next batch; nothing waits longer.

    Args:
        write: Makes a batch durable, all or nothing.
        write_max_s: How long it may take.
    """

    def __init__(
        self,
        write: Callable[[Sequence[AuditEntry]], Awaitable[None]],
        *,
        write_max_s: float = WRITE_MAX_S,
    ) -> None:
        self._write = write
        self._write_max_s = write_max_s
        self._waiting: list[tuple[AuditEntry, asyncio.Future[bool]]] = []
        self._draining: asyncio.Task[None] | None = None
        self._last_size = 1
        self._gathered: asyncio.Future[None] | None = None

    async def record(self, entry: AuditEntry) -> None:
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        if self._gathered is not None and len(self._waiting) >= self._last_size:
            _settle(self._gathered)
        if not await written:
            raise AuditUnavailable

    async def close(self) -> None:
        """Write what waits."""
        if self._draining is not None:
            await self._draining

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                self._last_size = len(batch)
                is_written = await self._is_written([entry for entry, _ in batch])
                for _, written in batch:
                    if not written.done():
                        written.set_result(is_written)
        finally:
            self._draining = None

    async def _gather(self) -> None:
        """Let calls that are nearly through come along, as the last ones did."""
        if len(self._waiting) >= self._last_size:
            return
        loop = asyncio.get_running_loop()
        self._gathered = loop.create_future()
        timer = loop.call_later(GATHER_S, _settle, self._gathered)
        try:
            await self._gathered
        finally:
            timer.cancel()
            self._gathered = None

    async def _is_written(self, entries: Sequence[AuditEntry]) -> bool:
        try:
            await asyncio.wait_for(self._write(entries), self._write_max_s)
        except Exception:  # noqa: BLE001 - whatever it was, nobody knows that they are there
            _log.exception("The audit trail did not take %d entries", len(entries))
            return False
        return True


def _settle(gathered: "asyncio.Future[None]") -> None:
    if not gathered.done():
        gathered.set_result(None)
