"""Entries of reads and denials: many are made durable at once, and none is answered before."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from assay_server.domain.audit import AuditEntry
from assay_server.domain.errors import AuditUnavailable

WRITE_MAX_S = 2.0
"""A trail that takes longer is treated as broken: calls are refused, not stalled for ever."""

BATCH_MAX = 1000
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

    async def record(self, entry: AuditEntry) -> None:
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        if not await written:
            raise AuditUnavailable

    async def close(self) -> None:
        """Write what waits."""
        if self._draining is not None:
            await self._draining

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                is_written = await self._is_written([entry for entry, _ in batch])
                for _, written in batch:
                    if not written.done():
                        written.set_result(is_written)
        finally:
            self._draining = None

    async def _is_written(self, entries: Sequence[AuditEntry]) -> bool:
        try:
            await asyncio.wait_for(self._write(entries), self._write_max_s)
        except Exception:  # noqa: BLE001 - whatever it was, the entries are not there
            _log.exception("The audit trail did not take %d entries", len(entries))
            return False
        return True
