"""AccessService: translate, call, translate."""

from assay.v1 import access_service_pb2 as api
from assay.v1 import access_service_pb2_grpc, namespace_pb2
from assay_server.domain.names import parse_namespace, parse_role_binding, parse_scope
from assay_server.domain.revisions import require_as_of
from assay_server.ports.clock import Clock
from assay_server.services.access import AccessService
from assay_server.services.namespaces import NamespaceChange, NamespaceService
from assay_server.transport.caller import (
    certificate_expire_time,
    certificate_sha256,
    current_call,
)
from assay_server.transport.messages import namespace, role_binding
from assay_server.transport.paging import Paging
from assay_server.transport.translating.masks import masked_fields
from assay_server.transport.translating.timestamps import to_timestamp

EDITABLE = ("display_name", "description")


class AccessServicer(access_service_pb2_grpc.AccessServiceServicer):
    """Answers the RPCs of AccessService."""

    def __init__(
        self,
        namespaces: NamespaceService,
        access: AccessService,
        paging: Paging,
        *,
        clock: Clock,
        server_version: str,
    ) -> None:
        self._namespaces = namespaces
        self._access = access
        self._paging = paging
        self._clock = clock
        self._server_version = server_version

    async def CreateNamespace(
        self, request: api.CreateNamespaceRequest, _context: object
    ) -> api.CreateNamespaceResponse:
        wanted = _change(request.namespace, frozenset(EDITABLE))
        made = await self._namespaces.create(current_call(), request.namespace_id, wanted)
        return api.CreateNamespaceResponse(
            namespace=namespace.to_message(made.answer), revision=made.revision
        )

    async def GetNamespace(
        self, request: api.GetNamespaceRequest, _context: object
    ) -> api.GetNamespaceResponse:
        found = await self._namespaces.get(parse_namespace(request.name))
        return api.GetNamespaceResponse(
            namespace=namespace.to_message(found.answer), revision=found.revision
        )

    async def ListNamespaces(
        self, request: api.ListNamespacesRequest, _context: object
    ) -> api.ListNamespacesResponse:
        call = current_call()
        found = await self._namespaces.list(call, self._paging.page_of(request, call))
        return api.ListNamespacesResponse(
            namespaces=map(namespace.to_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )

    async def UpdateNamespace(
        self, request: api.UpdateNamespaceRequest, _context: object
    ) -> api.UpdateNamespaceResponse:
        namespace_id = parse_namespace(request.namespace.name, field="namespace.name")
        change = _change(request.namespace, masked_fields(request.update_mask, EDITABLE))
        made = await self._namespaces.update(
            current_call(), namespace_id, change, etag=request.namespace.etag
        )
        return api.UpdateNamespaceResponse(
            namespace=namespace.to_message(made.answer), revision=made.revision
        )

    async def CreateRoleBinding(
        self, request: api.CreateRoleBindingRequest, _context: object
    ) -> api.CreateRoleBindingResponse:
        role = role_binding.role_of(request.role_binding)
        made = await self._access.bind(
            current_call(), request.parent, role, request.role_binding.member
        )
        return api.CreateRoleBindingResponse(
            role_binding=role_binding.to_message(made.answer), revision=made.revision
        )

    async def ListRoleBindings(
        self, request: api.ListRoleBindingsRequest, _context: object
    ) -> api.ListRoleBindingsResponse:
        call = current_call()
        parse_scope(request.parent, field="parent")
        page, as_of = self._paging.page_of(request, call), require_as_of(request.as_of)
        found = await self._access.list(request.parent, page, as_of=as_of)
        return api.ListRoleBindingsResponse(
            role_bindings=map(role_binding.to_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )

    async def DeleteRoleBinding(
        self, request: api.DeleteRoleBindingRequest, _context: object
    ) -> api.DeleteRoleBindingResponse:
        made = await self._access.unbind(current_call(), parse_role_binding(request.name))
        return api.DeleteRoleBindingResponse(
            role_binding=role_binding.to_message(made.answer), revision=made.revision
        )

    async def WhoAmI(self, _request: api.WhoAmIRequest, _context: object) -> api.WhoAmIResponse:
        call = current_call()
        bindings = await self._access.bindings_of(call.principal)
        return api.WhoAmIResponse(
            principal=call.principal,
            certificate_sha256=certificate_sha256(),
            certificate_expire_time=to_timestamp(certificate_expire_time()),
            role_bindings=map(role_binding.to_message, bindings),
            server_version=self._server_version,
            server_time=to_timestamp(self._clock.now()),
        )

    async def TestPermissions(
        self, request: api.TestPermissionsRequest, _context: object
    ) -> api.TestPermissionsResponse:
        scope = parse_scope(request.resource, field="resource")
        principal, asked = current_call().principal, tuple(request.permissions)
        return api.TestPermissionsResponse(
            permissions=await self._access.permissions(principal, scope, asked)
        )


def _change(message: namespace_pb2.Namespace, fields: frozenset[str]) -> NamespaceChange:
    """What a request says of the named fields."""
    return NamespaceChange(**{field: getattr(message, field) for field in fields})
