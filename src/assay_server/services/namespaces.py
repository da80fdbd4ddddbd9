"""Namespaces: make, read, list, edit."""

from dataclasses import dataclass, replace

from assay_server.domain.calls import Call, Change, Committed, Happened, Page, Paged, Stamped
from assay_server.domain.etags import require_etag
from assay_server.domain.events import EventType
from assay_server.domain.limits import require_description, require_display_name
from assay_server.domain.models import Namespace
from assay_server.domain.names import namespace_name, require_id
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction


@dataclass(frozen=True, slots=True)
class NamespaceChange:
    """What people say of a namespace: None leaves a field as it is."""

    display_name: str | None = None
    description: str | None = None


class NamespaceService:
    """The requests about namespaces."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create(
        self, call: Call, namespace_id: str, wanted: NamespaceChange
    ) -> Committed[Namespace]:
        """Make a team's space.

        Raises:
            AlreadyExists: The id was ever used.
        """
        namespace = Namespace(
            namespace_id=require_id(namespace_id, field="namespace_id"),
            display_name=require_display_name(wanted.display_name or ""),
            description=require_description(wanted.description or ""),
            created_by=call.principal,
            create_time=self._clock.now(),
            etag=self._ids.new(),
        )

        async def add(tx: Transaction) -> Change[Namespace]:
            await tx.namespaces.add(namespace)
            return Change(namespace, (_happened(EventType.CREATED, namespace),))

        return await self._store.change(call, Namespace, add)

    async def get(self, namespace_id: str) -> Stamped[Namespace]:
        """Read one namespace."""
        async with self._store.read() as reader:
            namespace = await reader.namespaces.get(namespace_id)
            return Stamped(namespace, reader.revision)

    async def list(self, call: Call, page: Page) -> Stamped[Paged[Namespace]]:
        """List the namespaces that the caller may read."""
        async with self._store.read() as reader:
            namespaces = await reader.namespaces.list(page, among=call.readable_namespaces)
            return Stamped(namespaces, reader.revision)

    async def update(
        self, call: Call, namespace_id: str, change: NamespaceChange, *, etag: str
    ) -> Committed[Namespace]:
        """Change what people say of a namespace.

        Raises:
            EtagMismatch: It changed since ``etag`` was read.
        """
        fresh = self._ids.new()

        async def save(tx: Transaction) -> Change[Namespace]:
            namespace = await tx.namespaces.lock(namespace_id)
            name = namespace_name(namespace_id)
            require_etag(name, expected=etag, current=namespace.etag)
            changed = _edited(namespace, change, etag=fresh)
            await tx.namespaces.save(changed)
            return Change(changed, (_happened(EventType.UPDATED, changed),))

        return await self._store.change(call, Namespace, save)


def _edited(namespace: Namespace, change: NamespaceChange, *, etag: str) -> Namespace:
    edited = replace(namespace, etag=etag)
    if change.display_name is not None:
        edited = replace(edited, display_name=require_display_name(change.display_name))
    if change.description is not None:
        edited = replace(edited, description=require_description(change.description))
    return edited


def _happened(event_type: EventType, namespace: Namespace) -> Happened:
    name = namespace_name(namespace.namespace_id)
    return Happened(event_type, name, namespace.namespace_id, namespace)
