"""For every RPC that changes something and takes a request id: a request that can be granted.

Each finds what it changes made for it alone, however often it is asked for one. Its name has the
word ``digits`` in it, so that another payload is had by another word of the same length.
"""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask

from assay.v1 import access_service_pb2 as access
from assay.v1 import artifact_service_pb2 as artifact
from assay.v1 import (
    draft_pb2,
    evaluation_pb2,
    file_pb2,
    gate_pb2,
    model_pb2,
    namespace_pb2,
    role_binding_pb2,
    version_pb2,
)
from assay.v1 import evaluation_service_pb2 as evaluation
from assay.v1 import registry_service_pb2 as registry
from tests.wire.publication import Team, accurate
from tests.wire.registry import Stubs
from tests.wire.transfers import DIGITS, digest

VISION: Final = "namespaces/vision"
_CARD: Final = FieldMask(paths=["card"])
_DISPLAY: Final = FieldMask(paths=["display_name"])


class Workshop:
    """Makes what requests change; ``admin`` and ``team`` act as the same principal."""

    def __init__(self, admin: Stubs, team: Team) -> None:
        self.admin = admin
        self.team = team
        self._numbers = itertools.count(1)

    def fresh(self, word: str) -> str:
        """A name, or bytes, that nobody was given yet."""
        return f"{word}-{next(self._numbers)}"

    async def model(self, model_id: str) -> str:
        made = await self.admin.registry.CreateModel(
            registry.CreateModelRequest(parent=VISION, model_id=model_id)
        )
        return str(made.model.name)

    async def deleted_model(self, model_id: str) -> str:
        name = await self.model(model_id)
        await self.admin.registry.DeleteModel(registry.DeleteModelRequest(name=name))
        return name

    async def namespace(self, namespace_id: str) -> str:
        await self.admin.create_namespace(namespace_id)
        return f"namespaces/{namespace_id}"

    async def deleted_version(self, content: str) -> str:
        name = await self.team.sealed(content)
        await self.admin.registry.DeleteVersion(registry.DeleteVersionRequest(name=name))
        return name

    async def number(self, content: str) -> int:
        return int((await self.team.ready(content)).rpartition("/")[2])

    async def alias(self, alias_id: str, content: str) -> str:
        name, number = f"{DIGITS}/aliases/{alias_id}", await self.number(content)
        await self.admin.registry.SetAlias(
            registry.SetAliasRequest(name=name, version_number=number)
        )
        return name

    async def gate(self, gate_id: str) -> str:
        name = f"{DIGITS}/gates/{gate_id}"
        gate = gate_pb2.Gate(name=name, rules=[accurate()])
        await self.admin.evaluation.SetGate(evaluation.SetGateRequest(gate=gate))
        return name


Case = Callable[[Workshop], Awaitable[Any]]


async def _create_namespace(shop: Workshop) -> Any:
    return access.CreateNamespaceRequest(namespace_id=shop.fresh("digits-new"))


async def _update_namespace(shop: Workshop) -> Any:
    found = namespace_pb2.Namespace(
        name=await shop.namespace(shop.fresh("digits-old")), display_name="D"
    )
    return access.UpdateNamespaceRequest(namespace=found, update_mask=_DISPLAY)


def _binding(member: str) -> role_binding_pb2.RoleBinding:
    return role_binding_pb2.RoleBinding(role=role_binding_pb2.ROLE_CONSUMER, member=member)


async def _create_role_binding(shop: Workshop) -> Any:
    binding = _binding(shop.fresh("spiffe://assay.test/new"))
    return access.CreateRoleBindingRequest(parent=DIGITS, role_binding=binding)


async def _delete_role_binding(shop: Workshop) -> Any:
    member = shop.fresh("spiffe://assay.test/old")
    name = await shop.admin.bind(role_binding_pb2.ROLE_CONSUMER, member, DIGITS)
    return access.DeleteRoleBindingRequest(name=name)


async def _commit_upload(shop: Workshop) -> Any:
    draft = await shop.team.draft("")
    content = shop.fresh("committed").encode()
    upload = await shop.team.files.begin(draft, content)
    await shop.team.files.write(upload, content)
    return artifact.CommitUploadRequest(
        name=upload.name, digest=digest(content), size_bytes=len(content)
    )


async def _import_evaluation(shop: Workshop) -> Any:
    measured = evaluation_pb2.Evaluation(sample_count=5)
    measured.dataset.uri, measured.dataset.digest = "dvc://digits/test", "sha256:" + "d" * 64
    measured.metrics.add(
        metric="accuracy", value=0.5, direction=evaluation_pb2.DIRECTION_HIGHER_IS_BETTER
    )
    version = await shop.team.sealed(shop.fresh("measured"))
    return evaluation.ImportEvaluationRequest(parent=version, evaluation=measured)


async def _set_gate(shop: Workshop) -> Any:
    gate = gate_pb2.Gate(name=f"{DIGITS}/gates/{shop.fresh('alias-new')}", rules=[accurate()])
    return evaluation.SetGateRequest(gate=gate)


async def _delete_gate(shop: Workshop) -> Any:
    return evaluation.DeleteGateRequest(name=await shop.gate(shop.fresh("alias-old")))


async def _create_model(shop: Workshop) -> Any:
    return registry.CreateModelRequest(parent=VISION, model_id=shop.fresh("digits-new"))


async def _update_model(shop: Workshop) -> Any:
    model = model_pb2.Model(name=await shop.model(shop.fresh("digits-edited")), display_name="D")
    return registry.UpdateModelRequest(model=model, update_mask=_DISPLAY)


async def _delete_model(shop: Workshop) -> Any:
    return registry.DeleteModelRequest(name=await shop.model(shop.fresh("digits-old")))


async def _undelete_model(shop: Workshop) -> Any:
    return registry.UndeleteModelRequest(name=await shop.deleted_model(shop.fresh("digits-gone")))


async def _create_draft(_: Workshop) -> Any:
    return registry.CreateDraftRequest(parent=DIGITS, draft=draft_pb2.Draft(card="# Digits"))


async def _update_draft(shop: Workshop) -> Any:
    draft = draft_pb2.Draft(name=await shop.team.draft("edited"), card="# Edited")
    return registry.UpdateDraftRequest(draft=draft, update_mask=_CARD)


async def _abandon_draft(shop: Workshop) -> Any:
    return registry.AbandonDraftRequest(name=await shop.team.draft("abandoned"))


async def _seal_draft(shop: Workshop) -> Any:
    return registry.SealDraftRequest(name=await shop.team.draft(shop.fresh("sealed")))


def of_content(content: bytes) -> registry.CreateVersionRequest:
    """A request for a version of one file that was sealed elsewhere under another path."""
    known = file_pb2.File(path="again.bin", size_bytes=len(content), digest=digest(content))
    version = version_pb2.ModelVersion(files=[known])
    return registry.CreateVersionRequest(parent=DIGITS, version=version)


async def _create_version(shop: Workshop) -> Any:
    content = shop.fresh("had")
    await shop.team.sealed(content)
    return of_content(content.encode())


async def _update_version(shop: Workshop) -> Any:
    version = version_pb2.ModelVersion(
        name=await shop.team.sealed(shop.fresh("edited")), card="# Edited"
    )
    return registry.UpdateVersionRequest(version=version, update_mask=_CARD)


async def _publish_version(shop: Workshop) -> Any:
    return registry.PublishVersionRequest(name=await shop.team.sealed(shop.fresh("published")))


async def _deprecate_version(shop: Workshop) -> Any:
    return registry.DeprecateVersionRequest(
        name=await shop.team.ready(shop.fresh("deprecated")), reason="old"
    )


async def _yank_version(shop: Workshop) -> Any:
    return registry.YankVersionRequest(
        name=await shop.team.ready(shop.fresh("yanked")), reason="broken"
    )


async def _delete_version(shop: Workshop) -> Any:
    return registry.DeleteVersionRequest(
        name=await shop.team.sealed(shop.fresh("deleted")), reason="gone"
    )


async def _undelete_version(shop: Workshop) -> Any:
    return registry.UndeleteVersionRequest(name=await shop.deleted_version(shop.fresh("restored")))


async def _set_alias(shop: Workshop) -> Any:
    number = await shop.number(shop.fresh("pointed to"))
    return registry.SetAliasRequest(
        name=f"{DIGITS}/aliases/{shop.fresh('best')}", version_number=number
    )


async def _delete_alias(shop: Workshop) -> Any:
    name = await shop.alias(shop.fresh("old"), shop.fresh("pointed to once"))
    found = await shop.admin.registry.GetAlias(registry.GetAliasRequest(name=name))
    number = found.alias.version_number
    return registry.DeleteAliasRequest(name=name, expected_version_number=number)


MUTATIONS: Final[Mapping[str, Case]] = {
    "CreateNamespace": _create_namespace,
    "UpdateNamespace": _update_namespace,
    "CreateRoleBinding": _create_role_binding,
    "DeleteRoleBinding": _delete_role_binding,
    "CommitUpload": _commit_upload,
    "ImportEvaluation": _import_evaluation,
    "SetGate": _set_gate,
    "DeleteGate": _delete_gate,
    "CreateModel": _create_model,
    "UpdateModel": _update_model,
    "DeleteModel": _delete_model,
    "UndeleteModel": _undelete_model,
    "CreateDraft": _create_draft,
    "UpdateDraft": _update_draft,
    "AbandonDraft": _abandon_draft,
    "SealDraft": _seal_draft,
    "CreateVersion": _create_version,
    "UpdateVersion": _update_version,
    "PublishVersion": _publish_version,
    "DeprecateVersion": _deprecate_version,
    "YankVersion": _yank_version,
    "DeleteVersion": _delete_version,
    "UndeleteVersion": _undelete_version,
    "SetAlias": _set_alias,
    "DeleteAlias": _delete_alias,
}
