"""Wrappers of the ports whose n-th call fails, hangs, or is done without anyone hearing of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from prometheus_client import CollectorRegistry

from assay_server.app.rooms import Stores
from assay_server.app.stores import open_stores
from assay_server.config import Config
from assay_server.domain.errors import StoreUnavailable

NOUNS = frozenset(
    {
        "namespaces",
        "models",
        "drafts",
        "versions",
        "aliases",
        "evaluations",
        "gates",
        "bindings",
        "uploads",
        "events",
    }
)


class Fault(StrEnum):
    """What becomes of the chosen call."""

    ERROR = "error"
    """It is refused, and nothing was done."""
    SLOW = "slow"
    """It goes on when ``Failing.release`` is called."""
    LOST = "lost"
    """It is done, and nobody hears of it."""


class Failing:
    """Counts the calls that a request makes of its stores, and spoils one of them.

    Attributes:
        reached: The name of the call that was spoiled; empty when there were not so many.
        caller: The task that asked for it.
    """

    def __init__(self) -> None:
        self._left = 0
        self._fault = Fault.ERROR
        self.reached = ""
        self.caller: asyncio.Task[Any] | None = None
        self._arrived = asyncio.Event()
        self._go_on = asyncio.Event()

    def arm(self, number: int, fault: Fault) -> None:
        """Spoil the ``number``-th call from now on."""
        self._left, self._fault, self.reached, self.caller = number, fault, "", None
        self._arrived.clear()
        self._go_on.clear()

    def disarm(self) -> None:
        self._left = 0

    async def arrived(self) -> None:
        """Wait until the slow call has begun."""
        await self._arrived.wait()

    def release(self) -> None:
        """Let the slow call go on."""
        self._go_on.set()

    async def step(
        self, name: str, act: Callable[[], Awaitable[Any]], caller: "asyncio.Task[Any] | None"
    ) -> Any:
        """Do ``act``, unless it is the one; ``caller`` asks for it, if not this task."""
        self._left -= 1
        if self._left != 0:
            return await act()
        self.reached, self.caller = name, caller or asyncio.current_task()
        if self._fault is Fault.ERROR:
            raise StoreUnavailable(0.1)
        if self._fault is Fault.SLOW:
            self._arrived.set()
            await self._go_on.wait()
            return await act()
        await act()
        raise StoreUnavailable(0.1)

    @asynccontextmanager
    async def open_stores(
        self, config: Config, metrics: CollectorRegistry
    ) -> AsyncIterator[Stores]:
        """``app.stores.open_stores`` with every port wrapped that requests use."""
        async with open_stores(config, metrics) as stores:
            yield replace(
                stores,
                facts=_Facts(stores.facts, self),  # type: ignore[arg-type]
                sink=_Port("sink", stores.sink, self),  # type: ignore[arg-type]
                blobs=_Port("blobs", stores.blobs, self),  # type: ignore[arg-type]
                keep=_never,
            )


class _Port:
    """Every coroutine of ``inner`` is a step."""

    def __init__(
        self,
        name: str,
        inner: Any,
        failing: Failing,
        caller: "asyncio.Task[Any] | None" = None,
    ) -> None:
        self._name = name
        self._inner = inner
        self._failing = failing
        self._caller = caller

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def step(*arguments: Any, **named: Any) -> Any:
            return await self._failing.step(
                f"{self._name}.{name}", lambda: found(*arguments, **named), self._caller
            )

        return step


class _Nouns:
    """A reader or a transaction whose nouns count."""

    def __init__(
        self, inner: Any, failing: Failing, caller: "asyncio.Task[Any] | None" = None
    ) -> None:
        self._inner = inner
        self._failing = failing
        self._caller = caller

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return _Port(name, found, self._failing, self._caller) if name in NOUNS else found


class _Facts(_Port):
    """The port ``MetadataStore``; its commit is a step of its own, after those of the body."""

    def __init__(self, inner: Any, failing: Failing) -> None:
        super().__init__("facts", inner, failing)

    @asynccontextmanager
    async def read(self, as_of: int = 0) -> AsyncIterator[Any]:
        async with self._inner.read(as_of) as reader:
            yield _Nouns(reader, self._failing)

    async def change(self, call: Any, answer_type: Any, body: Any, **named: Any) -> Any:
        committing, caller = asyncio.Event(), asyncio.current_task()

        async def failing_body(tx: Any) -> Any:
            change = await body(_Nouns(tx, self._failing, caller))
            await self._failing.step("commit refused", _nothing, caller)
            committing.set()
            return change

        made = await self._inner.change(call, answer_type, failing_body, **named)
        if committing.is_set():
            await self._failing.step("commit unheard of", _nothing, caller)
        return made

    async def wait_past(self, revision: int, timeout_s: float) -> int:
        newest: int = await self._inner.wait_past(revision, timeout_s)
        return newest


async def _never(_: datetime) -> int:
    """Housekeeping does not begin: what it asks of the stores would be counted too."""
    await asyncio.Event().wait()
    return 0


async def _nothing() -> None:
    return None
