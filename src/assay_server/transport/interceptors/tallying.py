"""Refusals of who gets no further: some are put on record singly, of more their number.

Whoever holds a denied certificate can be refused as often as they can call, and nobody else needs
a line for each: they would fill the trail, and its disk.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
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


Counted = tuple[str, str]
"""Whose refusals, and for which reason."""


class Tallied:
    """The port ``AuditTally``: many calls may be summed up in the ``entry_count`` of one entry.

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
        self._counted: dict[Counted, AuditEntry] = {}
        self._told: dict[Counted, AuditEntry] = {}
        """Sums that may be on record: told again as they are until it is known that they are."""

    async def record_refusal(self, entries: Sequence[AuditEntry]) -> None:
        last = entries[-1]
        holder = last.certificate_sha256 or last.principal
        if self._may_have_its_own(holder) or not self._count(holder, last):
            for entry in entries:
                await self._sink.record(entry)

    async def tell(self) -> None:
        """Put on record how many were counted; what cannot be is kept for the next time."""
        has_waited = bool(self._told)
        await self._tell_all()
        if has_waited and not self._told:
            await self._tell_all()  # what was counted behind those that waited

    async def _tell_all(self) -> None:
        for of in [of for of in self._counted if of not in self._told]:
            self._told[of] = self._sum(self._counted.pop(of))
        await asyncio.gather(*(self._tell(of, entry) for of, entry in self._told.items()))

    async def _tell(self, of: Counted, entry: AuditEntry) -> None:
        try:
            await self._sink.record(entry)
        except AuditUnavailable:
            return  # a trail that took too long may have it all the same
        except Exception:
            log.exception("refusals could not be put on record")
            return
        if self._told.get(of) is entry:
            del self._told[of]

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
        self._counted[holder, entry.reason] = replace(entry, entry_count=before + 1)
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
