"""What a watch may show its caller, decided with the rights of the moment."""

from collections.abc import Iterable

from assay_server.access.permissions import Permission
from assay_server.access.requiring import require_permission
from assay_server.access.watching import may_see
from assay_server.domain.calls import Call
from assay_server.domain.events import Event
from assay_server.domain.names import enclosing_scope
from assay_server.services.grants import Grants


class Watched:
    """Asks for the rights of who watches."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    async def among(self, call: Call, name_prefix: str) -> frozenset[str] | None:
        """The namespaces whose events may matter; None: what the prefix says, or all.

        Raises:
            NotFound, PermissionDenied: The caller may not watch the prefix.
        """
        if not name_prefix:
            return await self._grants.readable(call.principal, Permission.WATCH_READ)
        granted = await self._grants.at(call.principal, enclosing_scope(name_prefix))
        require_permission(
            granted, Permission.WATCH_READ, resource=name_prefix, principal=call.principal
        )
        return None

    async def seen(self, call: Call, events: Iterable[Event]) -> tuple[Event, ...]:
        """Those of the events that the caller may see."""
        seen: list[Event] = []
        for event in events:
            granted = await self._grants.at(call.principal, enclosing_scope(event.name))
            if may_see(event, granted, call.principal):
                seen.append(event)
        return tuple(seen)
