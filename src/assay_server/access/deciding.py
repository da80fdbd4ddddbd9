"""What a principal may do where, from role bindings alone.

Rules:
- What no binding grants is denied.
- A binding everywhere holds in every namespace, one of a namespace in all its models; none
  holds above its scope or beside it.
- A member that ends in ``*`` stands for every principal that begins so.
- Nobody grants or takes away a role whose permissions exceed their own at that scope.
- The last binding of admin everywhere cannot be removed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay_server.access.permissions import ROLE_PERMISSIONS, Permission, roles_with
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.errors import InvalidField, LastAdmin, PermissionDenied
from assay_server.domain.names import Scope, parse_scope, role_binding_name

MEMBER_BYTES_MAX = 2048
"""That of a SPIFFE id."""

_MEMBER = re.compile(r"[!-)+-~]*\*?")
"""Visible ASCII, with a star at the end at most."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a principal holds at one scope; both empty: nothing."""

    permissions: frozenset[Permission]
    roles: frozenset[Role]


def granted_at(bindings: Iterable[RoleBinding], principal: str, scope: Scope) -> Granted:
    """The roles of ``principal`` at ``scope``, and all that they permit."""
    roles = frozenset(
        binding.role
        for binding in bindings_of(bindings, principal)
        if covers(parse_scope(binding.scope), scope)
    )
    return Granted(_permissions(roles), roles)


def bindings_of(bindings: Iterable[RoleBinding], principal: str) -> Iterator[RoleBinding]:
    """The bindings that give ``principal`` a role somewhere."""
    return (binding for binding in bindings if is_member(principal, binding.member))


def is_member(principal: str, member: str) -> bool:
    """Whether ``member`` names ``principal`` or is a pattern for it; nobody is nameless."""
    if not principal:
        return False
    if member.endswith("*"):
        return principal.startswith(member[:-1])
    return principal == member


def covers(outer: Scope, inner: Scope) -> bool:
    """Whether what is bound at ``outer`` holds at ``inner``."""
    return outer == Scope() or outer in (inner, Scope(inner.namespace_id))


def readable_namespaces(
    bindings: Iterable[RoleBinding], principal: str, permission: Permission
) -> frozenset[str] | None:
    """The namespaces throughout which ``principal`` holds ``permission``; None stands for all.

    A role on a single model does not open the lists of its namespace.
    """
    namespaces: set[str] = set()
    for binding in bindings_of(bindings, principal):
        scope = parse_scope(binding.scope)
        if permission not in ROLE_PERMISSIONS[binding.role] or scope.model_id:
            continue
        if not scope.namespace_id:
            return None
        namespaces.add(scope.namespace_id)
    return frozenset(namespaces)


def may_grant(granted: Granted, role: Role) -> bool:
    """Whether who holds ``granted`` at a scope may give or take ``role`` there."""
    return (
        Permission.BINDINGS_WRITE in granted.permissions
        and ROLE_PERMISSIONS[role] <= granted.permissions
    )


def require_may_grant(granted: Granted, role: Role, *, scope: str, principal: str) -> None:
    """Check that the holder of ``granted`` may give or take ``role`` at ``scope``.

    Raises:
        PermissionDenied: A permission is lacking; names the first.
    """
    wanted = {Permission.BINDINGS_WRITE, *ROLE_PERMISSIONS[role]}
    lacking = sorted(wanted - granted.permissions, key=lambda p: (p != "bindings.write", p))
    if lacking:
        raise PermissionDenied(
            permission=lacking[0],
            resource=scope,
            principal=principal,
            roles=roles_with(lacking[0]),
        )


def require_admin_left(bindings: Iterable[RoleBinding], removed: RoleBinding) -> None:
    """Check that someone still administers everything once ``removed`` is gone.

    Raises:
        LastAdmin: Nobody would.
    """
    admins = [binding for binding in bindings if is_admin_everywhere(binding)]
    if is_admin_everywhere(removed) and not [b for b in admins if b != removed]:
        raise LastAdmin(role_binding_name(removed.scope, removed.binding_id))


def held_already(bindings: Iterable[RoleBinding], wanted: RoleBinding) -> RoleBinding | None:
    """The binding that gives the same role in the same scope to the same member, if any."""
    same = (wanted.scope, wanted.role, wanted.member)
    return next((b for b in bindings if (b.scope, b.role, b.member) == same), None)


def require_member(member: str) -> str:
    """``member``, if it can name a principal or a pattern.

    Raises:
        InvalidField: It is empty or too long, or has a star elsewhere than at the end.
    """
    if not member or len(member) > MEMBER_BYTES_MAX or not _MEMBER.fullmatch(member):
        raise InvalidField(
            "role_binding.member",
            "must be a principal, such as spiffe://lab/ann, or a pattern that ends in *: visible "
            f"ASCII, at most {MEMBER_BYTES_MAX} characters",
        )
    return member


def _permissions(roles: Iterable[Role]) -> frozenset[Permission]:
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in roles))


def is_admin_everywhere(binding: RoleBinding) -> bool:
    """Whether who has ``binding`` administers all there is."""
    return binding.role is Role.ADMIN and not binding.scope
