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

    async def oldest(self) -> int:
        """Return the oldest revision whose events are kept."""
        ...
