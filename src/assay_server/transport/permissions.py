"""THE permission table: what each RPC asks for, and where in its request it says on what.

Deny by default: a server whose contract has a method without a row does not start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assay_server.access.permissions import Permission

P = Permission


class Reach(StrEnum):
    """On what a permission is needed."""

    ONE = "one"
    """On the namespace or model of each resource that the fields name."""
    SCOPE = "scope"
    """The same, but the name may be empty or begin with roleBindings: then everywhere."""
    REFERENCE = "reference"
    """On the model that a typed reference names."""
    LIST = "list"
    """As ONE; an empty name or ``namespaces/-`` asks for whatever the caller may read."""
    GLOBAL = "global"
    """Everywhere."""
    NONE = "none"
    """Nothing but a principal."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row.

    The first of ``fields`` (dotted paths) is what the audit trail calls resource. ``when``
    names fields that, if set, ask for one permission more. ``elsewhere`` is not asked for: where
    the caller has it throughout a namespace, the service may draw on what lies there.
    """

    permission: P | None
    reach: Reach
    fields: tuple[str, ...] = ()
    is_endless: bool = False
    when: tuple[tuple[str, P], ...] = ()
    elsewhere: P | None = None


class MissingRows(Exception):
    """Methods of the contract have no row, or rows no method."""


def _one(permission: P, *fields: str) -> Requirement:
    return Requirement(permission, Reach.ONE, fields)


REQUIREMENTS: Final[Mapping[str, Requirement]] = {
    f"assay.v1.{method}": requirement
    for method, requirement in {
        "AccessService/CreateNamespace": Requirement(
            P.NAMESPACES_CREATE, Reach.GLOBAL, ("namespace_id",)
        ),
        "AccessService/GetNamespace": _one(P.NAMESPACES_READ, "name"),
        "AccessService/ListNamespaces": Requirement(P.NAMESPACES_READ, Reach.LIST),
        "AccessService/UpdateNamespace": _one(P.NAMESPACES_WRITE, "namespace.name"),
        "AccessService/CreateRoleBinding": Requirement(P.BINDINGS_WRITE, Reach.SCOPE, ("parent",)),
        "AccessService/ListRoleBindings": Requirement(P.BINDINGS_READ, Reach.SCOPE, ("parent",)),
        "AccessService/DeleteRoleBinding": Requirement(P.BINDINGS_WRITE, Reach.SCOPE, ("name",)),
        "AccessService/WhoAmI": Requirement(None, Reach.NONE),
        "AccessService/TestPermissions": Requirement(None, Reach.NONE, ("resource",)),
        "ArtifactService/GetTransferLimits": Requirement(None, Reach.NONE),
        "ArtifactService/BeginUpload": Requirement(
            P.ARTIFACTS_WRITE, Reach.ONE, ("upload.name",), elsewhere=P.ARTIFACTS_READ
        ),
        "ArtifactService/WriteUpload": _one(P.ARTIFACTS_WRITE, "upload"),
        "ArtifactService/GetUpload": _one(P.ARTIFACTS_WRITE, "name"),
        "ArtifactService/CommitUpload": _one(P.ARTIFACTS_WRITE, "name"),
        "ArtifactService/AbortUpload": _one(P.ARTIFACTS_WRITE, "name"),
        "ArtifactService/ReadArtifact": _one(P.ARTIFACTS_READ, "name"),
        "AuditService/ListEntries": Requirement(P.AUDIT_READ, Reach.SCOPE, ("parent",)),
        "EvaluationService/ImportEvaluation": _one(P.EVALUATIONS_WRITE, "parent"),
        "EvaluationService/GetEvaluation": _one(P.EVALUATIONS_READ, "name"),
        "EvaluationService/ListEvaluations": _one(P.EVALUATIONS_READ, "parent"),
        "EvaluationService/SetGate": _one(P.GATES_WRITE, "gate.name"),
        "EvaluationService/GetGate": _one(P.GATES_READ, "name"),
        "EvaluationService/ListGates": _one(P.GATES_READ, "parent"),
        "EvaluationService/DeleteGate": _one(P.GATES_WRITE, "name"),
        "EvaluationService/CheckGate": _one(P.GATES_READ, "version"),
        "RegistryService/CreateModel": _one(P.MODELS_WRITE, "parent"),
        "RegistryService/GetModel": _one(P.MODELS_READ, "name"),
        "RegistryService/ListModels": Requirement(P.MODELS_READ, Reach.LIST, ("parent",)),
        "RegistryService/UpdateModel": _one(P.MODELS_WRITE, "model.name"),
        "RegistryService/DeleteModel": _one(P.MODELS_MANAGE, "name"),
        "RegistryService/UndeleteModel": _one(P.MODELS_MANAGE, "name"),
        "RegistryService/CreateDraft": _one(P.DRAFTS_WRITE, "parent"),
        "RegistryService/GetDraft": _one(P.DRAFTS_WRITE, "name"),
        "RegistryService/ListDrafts": _one(P.DRAFTS_WRITE, "parent"),
        "RegistryService/UpdateDraft": _one(P.DRAFTS_WRITE, "draft.name"),
        "RegistryService/AbandonDraft": _one(P.DRAFTS_WRITE, "name"),
        "RegistryService/SealDraft": Requirement(
            P.DRAFTS_WRITE, Reach.ONE, ("name",), when=(("publish", P.VERSIONS_PUBLISH),)
        ),
        "RegistryService/CreateVersion": Requirement(
            P.DRAFTS_WRITE,
            Reach.ONE,
            ("parent",),
            when=(("publish", P.VERSIONS_PUBLISH),),
            elsewhere=P.ARTIFACTS_READ,
        ),
        "RegistryService/GetVersion": _one(P.VERSIONS_READ, "name"),
        "RegistryService/BatchGetVersions": _one(P.VERSIONS_READ, "parent", "names"),
        "RegistryService/ListVersions": _one(P.VERSIONS_READ, "parent"),
        "RegistryService/UpdateVersion": _one(P.VERSIONS_WRITE, "version.name"),
        "RegistryService/PublishVersion": _one(P.VERSIONS_PUBLISH, "name"),
        "RegistryService/DeprecateVersion": _one(P.VERSIONS_MANAGE, "name"),
        "RegistryService/YankVersion": _one(P.VERSIONS_MANAGE, "name"),
        "RegistryService/DeleteVersion": _one(P.VERSIONS_MANAGE, "name"),
        "RegistryService/UndeleteVersion": _one(P.VERSIONS_MANAGE, "name"),
        "RegistryService/SetAlias": _one(P.ALIASES_WRITE, "name"),
        "RegistryService/GetAlias": _one(P.ALIASES_READ, "name"),
        "RegistryService/ListAliases": _one(P.ALIASES_READ, "parent"),
        "RegistryService/DeleteAlias": _one(P.ALIASES_WRITE, "name"),
        "RegistryService/ListAliasMoves": _one(P.ALIASES_READ, "parent"),
        "RegistryService/ResolveVersion": Requirement(
            P.VERSIONS_READ, Reach.REFERENCE, ("reference",)
        ),
        "WatchService/Watch": Requirement(
            P.WATCH_READ, Reach.LIST, ("name_prefix",), is_endless=True
        ),
    }.items()
}


def require_rows(methods: Iterable[str], requirements: Mapping[str, Requirement]) -> None:
    """Check that the table says something of every method, and of nothing else.

    Raises:
        MissingRows: It does not.
    """
    known = set(methods)
    lacking, extra = sorted(known - set(requirements)), sorted(set(requirements) - known)
    if lacking or extra:
        raise MissingRows(f"the permission table lacks {lacking} and has too much: {extra}")
