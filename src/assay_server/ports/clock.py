"""Time and identity, injected so that tests decide both."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The wall clock. Nothing that must hold depends on it."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC, at most microsecond precision."""
        ...


class Ids(Protocol):
    """A source of ids that are never given twice."""

    def new(self) -> str:
        """Return a fresh UUID (version 7, so that later ids sort later)."""
        ...
