"""Checking: whether facts, bytes and trail of a registry agree. Changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from assay_server.domain.checking import (
    Check,
    Discovery,
    Level,
    check_aliases,
    check_audit,
    check_blob,
    check_events,
    check_history,
    check_numbers,
    check_staged,
    check_version,
)
from assay_server.domain.names import model_name
from assay_server.ports.backups import Report
from assay_server.ports.checking import BlobInspection, FactsInspection

_REVISIONS_AT_ONCE = 10_000
_VERSIONS_AT_ONCE = 200


@dataclass(slots=True)
class Checked:
    """What was looked at and what was found."""

    revision: int = 0
    looked_at: dict[Check, int] = field(default_factory=dict)
    discoveries: list[Discovery] = field(default_factory=list)

    def of(self, check: Check, level: Level) -> int:
        """How much of this level was found by one check."""
        return sum(one.check is check and one.level is level for one in self.discoveries)

    @property
    def is_sound(self) -> bool:
        """Whether there is no problem."""
        return all(one.level is Level.NOTE for one in self.discoveries)

    def note(self, check: Check, count: int, found: Iterable[Discovery] = ()) -> None:
        """Take in that ``count`` more things were looked at."""
        self.looked_at[check] = self.looked_at.get(check, 0) + count
        self.discoveries += found


class CheckingService:
    """Goes through one snapshot of the facts, then through the bytes that it refers to."""

    def __init__(self, facts: FactsInspection, blobs: BlobInspection | None) -> None:
        """``blobs`` is None where only the facts are asked about."""
        self._facts = facts
        self._blobs = blobs

    async def check(self, report: Report, *, is_hashed: bool = True) -> Checked:
        """Look at everything.

        Args:
            report: Told how far it is.
            is_hashed: Whether bytes are read, and not only their presence and size looked at.
        """
        checked = Checked()
        for fault in await self._facts.faults():
            checked.note(Check.DATABASE, 0, [Discovery(Check.DATABASE, "database", fault)])
        counters = await self._facts.counters()
        checked.note(Check.DATABASE, 1)
        checked.revision = counters["revision"]
        oldest = counters["oldest_event"]
        await self._events(checked, oldest, report)
        await self._models(checked, report)
        entries, first = await self._facts.audit()
        found = check_audit(entries, first, checked.revision, checked.revision)
        checked.note(Check.AUDIT, sum(entries.values()), found)
        if self._blobs is not None:
            await self._bytes(checked, self._blobs, report, is_hashed=is_hashed)
        return checked

    async def _events(self, checked: Checked, oldest: int, report: Report) -> None:
        newest = checked.revision
        checked.note(Check.EVENTS, 0)
        for first in range(oldest, newest + 1, _REVISIONS_AT_ONCE):
            last = min(first + _REVISIONS_AT_ONCE - 1, newest)
            report("events", first, newest)
            seen = await self._facts.events(first, last)
            checked.note(Check.EVENTS, len(seen), check_events(seen, first, last))
        for past in await self._facts.events(newest + 1, 2**62):
            said = f"has events, but the newest revision is {newest}"
            found = [Discovery(Check.EVENTS, f"revision {past.revision}", said)]
            checked.note(Check.EVENTS, 1, found)

    async def _models(self, checked: Checked, report: Report) -> None:
        models = await self._facts.models()
        for check in (Check.VERSIONS, Check.HISTORY, Check.ALIASES):
            checked.note(check, 0)
        for place, (namespace_id, model_id, high_water) in enumerate(models):
            report("models", place, len(models))
            of_model = namespace_id, model_id
            numbers = await self._facts.numbers(*of_model)
            found = check_numbers(model_name(*of_model), high_water, numbers)
            checked.note(Check.VERSIONS, len(numbers), found)
            for first in range(1, max(numbers, default=0) + 1, _VERSIONS_AT_ONCE):
                last = first + _VERSIONS_AT_ONCE - 1
                for seen in await self._facts.versions(namespace_id, model_id, first, last):
                    checked.note(Check.VERSIONS, 0, check_version(of_model, seen))
            states = await self._facts.states(*of_model)
            checked.note(Check.HISTORY, len(states), check_history(states))
            current, moves = await self._facts.aliases(*of_model)
            checked.note(Check.ALIASES, len(current), check_aliases(of_model, current, moves))

    async def _bytes(
        self, checked: Checked, blobs: BlobInspection, report: Report, *, is_hashed: bool
    ) -> None:
        wanted = await self._facts.blobs()
        checked.note(Check.BLOBS, 0)
        for place, (sha256, size_bytes) in enumerate(sorted(wanted.items())):
            report("blobs", place, len(wanted))
            seen = blobs.look(sha256, is_hashed=is_hashed)
            checked.note(Check.BLOBS, 1)
            for found in check_blob(sha256, size_bytes, seen):
                used_by = tuple(await self._facts.uses(sha256))
                placed = replace(found, used_by=used_by, place=blobs.place(sha256))
                checked.note(Check.BLOBS, 0, [placed])
        for name, is_blob in blobs.stored():
            if name not in wanted:
                said = (
                    "is referred to by nothing; collection takes it away when it is old"
                    if is_blob
                    else "is no blob; nothing of ours made it"
                )
                checked.note(Check.BLOBS, 0, [Discovery(Check.BLOBS, name, said, Level.NOTE)])
        staged = blobs.staged()
        uploads = await self._facts.uploads()
        checked.note(Check.STAGING, len(staged), check_staged(staged, uploads))
