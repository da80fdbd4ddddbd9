"""Gates: set, read, removed, and asked without moving anything."""

from assay_server.domain.calls import (
    Call,
    Change,
    Committed,
    Happened,
    Page,
    Paged,
    Stamped,
)
from assay_server.domain.errors import NotFound
from assay_server.domain.etags import require_etag
from assay_server.domain.events import EventType
from assay_server.domain.gates import Gate, Rule, Verdict
from assay_server.domain.models import require_live
from assay_server.domain.names import GateName, Scope, VersionName, gate_name
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Reader, Transaction
from assay_server.services.judging import judge_move


class GateService:
    """The requests about gates."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def set(
        self,
        call: Call,
        name: GateName,
        rules: tuple[Rule, ...],
        *,
        dataset_digest: str,
        description: str,
        etag: str,
    ) -> Committed[Gate]:
        """Set all rules of a gate, new or not.

        Raises:
            NotFound: There is no such namespace or model.
            ModelIsDeleted: The model must be restored first.
            EtagMismatch: The gate changed since the caller read it, or is gone.
        """
        gate = Gate(
            *name,
            rules,
            dataset_digest,
            description,
            updated_by=call.principal,
            update_time=self._clock.now(),
            etag=self._ids.new(),
        )

        async def save(tx: Transaction) -> Change[Gate]:
            current = await _locked(tx, name)
            current_etag = current.etag if current else ""
            require_etag(gate_name(*name), expected=etag, current=current_etag)
            await tx.gates.save(gate)
            event_type = EventType.UPDATED if current else EventType.CREATED
            return Change(gate, (_happened(event_type, gate),))

        return await self._store.change(call, Gate, save)

    async def delete(self, call: Call, name: GateName, *, etag: str) -> Committed[Gate]:
        """Remove a gate; what it guarded moves freely from then on.

        Raises:
            NotFound: There is no such gate.
            EtagMismatch: It changed since the caller read it.
        """

        async def remove(tx: Transaction) -> Change[Gate]:
            gate = await _locked(tx, name)
            if gate is None:
                raise NotFound(gate_name(*name))
            require_etag(gate_name(*name), expected=etag, current=gate.etag)
            await tx.gates.remove(gate)
            return Change(gate, (_happened(EventType.DELETED, gate),))

        return await self._store.change(call, Gate, remove)

    async def get(self, name: GateName, *, as_of: int = 0) -> Stamped[Gate]:
        """Read one gate."""
        async with self._store.read(as_of) as reader:
            gate = await reader.gates.get(*name)
            return Stamped(gate, reader.revision)

    async def list(self, scope: Scope, page: Page, *, as_of: int = 0) -> Stamped[Paged[Gate]]:
        """List the gates of a namespace, or those that hold for a model."""
        async with self._store.read(as_of) as reader:
            await _require_scope(reader, scope)
            gates = await reader.gates.list(*scope, page)
            return Stamped(gates, reader.revision)

    async def check(self, name: VersionName, gate_id: str) -> Stamped[Verdict]:
        """Say what the gates would answer to a move of a version now."""
        async with self._store.read() as reader:
            version = await reader.versions.get(*name)
            verdict = await judge_move(reader, version, gate_id)
            return Stamped(verdict, reader.revision)


async def _locked(tx: Transaction, name: GateName) -> Gate | None:
    await tx.gates.lock(name.namespace_id)
    if not name.model_id:
        return await tx.gates.find(*name)
    model, gate = await tx.together(
        tx.models.hold(name.namespace_id, name.model_id), tx.gates.find(*name)
    )
    require_live(model)
    return gate


async def _require_scope(reader: Reader, scope: Scope) -> None:
    if scope.model_id:
        await reader.models.get(*scope)
    else:
        await reader.namespaces.get(scope.namespace_id)


def _happened(event_type: EventType, gate: Gate) -> Happened:
    name = gate_name(gate.namespace_id, gate.model_id, gate.gate_id)
    return Happened(event_type, name, gate.namespace_id, gate)
