"""The databases that the store's contract runs against, and calls to make changes with."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from assay_server.domain.access import Role
from assay_server.domain.audit import AuditEntry, AuditFilter, Decision
from assay_server.domain.calls import Call, Change, Happened, Page
from assay_server.domain.events import EventType
from assay_server.domain.models import Model, Namespace
from assay_server.domain.names import namespace_name
from assay_server.ports.metadata import Reader, Transaction
from assay_server.sqlstore.opening import Store, open_store

T = TypeVar("T")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
_numbers = itertools.count(1)


class TickingClock:
    """Each look is a microsecond after the one before."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now(self) -> datetime:
        return NOON + timedelta(microseconds=next(self._ticks))


class Database:
    """An empty registry. Opened twice, PostgreSQL has two servers and SQLite a restarted one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_shared = url.startswith("postgresql")
        self._opened: list[Store] = []

    async def open(self) -> Store:
        if not self.is_shared:
            await self.close()
        self._opened.append(await open_store(self.url, TickingClock()))
        return self._opened[-1]

    async def close(self) -> None:
        while self._opened:
            await self._opened.pop().close()

    @property
    def directory(self) -> Path:
        """Where the files are; of SQLite only."""
        return Path(self.url.removeprefix("sqlite:///")).parent


async def make_empty(url: str) -> None:
    """Make the schema, and whatever else opening makes."""
    store = await open_store(url, TickingClock(), bring_up_to_date=True)
    await store.close()


def make_call(
    *,
    principal: str = "spiffe://lab/ann",
    method: str = "assay.v1.RegistryService/CreateModel",
    request_id: str = "",
    payload_sha256: str = "a" * 64,
) -> Call:
    entry_id = f"entry-{next(_numbers):08}"
    return Call(
        principal=principal,
        method=method,
        permissions=frozenset(),
        roles=frozenset({Role.ADMIN}),
        readable_namespaces=None,
        request_id=request_id,
        payload_sha256=payload_sha256,
        entry=lambda: make_entry(
            entry_id=entry_id, principal=principal, method=method, request_id=request_id
        ),
    )


def make_entry(**changes: Any) -> AuditEntry:
    values: dict[str, Any] = {
        "entry_id": f"entry-{next(_numbers):08}",
        "time": NOON,
        "principal": "spiffe://lab/ann",
        "certificate_sha256": "c" * 64,
        "peer": "ipv4:127.0.0.1:1",
        "method": "assay.v1.RegistryService/GetModel",
        "resource": "namespaces/vision/models/digits",
        "namespace_id": "vision",
        "decision": Decision.ALLOWED,
        "status": "OK",
        "reason": "",
        "request_id": "",
        "call_id": "call",
    }
    return AuditEntry(**(values | changes))


def make_namespace(namespace_id: str = "vision", **changes: Any) -> Namespace:
    values: dict[str, Any] = {
        "display_name": "Vision",
        "description": "",
        "created_by": "spiffe://lab/ann",
        "create_time": NOON,
        "etag": "e1",
    }
    return Namespace(namespace_id, **(values | changes))


def make_model(model_id: str = "digits", namespace_id: str = "vision", **changes: Any) -> Model:
    values: dict[str, Any] = {
        "model_uid": f"uid-{next(_numbers)}",
        "display_name": "Digits",
        "description": "",
        "task": "image-classification",
        "keywords": (),
        "tags": {},
        "created_by": "spiffe://lab/ann",
        "create_time": NOON,
        "update_time": NOON,
        "etag": "e1",
    }
    return Model(namespace_id, model_id, **(values | changes))


def happened(
    subject: Any, name: str, *, namespace_id: str = "vision", event_type: EventType | None = None
) -> Happened:
    return Happened(event_type or EventType.CREATED, name, namespace_id, subject)


async def change(
    store: Store,
    act: Callable[[Transaction], Awaitable[object]],
    *happenings: Happened,
    call: Call | None = None,
) -> int:
    """Do ``act`` in a transaction and return its revision."""

    async def body(tx: Transaction) -> Change[str]:
        await act(tx)
        return Change("done", happenings)

    return (await store.metadata.change(call or make_call(), str, body)).revision


async def add_namespace(store: Store, namespace_id: str = "vision") -> int:
    namespace = make_namespace(namespace_id)
    name = namespace_name(namespace_id)
    return await change(
        store,
        lambda tx: tx.namespaces.add(namespace),
        happened(namespace, name, namespace_id=namespace_id),
    )


async def add_model(store: Store, model: Model | None = None, *, call: Call | None = None) -> int:
    model = model or make_model()
    return await change(
        store,
        lambda tx: tx.models.add(model),
        happened(model, model.name, namespace_id=model.namespace_id),
        call=call,
    )


async def read(store: Store, act: Callable[[Reader], Awaitable[T]]) -> T:
    async with store.metadata.read() as reader:
        return await act(reader)


async def newest_revision(store: Store) -> int:
    async with store.metadata.read() as reader:
        await reader.bindings.epoch()
        return reader.revision


async def trail(store: Store, **wanted: Any) -> tuple[AuditEntry, ...]:
    return (await store.audit_reads.list(AuditFilter(**wanted), Page(1000))).items


async def settled(*tasks: "asyncio.Task[Any]") -> None:
    """Wait for tasks whatever becomes of them."""
    await asyncio.gather(*tasks, return_exceptions=True)
