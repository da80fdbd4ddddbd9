"""Models: create, read, edit, hide and restore."""

from datetime import datetime
from typing import Protocol

from assay_server.domain.calls import (
    Call,
    Change,
    Committed,
    Happened,
    Page,
    Paged,
    Stamped,
)
from assay_server.domain.etags import require_etag
from assay_server.domain.events import EventType
from assay_server.domain.models import Model, ModelChange, deleted, edited, undeleted
from assay_server.domain.names import ModelName
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction

EVERY_NAMESPACE = "-"
"""Stands for all namespaces that the caller may read, as in ``namespaces/-`` (AIP-159)."""


class Step(Protocol):
    """A change of a whole model, such as hiding it."""

    def __call__(self, model: Model, *, now: datetime, etag: str) -> Model: ...


class ModelService:
    """The requests about models."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create(self, call: Call, name: ModelName, wanted: ModelChange) -> Committed[Model]:
        """Start a line of versions.

        Raises:
            NotFound: There is no such namespace.
            AlreadyExists: The name was ever used.
        """
        now = self._clock.now()
        model = Model(
            *name,
            model_uid=self._ids.new(),
            display_name=wanted.display_name or "",
            description=wanted.description or "",
            task=wanted.task or "",
            keywords=wanted.keywords or (),
            tags=wanted.tags or {},
            created_by=call.principal,
            create_time=now,
            update_time=now,
            etag=self._ids.new(),
        )

        async def add(tx: Transaction) -> Change[Model]:
            await tx.namespaces.get(model.namespace_id)
            await tx.models.add(model)
            return Change(model, (_happened(EventType.CREATED, model),))

        return await self._store.change(call, Model, add)

    async def get(self, name: ModelName, *, as_of: int = 0) -> Stamped[Model]:
        """Read one model, deleted or not."""
        async with self._store.read(as_of) as reader:
            model = await reader.models.get(*name)
            return Stamped(model, reader.revision)

    async def list(
        self, call: Call, namespace_id: str, page: Page, *, show_deleted: bool, as_of: int = 0
    ) -> Stamped[Paged[Model]]:
        """List the models of a namespace, or of every one that the caller may read."""
        among = (
            call.readable_namespaces
            if namespace_id == EVERY_NAMESPACE
            else frozenset({namespace_id})
        )
        async with self._store.read(as_of) as reader:
            models = await reader.models.list(page, among=among, show_deleted=show_deleted)
            return Stamped(models, reader.revision)

    async def update(
        self, call: Call, name: ModelName, change: ModelChange, *, etag: str
    ) -> Committed[Model]:
        """Change what people say of a model."""

        def edit(model: Model, *, now: datetime, etag: str) -> Model:
            return edited(model, change, now=now, etag=etag)

        return await self._step(call, name, edit, event_type=EventType.UPDATED, etag=etag)

    async def delete(self, call: Call, name: ModelName, *, etag: str) -> Committed[Model]:
        """Hide a model; its versions stop resolving."""
        return await self._step(call, name, deleted, event_type=EventType.DELETED, etag=etag)

    async def undelete(self, call: Call, name: ModelName) -> Committed[Model]:
        """Restore a deleted model."""
        return await self._step(call, name, undeleted, event_type=EventType.UPDATED)

    async def _step(
        self,
        call: Call,
        name: ModelName,
        step: Step,
        *,
        event_type: EventType,
        etag: str = "",
    ) -> Committed[Model]:
        now, fresh = self._clock.now(), self._ids.new()

        async def save(tx: Transaction) -> Change[Model]:
            model = await tx.models.lock(*name)
            require_etag(model.name, expected=etag, current=model.etag)
            changed = step(model, now=now, etag=fresh)
            await tx.models.save(changed)
            seen = model if event_type is EventType.DELETED else changed
            return Change(changed, (_happened(event_type, seen),))

        return await self._store.change(call, Model, save)


def _happened(event_type: EventType, model: Model) -> Happened:
    return Happened(event_type, model.name, model.namespace_id, model)
