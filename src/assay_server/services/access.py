"""Role bindings, and what a principal may ask about its own rights."""

from collections.abc import Awaitable, Callable

from assay_server.access.deciding import (
    granted_at,
    held_already,
    require_admin_left,
    require_may_grant,
    require_member,
)
from assay_server.access.permissions import Permission
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.calls import Call, Change, Committed, Happened, Page, Paged, Stamped
from assay_server.domain.errors import AlreadyExists, InvalidField
from assay_server.domain.errors.families import listed, quoted
from assay_server.domain.events import EventType
from assay_server.domain.names import (
    RoleBindingName,
    Scope,
    parse_scope,
    role_binding_name,
)
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.grants import Grants

Body = Callable[[Transaction], Awaitable[Change[RoleBinding]]]


class AccessService:
    """The requests about role bindings and permissions."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids, grants: Grants) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._grants = grants

    async def bind(self, call: Call, scope: str, role: Role, member: str) -> Committed[RoleBinding]:
        """Give ``role`` in ``scope`` to ``member``.

        Raises:
            NotFound: There is no such namespace or model.
            PermissionDenied: The caller does not hold all that the role gives there.
            AlreadyExists: The member has the role there; names the binding.
        """
        wanted = RoleBinding(
            scope=scope,
            binding_id=self._ids.new(),
            role=role,
            member=require_member(member),
            created_by=call.principal,
            create_time=self._clock.now(),
        )

        async def add(tx: Transaction) -> Change[RoleBinding]:
            await _require_scope(tx, parse_scope(scope, field="parent"))
            bindings = await tx.bindings.lock_all()
            _require_may_change(bindings, wanted, call)
            if held := held_already(bindings, wanted):
                raise AlreadyExists(role_binding_name(held.scope, held.binding_id))
            await tx.bindings.add(wanted)
            return Change(wanted, (binding_happened(EventType.CREATED, wanted),))

        return await self._changed(call, add)

    async def list(self, scope: str, page: Page, *, as_of: int = 0) -> Stamped[Paged[RoleBinding]]:
        """List the bindings of exactly one scope."""
        async with self._store.read(as_of) as reader:
            bindings = await reader.bindings.list(scope, page)
            return Stamped(bindings, reader.revision)

    async def unbind(self, call: Call, name: RoleBindingName) -> Committed[RoleBinding]:
        """Take a role back.

        Raises:
            PermissionDenied: The caller could not have given it.
            LastAdmin: Nobody would be left who administers everything.
        """

        async def remove(tx: Transaction) -> Change[RoleBinding]:
            bindings = await tx.bindings.lock_all()
            binding = await tx.bindings.get(name.scope, name.binding_id)
            _require_may_change(bindings, binding, call)
            require_admin_left(bindings, binding)
            await tx.bindings.remove(binding)
            return Change(binding, (binding_happened(EventType.DELETED, binding),))

        return await self._changed(call, remove)

    async def bindings_of(self, principal: str) -> tuple[RoleBinding, ...]:
        """The bindings that give ``principal`` a role somewhere, by scope."""
        found = await self._grants.bindings_of(principal)
        return tuple(sorted(found, key=lambda b: (b.scope, b.role, b.binding_id)))

    async def permissions(
        self, principal: str, scope: Scope, asked: tuple[str, ...]
    ) -> tuple[Permission, ...]:
        """Those of the ``asked`` permissions (of all, when none is asked) that hold at ``scope``.

        Raises:
            InvalidField: One of them does not exist.
        """
        for text in asked:
            if text not in set(Permission):
                known = listed(sorted(Permission))
                raise InvalidField("permissions", f"has {quoted(text)}; there are {known}")
        granted = await self._grants.at(principal, scope)
        return tuple(sorted(granted.permissions & (set(asked) or granted.permissions)))

    async def _changed(self, call: Call, body: Body) -> Committed[RoleBinding]:
        async def allowed(tx: Transaction, binding: RoleBinding) -> None:
            _require_may_change(await tx.bindings.all(), binding, call)

        try:
            return await self._store.change(call, RoleBinding, body, allowed=allowed)
        finally:
            # Also when the outcome is unknown: reading once more costs little.
            self._grants.forget()


def _require_may_change(
    bindings: tuple[RoleBinding, ...], binding: RoleBinding, call: Call
) -> None:
    """Decide on the bindings as they are in the transaction, not as they were when it began."""
    granted = granted_at(bindings, call.principal, parse_scope(binding.scope))
    require_may_grant(granted, binding.role, scope=binding.scope, principal=call.principal)


async def _require_scope(tx: Transaction, scope: Scope) -> None:
    if scope.model_id:
        await tx.models.get(scope.namespace_id, scope.model_id)
    elif scope.namespace_id:
        await tx.namespaces.get(scope.namespace_id)


def binding_happened(event_type: EventType, binding: RoleBinding) -> Happened:
    """What a watcher is told of a role binding."""
    name = role_binding_name(binding.scope, binding.binding_id)
    return Happened(event_type, name, parse_scope(binding.scope).namespace_id, binding)
