"""The newest revision that this process knows of, and those who wait for a newer one."""

import asyncio


class Revisions:
    """Wakes who waits; knows nothing of databases."""

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self._waiting: dict[asyncio.Future[None], int] = {}

    @property
    def are_awaited(self) -> bool:
        """Whether anyone waits."""
        return bool(self._waiting)

    def advance(self, revision: int) -> None:
        """Take note of a committed revision; an older one than is known does no harm."""
        if revision <= self.newest:
            return
        self.newest = revision
        for waiter, beyond in self._waiting.items():
            if revision > beyond and not waiter.done():
                waiter.set_result(None)

    async def wait_past(self, revision: int, timeout_s: float) -> int:
        """Return the newest revision as soon as it is past ``revision``, or after the timeout."""
        if self.newest > revision or timeout_s <= 0:
            return self.newest
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = revision
        try:
            await asyncio.wait((waiter,), timeout=timeout_s)
        finally:
            del self._waiting[waiter]
        return self.newest
