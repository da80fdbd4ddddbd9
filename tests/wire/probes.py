"""For every RPC a request that asks for its permission and, let in, changes nothing.

Each names the namespace ``vision`` or its model ``digits``; what would be changed is invalid,
absent or guarded by an etag that no row has.
"""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask

from assay.v1 import access_service_pb2 as access
from assay.v1 import artifact_service_pb2 as artifact
from assay.v1 import audit_service_pb2 as audit
from assay.v1 import (
    draft_pb2,
    evaluation_pb2,
    file_pb2,
    gate_pb2,
    model_pb2,
    namespace_pb2,
    role_binding_pb2,
    upload_pb2,
    version_pb2,
)
from assay.v1 import evaluation_service_pb2 as evaluation
from assay.v1 import registry_service_pb2 as registry
from assay.v1 import watch_service_pb2 as watch

VISION: Final = "namespaces/vision"
DIGITS: Final = f"{VISION}/models/digits"
ABSENT: Final = "0192a000-0000-7000-8000-000000000000"
DRAFT: Final = f"{DIGITS}/drafts/{ABSENT}"
UPLOAD: Final = f"{DRAFT}/uploads/{ABSENT}"
VERSION: Final = f"{DIGITS}/versions/999"
NEVER: Final = 2**62
"""A revision that no test reaches."""

_OLD: Final = "an etag of no state"
_DISPLAY: Final = FieldMask(paths=["display_name"])
_CARD: Final = FieldMask(paths=["card"])
_NO_MEMBER: Final = role_binding_pb2.RoleBinding(role=role_binding_pb2.ROLE_CONSUMER)
_UNKNOWN: Final = version_pb2.ModelVersion(
    files=[file_pb2.File(path="f", size_bytes=1, digest="sha256:" + "0" * 64)]
)

PROBES: Final[Mapping[str, Any]] = {
    "CreateNamespace": access.CreateNamespaceRequest(namespace_id="NOT AN ID"),
    "GetNamespace": access.GetNamespaceRequest(name=VISION),
    "ListNamespaces": access.ListNamespacesRequest(),
    "UpdateNamespace": access.UpdateNamespaceRequest(
        namespace=namespace_pb2.Namespace(name=VISION, etag=_OLD), update_mask=_DISPLAY
    ),
    "CreateRoleBinding": access.CreateRoleBindingRequest(parent=VISION, role_binding=_NO_MEMBER),
    "CreateRoleBinding everywhere": access.CreateRoleBindingRequest(role_binding=_NO_MEMBER),
    "CreateRoleBinding on a model": access.CreateRoleBindingRequest(
        parent=DIGITS, role_binding=_NO_MEMBER
    ),
    "ListRoleBindings": access.ListRoleBindingsRequest(parent=VISION),
    "ListRoleBindings everywhere": access.ListRoleBindingsRequest(),
    "ListRoleBindings on a model": access.ListRoleBindingsRequest(parent=DIGITS),
    "DeleteRoleBinding": access.DeleteRoleBindingRequest(name=f"{VISION}/roleBindings/{ABSENT}"),
    "DeleteRoleBinding everywhere": access.DeleteRoleBindingRequest(name=f"roleBindings/{ABSENT}"),
    "DeleteRoleBinding on a model": access.DeleteRoleBindingRequest(
        name=f"{DIGITS}/roleBindings/{ABSENT}"
    ),
    "WhoAmI": access.WhoAmIRequest(),
    "TestPermissions": access.TestPermissionsRequest(resource=VISION),
    "GetTransferLimits": artifact.GetTransferLimitsRequest(),
    "BeginUpload": artifact.BeginUploadRequest(
        upload=upload_pb2.Upload(name=UPLOAD, path="model.bin")
    ),
    "WriteUpload": artifact.WriteUploadRequest(upload=UPLOAD, epoch=1),
    "GetUpload": artifact.GetUploadRequest(name=UPLOAD),
    "CommitUpload": artifact.CommitUploadRequest(name=UPLOAD, digest="sha256:" + "0" * 64),
    "AbortUpload": artifact.AbortUploadRequest(name=UPLOAD),
    "ReadArtifact": artifact.ReadArtifactRequest(name=VERSION, path="model.bin"),
    "ListEntries": audit.ListEntriesRequest(parent=VISION, page_size=1),
    "ListEntries everywhere": audit.ListEntriesRequest(page_size=1),
    "ImportEvaluation": evaluation.ImportEvaluationRequest(
        parent=VERSION, evaluation=evaluation_pb2.Evaluation()
    ),
    "GetEvaluation": evaluation.GetEvaluationRequest(name=f"{VERSION}/evaluations/{ABSENT}"),
    "ListEvaluations": evaluation.ListEvaluationsRequest(parent=VERSION),
    "SetGate": evaluation.SetGateRequest(
        gate=gate_pb2.Gate(name=f"{VISION}/gates/publish", etag=_OLD)
    ),
    "SetGate on a model": evaluation.SetGateRequest(
        gate=gate_pb2.Gate(name=f"{DIGITS}/gates/publish", etag=_OLD)
    ),
    "GetGate": evaluation.GetGateRequest(name=f"{VISION}/gates/publish"),
    "ListGates": evaluation.ListGatesRequest(parent=VISION),
    "ListGates of a model": evaluation.ListGatesRequest(parent=DIGITS),
    "DeleteGate": evaluation.DeleteGateRequest(name=f"{VISION}/gates/publish"),
    "CheckGate": evaluation.CheckGateRequest(version=VERSION, gate_id="publish"),
    "CreateModel": registry.CreateModelRequest(parent=VISION, model_id="NOT AN ID"),
    "GetModel": registry.GetModelRequest(name=DIGITS),
    "ListModels": registry.ListModelsRequest(parent=VISION),
    "ListModels everywhere": registry.ListModelsRequest(parent="namespaces/-"),
    "UpdateModel": registry.UpdateModelRequest(
        model=model_pb2.Model(name=DIGITS, etag=_OLD), update_mask=_DISPLAY
    ),
    "DeleteModel": registry.DeleteModelRequest(name=DIGITS, etag=_OLD),
    "UndeleteModel": registry.UndeleteModelRequest(name=DIGITS),
    "CreateDraft": registry.CreateDraftRequest(
        parent=DIGITS, draft=draft_pb2.Draft(tags={"NOT A KEY": ""})
    ),
    "GetDraft": registry.GetDraftRequest(name=DRAFT),
    "ListDrafts": registry.ListDraftsRequest(parent=DIGITS),
    "UpdateDraft": registry.UpdateDraftRequest(
        draft=draft_pb2.Draft(name=DRAFT), update_mask=_CARD
    ),
    "AbandonDraft": registry.AbandonDraftRequest(name=DRAFT),
    "SealDraft": registry.SealDraftRequest(name=DRAFT),
    "SealDraft and publish": registry.SealDraftRequest(name=DRAFT, publish=True),
    "CreateVersion": registry.CreateVersionRequest(parent=DIGITS, version=_UNKNOWN),
    "CreateVersion and publish": registry.CreateVersionRequest(
        parent=DIGITS, version=_UNKNOWN, publish=True
    ),
    "GetVersion": registry.GetVersionRequest(name=VERSION),
    "BatchGetVersions": registry.BatchGetVersionsRequest(parent=VISION, names=[VERSION]),
    "BatchGetVersions on a model": registry.BatchGetVersionsRequest(parent=DIGITS, names=[VERSION]),
    "BatchGetVersions of two namespaces": registry.BatchGetVersionsRequest(
        parent="namespaces/sound", names=[VERSION]
    ),
    "ListVersions": registry.ListVersionsRequest(parent=DIGITS),
    "UpdateVersion": registry.UpdateVersionRequest(
        version=version_pb2.ModelVersion(name=VERSION), update_mask=_CARD
    ),
    "PublishVersion": registry.PublishVersionRequest(name=VERSION),
    "DeprecateVersion": registry.DeprecateVersionRequest(name=VERSION),
    "YankVersion": registry.YankVersionRequest(name=VERSION),
    "DeleteVersion": registry.DeleteVersionRequest(name=VERSION),
    "UndeleteVersion": registry.UndeleteVersionRequest(name=VERSION),
    "SetAlias": registry.SetAliasRequest(name=f"{DIGITS}/aliases/champion", version_number=999),
    "GetAlias": registry.GetAliasRequest(name=f"{DIGITS}/aliases/champion"),
    "ListAliases": registry.ListAliasesRequest(parent=DIGITS),
    "DeleteAlias": registry.DeleteAliasRequest(name=f"{DIGITS}/aliases/champion"),
    "ListAliasMoves": registry.ListAliasMovesRequest(parent=f"{DIGITS}/aliases/champion"),
    "ResolveVersion": registry.ResolveVersionRequest(reference="vision/digits@latest"),
    "Watch": watch.WatchRequest(name_prefix=VISION, start_revision=NEVER),
    "Watch of a model": watch.WatchRequest(name_prefix=DIGITS, start_revision=NEVER),
    "Watch everywhere": watch.WatchRequest(start_revision=NEVER),
}
"""The first word is the RPC; the rest tells its rows apart."""
