"""The clock and the source of ids of a real server."""

import os
import threading
import time
from datetime import UTC, datetime

_COUNTER_BITS = 12
_RANDOM_BYTES = 8
_POOL_BYTES = 64 * _RANDOM_BYTES


class SystemClock:
    """The wall clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Uuid7:
    """Time-ordered UUIDs: RFC 9562 §5.7, with 12 bits of a millisecond's fraction in rand_a.

    Ids made by one process sort in the order in which they were made, since the 60 bits of
    time never repeat; those of several processes sort by their clocks.
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()
        self._random = b""

    def new(self) -> str:
        ms, rest_ns = divmod(time.time_ns(), 1_000_000)
        ticks = (ms << _COUNTER_BITS) | (rest_ns << _COUNTER_BITS) // 1_000_000
        with self._lock:
            self._last = ticks = max(ticks, self._last + 1)
            if not self._random:  # a system call costs more than all the rest here
                self._random = os.urandom(_POOL_BYTES)
            random, self._random = self._random[:_RANDOM_BYTES], self._random[_RANDOM_BYTES:]
        time_ms, fraction = ticks >> _COUNTER_BITS, ticks & ((1 << _COUNTER_BITS) - 1)
        rand_b = (0b10 << 62) | int.from_bytes(random) >> 2
        text = f"{time_ms:012x}7{fraction:03x}{rand_b:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
