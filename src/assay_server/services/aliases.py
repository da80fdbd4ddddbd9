"""Aliases: moved by compare-and-set, protected ones only through their gate."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from assay_server.access.permissions import Permission, roles_with
from assay_server.domain.aliases import Alias, AliasMove, require_expected, require_target
from assay_server.domain.calls import (
    Call,
    Change,
    Committed,
    Happened,
    Page,
    Paged,
    Stamped,
)
from assay_server.domain.errors import PermissionDenied
from assay_server.domain.events import EventType
from assay_server.domain.gates import Gate, Verdict
from assay_server.domain.gating import require_open_gates
from assay_server.domain.models import require_live
from assay_server.domain.names import (
    AliasName,
    ModelName,
    alias_gate_id,
    alias_name,
    model_name,
    version_name,
)
from assay_server.domain.versions import Version
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.judging import judge_by

MOVE_PROTECTED = Permission.ALIASES_MOVE_PROTECTED
"""Decided here and not by the permission table, since only the store knows which are protected."""


@dataclass(frozen=True, slots=True)
class ShownAlias:
    """An alias, whether a gate guards it, and what that said if it was asked."""

    alias: Alias
    is_protected: bool
    verdict: Verdict | None = None


Body = Callable[[Transaction], Awaitable[Change[ShownAlias]]]


class AliasService:
    """The requests about aliases."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def set(
        self, call: Call, name: AliasName, number: int, *, expected: int | None, reason: str
    ) -> Committed[ShownAlias]:
        """Point an alias to a version; where it points there already, nothing happens.

        Raises:
            NotFound: There is no such version.
            ModelIsDeleted: The model must be restored first.
            AliasMoved: The alias points elsewhere than ``expected``.
            VersionNotReady: The version is neither READY nor DEPRECATED.
            PermissionDenied: The alias is protected and the caller may not move such.
            GateClosed: A rule of its gate is not met.
        """
        now, etag = self._clock.now(), self._ids.new()

        async def move(tx: Transaction) -> Change[ShownAlias]:
            await _lock(tx, name)
            # The locked model stands for its versions: no state changes without that lock.
            alias, (target,), gates = await tx.together(
                tx.aliases.find(*name),
                tx.versions.get_many(name.namespace_id, ((name.model_id, number),)),
                _gates(tx, name),
            )
            previous = require_expected(name, alias, expected)
            _require_may_move(call, name, gates)
            verdict = await _verdict(tx, name, require_target(target), gates)
            moved = Alias(*name, number, moved_by=call.principal, move_time=now, etag=etag)
            answer = ShownAlias(moved, verdict is not None, verdict)
            if alias is not None and previous == number:
                return Change(ShownAlias(alias, answer.is_protected, verdict))
            await tx.aliases.save(moved, _step(moved, previous, reason, verdict))
            event_type = EventType.UPDATED if alias else EventType.CREATED
            return Change(answer, (_happened(event_type, moved),))

        return await self._changed(call, name, move)

    async def delete(
        self, call: Call, name: AliasName, *, expected: int | None, reason: str
    ) -> Committed[ShownAlias]:
        """Remove an alias; its history stays.

        Raises:
            NotFound: There is no such alias.
            AliasMoved: It points elsewhere than ``expected``.
            PermissionDenied: It is protected and the caller may not move such.
        """
        now = self._clock.now()

        async def remove(tx: Transaction) -> Change[ShownAlias]:
            await _lock(tx, name)
            alias, gates = await tx.together(tx.aliases.get(*name), _gates(tx, name))
            require_expected(name, alias, expected)
            _require_may_move(call, name, gates)
            await tx.aliases.remove(alias, _removal(alias, call.principal, now, reason))
            answer = ShownAlias(alias, bool(gates))
            return Change(answer, (_happened(EventType.DELETED, alias),))

        return await self._changed(call, name, remove)

    async def get(self, name: AliasName, *, as_of: int = 0) -> Stamped[ShownAlias]:
        """Read one alias."""
        async with self._store.read(as_of) as reader:
            alias = await reader.aliases.get(*name)
            gate_ids = await reader.gates.ids(name.namespace_id, name.model_id)
            return Stamped(_shown(alias, gate_ids), reader.revision)

    async def list(
        self, name: ModelName, page: Page, *, as_of: int = 0
    ) -> Stamped[Paged[ShownAlias]]:
        """List the aliases of a model by id."""
        async with self._store.read(as_of) as reader:
            await reader.models.get(*name)
            found = await reader.aliases.list(*name, page)
            gate_ids = await reader.gates.ids(*name)
            shown = tuple(_shown(alias, gate_ids) for alias in found.items)
            return Stamped(Paged(shown, found.next_after), reader.revision)

    async def list_moves(self, name: AliasName, page: Page) -> Stamped[Paged[AliasMove]]:
        """List the history of an alias, newest first, also of a removed one."""
        async with self._store.read() as reader:
            await reader.models.get(name.namespace_id, name.model_id)
            moves = await reader.aliases.list_moves(*name, page)
            return Stamped(moves, reader.revision)

    async def _changed(self, call: Call, name: AliasName, body: Body) -> Committed[ShownAlias]:
        async def allowed(tx: Transaction, _answer: ShownAlias) -> None:
            _require_may_move(call, name, await _gates(tx, name))

        return await self._store.change(call, ShownAlias, body, allowed=allowed)


async def _lock(tx: Transaction, name: AliasName) -> None:
    """Hold the alias still with its gates: gates first, then the model, as everywhere."""
    _, model = await tx.together(
        tx.gates.hold(name.namespace_id), tx.models.lock(name.namespace_id, name.model_id)
    )
    require_live(model)


async def _gates(tx: Transaction, name: AliasName) -> tuple[Gate, ...]:
    """The gates that guard the alias."""
    gate_id = alias_gate_id(name.alias_id)
    return await tx.gates.applying(name.namespace_id, name.model_id, gate_id)


async def _verdict(
    tx: Transaction, name: AliasName, target: Version, gates: tuple[Gate, ...]
) -> Verdict | None:
    """What the gates say; None where none guards the alias."""
    if not gates:
        return None
    verdict = await judge_by(tx, target, alias_gate_id(name.alias_id), gates)
    moved = version_name(name.namespace_id, name.model_id, target.number)
    return require_open_gates(moved, verdict)


def _require_may_move(call: Call, name: AliasName, gates: tuple[Gate, ...]) -> None:
    """Check that the caller may move the alias: one with gates is only for some."""
    if gates and MOVE_PROTECTED not in call.permissions:
        raise PermissionDenied(
            permission=MOVE_PROTECTED,
            resource=model_name(name.namespace_id, name.model_id),
            principal=call.principal,
            roles=roles_with(MOVE_PROTECTED),
        )


def _shown(alias: Alias, gate_ids: frozenset[str]) -> ShownAlias:
    return ShownAlias(alias, alias_gate_id(alias.alias_id) in gate_ids)


def _step(moved: Alias, previous: int, reason: str, verdict: Verdict | None) -> AliasMove:
    return AliasMove(
        moved.namespace_id,
        moved.model_id,
        moved.alias_id,
        moved.number,
        previous_number=previous,
        moved_by=moved.moved_by,
        move_time=moved.move_time,
        reason=reason,
        revision=0,
        verdict=verdict,
        etag=moved.etag,
    )


def _removal(alias: Alias, principal: str, now: datetime, reason: str) -> AliasMove:
    return AliasMove(
        alias.namespace_id,
        alias.model_id,
        alias.alias_id,
        number=0,
        previous_number=alias.number,
        moved_by=principal,
        move_time=now,
        reason=reason,
        revision=0,
    )


def _happened(event_type: EventType, alias: Alias) -> Happened:
    name = alias_name(alias.namespace_id, alias.model_id, alias.alias_id)
    return Happened(event_type, name, alias.namespace_id, alias)
