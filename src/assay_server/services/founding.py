"""The first rights in a registry: given by who can open its store, never over the network."""

from assay_server.access.deciding import held_already, is_admin_everywhere, require_member
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.calls import Call, Change, Happened
from assay_server.domain.errors import AlreadyExists
from assay_server.domain.events import EventType
from assay_server.domain.models import Namespace
from assay_server.domain.names import namespace_name
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.access import binding_happened
from assay_server.services.local_calls import local_call


class AlreadyFounded(Exception):
    """Someone administers the registry: ask them."""

    def __init__(self, admin: str) -> None:
        super().__init__(
            f"the registry has an admin already: {admin}. Ask them for a role; "
            "they give it with `assay role grant`"
        )


class Founding:
    """Writes to the store of a server that does not run, on behalf of ``founder``."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids, *, founder: str) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._founder = founder

    async def first_admin(self, member: str) -> RoleBinding:
        """Make ``member`` the admin of everything.

        Raises:
            AlreadyFounded: The registry has an admin.
            InvalidField: ``member`` cannot be a principal.
        """
        wanted = self._binding(Role.ADMIN, require_member(member))

        async def add(tx: Transaction) -> Change[RoleBinding]:
            for binding in await tx.bindings.lock_all():
                if is_admin_everywhere(binding):
                    raise AlreadyFounded(binding.member)
            await tx.bindings.add(wanted)
            return Change(wanted, (binding_happened(EventType.CREATED, wanted),))

        return (await self._store.change(self._call("init"), RoleBinding, add)).answer

    async def roles_everywhere(self, members: dict[Role, str]) -> None:
        """Give each member its role everywhere, where it is not given yet; for development."""
        for role, member in members.items():
            await self._bind_once(self._binding(role, member))

    async def namespace(self, namespace_id: str, *, description: str) -> None:
        """Make a namespace, unless it is there."""
        namespace = Namespace(
            namespace_id, "", description, self._founder, self._clock.now(), self._ids.new()
        )
        name = namespace_name(namespace_id)
        happened = Happened(EventType.CREATED, name, namespace_id, namespace)

        async def add(tx: Transaction) -> Change[Namespace]:
            await tx.namespaces.add(namespace)
            return Change(namespace, (happened,))

        try:
            await self._store.change(self._call("dev"), Namespace, add)
        except AlreadyExists:
            return

    async def _bind_once(self, wanted: RoleBinding) -> None:
        async def add(tx: Transaction) -> Change[RoleBinding]:
            if held := held_already(await tx.bindings.lock_all(), wanted):
                return Change(held)
            await tx.bindings.add(wanted)
            return Change(wanted, (binding_happened(EventType.CREATED, wanted),))

        await self._store.change(self._call("dev"), RoleBinding, add)

    def _binding(self, role: Role, member: str) -> RoleBinding:
        return RoleBinding("", self._ids.new(), role, member, self._founder, self._clock.now())

    def _call(self, command: str) -> Call:
        return local_call(command, self._clock, self._ids, principal=self._founder)
