"""Namespaces, and who may do what in them."""

from collections.abc import AsyncGenerator, Iterable

from google.protobuf.field_mask_pb2 import FieldMask

from assay import names
from assay.errors import InvalidInput
from assay.v1 import access_service_pb2 as rpc
from assay.v1.namespace_pb2 import Namespace
from assay.v1.role_binding_pb2 import Role, RoleBinding
from assay.verbs.session import Session


class AccessVerbs(Session):
    """Keep namespaces and roles. A scope is a namespace, a model, or empty for everywhere."""

    async def whoami(self) -> rpc.WhoAmIResponse:
        """Tell which principal the server takes you for, and what roles you have where."""
        return await self._calls.read(self.stubs.access.WhoAmI, rpc.WhoAmIRequest())

    async def test_permissions(
        self, scope: str = "", permissions: Iterable[str] = ()
    ) -> frozenset[str]:
        """Those of ``permissions`` that you have in a scope; all you have when none are named."""
        request = rpc.TestPermissionsRequest(
            resource=names.scope_name(scope), permissions=permissions
        )
        answer = await self._calls.read(self.stubs.access.TestPermissions, request)
        return frozenset(answer.permissions)

    async def create_namespace(
        self, namespace: str, *, display_name: str = "", description: str = ""
    ) -> Namespace:
        """Make a team's space.

        Raises:
            AlreadyExists: The id was ever used.
        """
        request = rpc.CreateNamespaceRequest(
            namespace_id=namespace.removeprefix("namespaces/"),
            namespace=Namespace(display_name=display_name, description=description),
        )
        return (await self._calls.write(self.stubs.access.CreateNamespace, request)).namespace

    async def get_namespace(self, namespace: str = "") -> Namespace:
        """Read one namespace; the client's own when empty."""
        request = rpc.GetNamespaceRequest(name=names.namespace_name(namespace, self._namespace))
        return (await self._calls.read(self.stubs.access.GetNamespace, request)).namespace

    async def list_namespaces(self) -> AsyncGenerator[Namespace, None]:
        """List the namespaces that you may read, by name."""
        listing = self.stubs.access.ListNamespaces
        request = rpc.ListNamespacesRequest()
        async for namespace in self._calls.pages(listing, request, lambda page: page.namespaces):
            yield namespace

    async def update_namespace(
        self,
        namespace: str,
        *,
        display_name: str | None = None,
        description: str | None = None,
        etag: str = "",
    ) -> Namespace:
        """Change what is given, and only that."""
        given = {"display_name": display_name, "description": description}
        request = rpc.UpdateNamespaceRequest(
            namespace=Namespace(
                name=names.namespace_name(namespace),
                display_name=display_name or "",
                description=description or "",
                etag=etag,
            ),
            update_mask=FieldMask(paths=[key for key, value in given.items() if value is not None]),
        )
        return (await self._calls.write(self.stubs.access.UpdateNamespace, request)).namespace

    async def create_role_binding(
        self, scope: str, *, role: "str | Role.ValueType", member: str
    ) -> RoleBinding:
        """Give a role to a principal, or to all that begin alike with a pattern ending in ``*``.

        Args:
            role: ``admin``, ``data-scientist``, ``engineer``, ``auditor``, ``evaluator``,
                ``deployer`` or ``consumer``.

        Raises:
            PermissionDenied: You do not hold all that the role gives in that scope.
        """
        binding = RoleBinding(role=role_of(role), member=member)
        request = rpc.CreateRoleBindingRequest(parent=names.scope_name(scope), role_binding=binding)
        return (await self._calls.write(self.stubs.access.CreateRoleBinding, request)).role_binding

    async def list_role_bindings(
        self, scope: str = "", *, as_of: int = 0
    ) -> AsyncGenerator[RoleBinding, None]:
        """List the bindings of exactly one scope, now or at the revision ``as_of``."""
        request = rpc.ListRoleBindingsRequest(parent=names.scope_name(scope), as_of=as_of)
        listing = self.stubs.access.ListRoleBindings
        async for binding in self._calls.pages(listing, request, lambda page: page.role_bindings):
            yield binding

    async def delete_role_binding(self, binding: str | names.Named) -> RoleBinding:
        """Take a role back.

        Raises:
            LastAdmin: Nobody would be left who administers everything.
        """
        request = rpc.DeleteRoleBindingRequest(name=names.text_of(binding))
        return (await self._calls.write(self.stubs.access.DeleteRoleBinding, request)).role_binding


def role_of(text: "str | Role.ValueType") -> "Role.ValueType":
    """The enum value for ``data-scientist`` and the like."""
    if not isinstance(text, str):
        return text
    try:
        return Role.Value(f"ROLE_{text.upper().replace('-', '_')}")
    except ValueError:
        known = ", ".join(name[5:].lower().replace("_", "-") for name in Role.keys()[1:])
        raise InvalidInput(f"{text!r} is not a role; there are {known}.") from None
