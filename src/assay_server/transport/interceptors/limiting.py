"""Shares: how often one principal may call, and how many streams it may have open at once.

Decided before the request is decoded, so that a refusal costs the others as little as can be; and
inside the audit, so that a flood has a name.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from assay_server.domain.errors import TooManyCalls, TooManyUploads
from assay_server.domain.rates import Rate, take
from assay_server.transport.interceptors.rpc import Proceed, Rpc

RETRY_AFTER_S_MIN = 1.0
"""Nobody is told to come back sooner, or those who wait would come for each single token."""

STREAM_RETRY_AFTER_S = 5.0
"""When too many streams are open: about as long as a small file takes."""

PRINCIPALS_REMEMBERED = 10_000
"""Of more than so many buckets the full ones are forgotten; a full one says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one principal may take of one server."""

    calls: Rate
    streams_max: int
    under_way_max: int


class Limited:
    """Keeps every principal to its share. Each server counts for itself."""

    def __init__(self, share: Share, seconds: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._seconds = seconds
        self._full_at_s: dict[str, float] = {}
        self._streams: dict[str, int] = {}
        self._under_way: dict[str, int] = {}

    async def calls(self, rpc: Rpc, proceed: Proceed) -> bytes | None:
        """Let the call in, or raise what says when to come back."""
        self._take(rpc.principal)
        if rpc.method.is_stream:
            self._open(rpc.principal)
            open_now = self._streams
        else:
            self._begin(rpc.principal)
            open_now = self._under_way
        try:
            return await proceed(rpc)
        finally:
            _end(open_now, rpc.principal)

    def _take(self, principal: str) -> None:
        now_s, rate = self._seconds(), self._share.calls
        taken = take(rate, full_at_s=self._full_at_s.get(principal, now_s), now_s=now_s)
        if taken.wait_s > 0:
            wait_s = max(taken.wait_s, RETRY_AFTER_S_MIN)
            raise TooManyCalls(rate.per_s, rate.burst, retry_after_s=wait_s)
        self._full_at_s[principal] = taken.full_at_s
        if len(self._full_at_s) > PRINCIPALS_REMEMBERED:
            self._full_at_s = {who: at for who, at in self._full_at_s.items() if at > now_s}

    def _open(self, principal: str) -> None:
        count = self._streams.get(principal, 0)
        if count >= self._share.streams_max:
            raise TooManyUploads(
                self._share.streams_max, retry_after_s=STREAM_RETRY_AFTER_S, what="of your streams"
            )
        self._streams[principal] = count + 1

    def _begin(self, principal: str) -> None:
        """Count a call whose message is not here yet: half-sent ones hold memory."""
        count = self._under_way.get(principal, 0)
        if count >= self._share.under_way_max:
            rate = self._share.calls
            raise TooManyCalls(
                rate.per_s, rate.burst, retry_after_s=RETRY_AFTER_S_MIN, under_way=count
            )
        self._under_way[principal] = count + 1


def _end(counts: dict[str, int], principal: str) -> None:
    count = counts.pop(principal) - 1
    if count:
        counts[principal] = count
