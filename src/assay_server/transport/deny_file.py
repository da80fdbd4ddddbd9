"""The file of those who are denied: read again when it changes, the last good one kept."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from assay_server.access.denying import DenyList, UnreadableDenyList, parse_deny_list

LOOK_S = 1.0
"""How often the file is looked at; operators are promised five seconds."""

SETTLE_S = 3.0
"""How long a list must stay as it is before those who are no longer in it get in again: it may be
half of one that is just being written."""

log = logging.getLogger("assay.identity")


class UnusableDenyFile(Exception):
    """The file cannot be read or is no deny-list; the text says which file and why."""


class DenyFile:
    """Follows ``path`` and tells ``tell`` what is in it; without a path nobody is denied."""

    def __init__(
        self,
        path: Path | None,
        metrics: CollectorRegistry,
        tell: Callable[[DenyList], None],
        *,
        look_s: float = LOOK_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        """Read the file for the first time.

        Raises:
            UnusableDenyFile: It is wrong to begin with.
        """
        self._path = path
        self._tell = tell
        self._look_s = look_s
        self._settle_s = settle_s
        self._text: str | None = None
        self._written = self._in_force = DenyList()
        self._changed_s = 0.0
        self._entries = Gauge(
            "assay_deny_list_entries", "Entries of the deny-list in force.", registry=metrics
        )
        self._is_current = Gauge(
            "assay_deny_list_is_current",
            "1 when the deny-list in force is what the file says, 0 when the file is unusable.",
            registry=metrics,
        )
        self._is_current.set(1)
        self._read()

    async def follow(self) -> None:
        """Read the file again whenever it changes, until cancelled."""
        while self._path is not None:
            await asyncio.sleep(self._look_s)
            try:
                self._read()
            except UnusableDenyFile as problem:
                self._is_current.set(0)
                log.error("keeping the previous deny-list: %s", problem)
            else:
                self._is_current.set(1)

    def _read(self) -> None:
        if self._path is None:
            return
        text = _text_of(self._path)
        if text != self._text:
            try:
                self._written = parse_deny_list(text)
            except UnreadableDenyList as error:
                raise UnusableDenyFile(f"{self._path}: {error}") from None
            self._text, self._changed_s = text, time.monotonic()
        wanted = self._written
        if time.monotonic() - self._changed_s < self._settle_s:
            wanted = self._written | self._in_force
        if wanted != self._in_force:
            self._enforce(wanted)

    def _enforce(self, wanted: DenyList) -> None:
        self._in_force = wanted
        self._entries.set(len(wanted))
        log.info("the deny-list has %d entries", len(wanted))
        self._tell(wanted)


def _text_of(path: Path) -> str:
    """All of it, not its time: some file systems count in seconds, and lists are short."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UnusableDenyFile(f"{path} cannot be read: {problem}") from None
