"""Permissions that only some forms of a request need, beyond that by which it was let in."""

from collections.abc import Callable

from assay_server.domain.calls import Call
from assay_server.domain.errors import PermissionDenied

MANAGE_DRAFTS = "drafts.manage"
"""To see and handle the drafts of others."""

PUBLISH = "versions.publish"
"""To publish, also in the same step as sealing."""

MOVE_PROTECTED = "aliases.move-protected"
"""To move or remove an alias that a gate guards."""


class Permissions:
    """Asks for a permission and, where it is missing, names the roles that have it."""

    def __init__(self, roles_with: Callable[[str], tuple[str, ...]]) -> None:
        self._roles_with = roles_with

    def require(self, call: Call, permission: str, *, resource: str) -> None:
        """Refuse ``call`` unless it has ``permission``.

        Raises:
            PermissionDenied: It has not.
        """
        if permission not in call.permissions:
            raise PermissionDenied(
                permission=permission,
                resource=resource,
                principal=call.principal,
                roles=self._roles_with(permission),
            )
