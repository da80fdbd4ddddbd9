"""Who may see an event: decided again for each one, at the moment it is delivered."""

from assay_server.access.deciding import Granted
from assay_server.access.permissions import Permission
from assay_server.domain.access import RoleBinding
from assay_server.domain.events import Event
from assay_server.domain.versions import Draft


def may_see(event: Event, granted: Granted, principal: str) -> bool:
    """Whether ``principal``, who holds ``granted`` at the scope of ``event``, may see it.

    A watch shows nothing that the reads would hide: drafts are for their authors and for
    managers, bindings for who may list them.
    """
    if Permission.WATCH_READ not in granted.permissions:
        return False
    match event.subject:
        case Draft(created_by=author):
            is_own = author == principal and Permission.DRAFTS_WRITE in granted.permissions
            return is_own or Permission.DRAFTS_MANAGE in granted.permissions
        case RoleBinding():
            return Permission.BINDINGS_READ in granted.permissions
    return True
