"""Refusals of who gets no further: some are put on record singly, of more their number.

Whoever holds a denied certificate can be refused as often as they can call, and nobody else needs
a line for each: they would fill the trail, and its disk.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from assay_server.domain.audit import AuditEntry, Phase
from assay_server.domain.errors import AuditUnavailable
from assay_server.domain.rates import Rate, take
from assay_server.ports.audit import AuditSink
from assay_server.ports.clock import Clock, Ids

SINGLY = Rate(1, 100)
"""Entries of their own that the refusals of one certificate get."""

TOLD_EVERY_S = 5.0
"""How long a number may wait; a server that is killed takes it along."""

HOLDERS_REMEMBERED = 10_000
"""Of more than so many buckets the full ones are forgotten, and more numbers than so are not
kept: those refusals are on record singly again."""

log = logging.getLogger("assay.identity")


class Tallied:
    """The port ``AuditSink`` for entries that may be summed up in ``entry_count``.

    Those that are counted are not durable when this returns: ``tell`` puts them on record.
    """

    def __init__(
        self,
        sink: AuditSink,
        clock: Clock,
        ids: Ids,
        *,
        singly: Rate = SINGLY,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._ids = ids
        self._singly = singly
        self._seconds = seconds
        self._full_at_s: dict[str, float] = {}
        self._counted: dict[tuple[str, str], AuditEntry] = {}

    async def record(self, entry: AuditEntry) -> None:
        holder = entry.certificate_sha256 or entry.principal
        if self._may_have_its_own(holder) or not self._count(holder, entry):
            await self._sink.record(entry)

    async def tell(self) -> None:
        """Put on record how many were counted; what cannot be is kept for the next time."""
        counted, self._counted = self._counted, {}
        sums = [self._sum(last) for last in counted.values()]
        done = await asyncio.gather(
            *(self._sink.record(entry) for entry in sums), return_exceptions=True
        )
        for entry, failure in zip(sums, done, strict=True):
            if failure is None:
                continue
            holder = entry.certificate_sha256 or entry.principal
            self._count(holder, entry)
            if not isinstance(failure, AuditUnavailable):
                log.error("refusals could not be put on record", exc_info=failure)

    async def follow(self) -> None:
        """Tell every so often, until cancelled."""
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            await self.tell()

    def _may_have_its_own(self, holder: str) -> bool:
        now_s = self._seconds()
        full_at_s = self._full_at_s.get(holder, now_s)
        taken = take(self._singly, full_at_s=full_at_s, now_s=now_s)
        if taken.wait_s > 0:
            return False
        self._full_at_s[holder] = taken.full_at_s
        if len(self._full_at_s) > HOLDERS_REMEMBERED:
            self._full_at_s = {who: at for who, at in self._full_at_s.items() if at > now_s}
        return True

    def _count(self, holder: str, entry: AuditEntry) -> bool:
        known = self._counted.get((holder, entry.reason))
        if known is None and len(self._counted) >= HOLDERS_REMEMBERED:
            return False
        before = known.entry_count if known else 0
        self._counted[holder, entry.reason] = replace(entry, entry_count=before + entry.entry_count)
        return True

    def _sum(self, last: AuditEntry) -> AuditEntry:
        """Of several calls, so that what only one of them had is left out."""
        return replace(
            last,
            entry_id=self._ids.new(),
            time=self._clock.now(),
            method="",
            call_id="",
            phase=Phase.CALL,
            duration_us=0,
        )
