"""Committed events, for those who watch."""

from collections.abc import Set
from typing import Protocol

from assay_server.domain.events import Event


class EventReads(Protocol):
    """Reading events."""

    async def since(
        self, revision: int, *, name_prefix: str, among: Set[str] | None, limit: int
    ) -> tuple[tuple[Event, ...], int]:
        """Read events from ``revision`` on, inclusive, in order.

        Args:
            name_prefix: Only names that are this or lie below it; empty for all.
            among: Only events of these namespaces; None for all, also of none.
            limit: About how many; the events of one revision are never parted.

        Returns:
            The events, and the revision through which they are complete.
        """
        ...

    async def current(
        self, revision: int, *, first: str, past: str, limit: int
    ) -> tuple[tuple[Event, ...], str]:
        """Read what was current at ``revision``: of each name the newest event up to then.

        ``revision`` is the one before the oldest kept, or a later one.

        Args:
            first: Only names from this one on, in the order of their bytes.
            past: Only names before this one.
            limit: Names looked at; those of what was over by then count too.

        Returns:
            The events by name, and where to go on; empty when no name is left.
        """
        ...

    async def oldest(self) -> int:
        """Return the oldest revision from which on all events are kept."""
        ...
