"""Who holds what, remembered between calls: every call asks, and bindings seldom change."""

import asyncio
import time
from collections.abc import Callable

from assay_server.access.deciding import Granted, bindings_of, granted_at, readable_namespaces
from assay_server.access.permissions import Permission
from assay_server.domain.access import RoleBinding
from assay_server.domain.names import Scope
from assay_server.ports.metadata import MetadataStore

REMEMBERED_MAX = 10_000
"""Answers kept for principals at scopes; more than that many and all are worked out anew."""


class Grants:
    """Answers from all bindings, read again when their epoch has changed.

    This server's own changes are seen at once (``forget``), those of others after ``fresh_s``.
    """

    def __init__(
        self,
        store: MetadataStore,
        *,
        fresh_s: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._fresh_s = fresh_s
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._bindings: tuple[RoleBinding, ...] = ()
        self._epoch: int | None = None
        self._checked_s = -fresh_s
        self._is_stale = True
        self._granted: dict[tuple[str, Scope], Granted] = {}
        self._readable: dict[tuple[str, Permission], frozenset[str] | None] = {}

    async def at(self, principal: str, scope: Scope) -> Granted:
        """What ``principal`` holds at ``scope``."""
        await self._refresh()
        key = (principal, scope)
        if key not in self._granted:
            self._make_room()
            self._granted[key] = granted_at(self._bindings, principal, scope)
        return self._granted[key]

    async def readable(self, principal: str, permission: Permission) -> frozenset[str] | None:
        """The namespaces throughout which ``principal`` holds ``permission``; None: all."""
        await self._refresh()
        key = (principal, permission)
        if key not in self._readable:
            self._make_room()
            self._readable[key] = readable_namespaces(self._bindings, principal, permission)
        return self._readable[key]

    async def bindings_of(self, principal: str) -> tuple[RoleBinding, ...]:
        """The bindings that give ``principal`` a role somewhere."""
        await self._refresh()
        return tuple(bindings_of(self._bindings, principal))

    def forget(self) -> None:
        """Read the bindings again before the next answer."""
        self._is_stale = True

    async def _refresh(self) -> None:
        if self._is_fresh():
            return
        async with self._lock:
            if self._is_fresh():
                return
            self._is_stale = False
            try:
                await self._read()
            except BaseException:
                self._is_stale = True
                raise

    def _is_fresh(self) -> bool:
        return not self._is_stale and self._seconds() - self._checked_s < self._fresh_s

    async def _read(self) -> None:
        asked_s = self._seconds()
        async with self._store.read() as reader:
            # The epoch first: bindings that are newer than it are only read once more.
            epoch = await reader.bindings.epoch()
            if epoch != self._epoch:
                self._bindings = await reader.bindings.all()
                self._granted.clear()
                self._readable.clear()
                self._epoch = epoch
        self._checked_s = asked_s

    def _make_room(self) -> None:
        if len(self._granted) + len(self._readable) >= REMEMBERED_MAX:
            self._granted.clear()
            self._readable.clear()
