"""What a caller hears who may not: nothing where they may not read, everything where they may."""

from assay_server.access.deciding import Granted
from assay_server.access.permissions import Permission, roles_with
from assay_server.domain.errors import NotFound, PermissionDenied


def require_permission(
    granted: Granted, permission: Permission, *, resource: str, principal: str
) -> None:
    """Check that ``granted``, held at the scope of ``resource``, has ``permission``.

    Raises:
        NotFound: The principal may read nothing there. The same is said of what does not
            exist, so that it tells nothing.
        PermissionDenied: The principal may read there, but not do this. That the registry
            as a whole exists is no secret, so of it this is always the answer.
    """
    if permission in granted.permissions:
        return
    if resource and Permission.NAMESPACES_READ not in granted.permissions:
        raise NotFound(resource)
    raise PermissionDenied(
        permission=permission,
        resource=resource,
        principal=principal,
        roles=roles_with(permission),
    )
