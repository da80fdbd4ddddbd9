"""What may be done, and which role may do it. What is not listed is denied."""

from collections.abc import Mapping
from enum import StrEnum

from assay_server.domain.access import Role


class Permission(StrEnum):
    """One kind of act on the resources of a scope; the words that refusals and tests use."""

    NAMESPACES_READ = "namespaces.read"
    NAMESPACES_CREATE = "namespaces.create"
    """Only of use everywhere: a namespace is not made inside another."""
    NAMESPACES_WRITE = "namespaces.write"
    MODELS_READ = "models.read"
    MODELS_WRITE = "models.write"
    """Create models and change what people say of them."""
    MODELS_MANAGE = "models.manage"
    """Delete and restore models."""
    DRAFTS_WRITE = "drafts.write"
    """Make drafts; read, change, seal and abandon one's own."""
    DRAFTS_MANAGE = "drafts.manage"
    """The same for the drafts of others."""
    VERSIONS_READ = "versions.read"
    """Read, list and resolve."""
    VERSIONS_WRITE = "versions.write"
    """Change tags, description and card."""
    VERSIONS_PUBLISH = "versions.publish"
    VERSIONS_MANAGE = "versions.manage"
    """Deprecate, yank, delete and restore."""
    ARTIFACTS_READ = "artifacts.read"
    """Download bytes."""
    ARTIFACTS_WRITE = "artifacts.write"
    """Upload bytes into drafts."""
    ALIASES_READ = "aliases.read"
    ALIASES_WRITE = "aliases.write"
    """Move and remove aliases that no gate protects."""
    ALIASES_MOVE_PROTECTED = "aliases.move-protected"
    """The same for those that a gate protects; the gate must be open as well."""
    EVALUATIONS_READ = "evaluations.read"
    EVALUATIONS_WRITE = "evaluations.write"
    """Record evaluations; whether they are trusted depends on the role."""
    GATES_READ = "gates.read"
    """Read gates and ask what they would say."""
    GATES_WRITE = "gates.write"
    BINDINGS_READ = "bindings.read"
    BINDINGS_WRITE = "bindings.write"
    AUDIT_READ = "audit.read"
    WATCH_READ = "watch.read"


_READS = frozenset({
    Permission.NAMESPACES_READ,
    Permission.MODELS_READ,
    Permission.VERSIONS_READ,
    Permission.ALIASES_READ,
    Permission.EVALUATIONS_READ,
    Permission.GATES_READ,
})  # fmt: skip
"""All metadata of published and unpublished versions, but neither bytes nor who may what."""

_CONSUMER = _READS | {Permission.ARTIFACTS_READ}
_DEPLOYER = _CONSUMER | {Permission.WATCH_READ}
_EVALUATOR = _DEPLOYER | {Permission.EVALUATIONS_WRITE}

_DATA_SCIENTIST = _EVALUATOR | {
    Permission.MODELS_WRITE,
    Permission.DRAFTS_WRITE,
    Permission.ARTIFACTS_WRITE,
    Permission.VERSIONS_WRITE,
    Permission.VERSIONS_PUBLISH,
    Permission.ALIASES_WRITE,
}

_ENGINEER = _DATA_SCIENTIST | {
    Permission.MODELS_MANAGE,
    Permission.DRAFTS_MANAGE,
    Permission.VERSIONS_MANAGE,
    Permission.ALIASES_MOVE_PROTECTED,
    Permission.GATES_WRITE,
    Permission.BINDINGS_READ,
}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.DATA_SCIENTIST: _DATA_SCIENTIST,
    Role.ENGINEER: _ENGINEER,
    Role.AUDITOR: _READS | {Permission.BINDINGS_READ, Permission.AUDIT_READ, Permission.WATCH_READ},
    Role.EVALUATOR: _EVALUATOR,
    Role.DEPLOYER: _DEPLOYER,
    Role.CONSUMER: _CONSUMER,
}


def roles_with(permission: Permission) -> tuple[str, ...]:
    """The roles that would grant ``permission``, the least powerful first."""
    able = [role for role, granted in ROLE_PERMISSIONS.items() if permission in granted]
    return tuple(sorted(able, key=lambda role: (len(ROLE_PERMISSIONS[role]), role)))
