"""Expiry: drafts and uploads that nobody went on with are given up, so that their bytes can go."""

import logging
from dataclasses import dataclass

from assay_server.domain.calls import Call, Change, Page
from assay_server.domain.errors import RegistryError
from assay_server.domain.events import EventType
from assay_server.domain.names import DraftName, draft_name
from assay_server.domain.transitions import abandoned, has_expired
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.drafts import draft_happened
from assay_server.services.local_calls import local_call

BATCH_DRAFTS = 100
"""Looked for at once; each is a transaction of its own, short enough to make nobody wait."""

FAILURES_TOLD = 10
"""Each by name in the log; of more only the number: on a full disk all of them fail."""

HOUSEKEEPER = "local:assay-server"
"""Who expires things, in the trail and in events. No certificate can yield it."""

_log = logging.getLogger(__name__)


class _NothingDue(Exception):
    """Somebody was faster: another server, or the author who went on."""


@dataclass(frozen=True, slots=True)
class Expired:
    """What one round gave up."""

    drafts: int = 0
    uploads: int = 0


class ExpiringService:
    """Gives up what is past its ``expire_time``. Harmless when several servers do it at once."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def expire(self) -> Expired:
        """Do it once, batch after batch. Interrupted anywhere, the rest is done the next time."""
        total, failed = Expired(), 0
        seen, page = set[DraftName](), Page(BATCH_DRAFTS)
        while True:
            async with self._store.read() as reader:
                due = await reader.drafts.due(self._clock.now(), page)
            for name in dict.fromkeys(due.items):
                if name in seen:
                    continue
                seen.add(name)
                done = await self._expire(name, is_told=failed < FAILURES_TOLD)
                failed += done is None
                done = done or Expired()
                total = Expired(total.drafts + done.drafts, total.uploads + done.uploads)
            if due.next_after is None:
                break
            # Past those that stay, whatever the reason: they must not keep the others.
            page = Page(BATCH_DRAFTS, due.next_after)
        if total != Expired():
            _log.info("expired %d drafts and %d uploads", total.drafts, total.uploads)
        if failed:
            _log.warning("%d drafts expire later", failed)
        return total

    async def _expire(self, name: DraftName, *, is_told: bool) -> Expired | None:
        """Give up one; None when it cannot be, which the log says when ``is_told``."""

        async def give_up(tx: Transaction) -> Change[Expired]:
            now = self._clock.now()
            draft = await tx.drafts.lock_outline(*name)
            uploads = await tx.uploads.expire(*name, now=now)
            is_filling = bool(await tx.uploads.open_paths(*name))
            if not has_expired(draft, now=now, is_filling=is_filling):
                if not uploads:
                    raise _NothingDue
                return Change(Expired(uploads=uploads))
            over = abandoned(draft, now=now, etag=self._ids.new())
            await tx.drafts.save(over)
            await tx.drafts.remove_files(*name)
            happened = draft_happened(EventType.UPDATED, over)
            return Change(Expired(drafts=1, uploads=uploads), (happened,))

        try:
            return (await self._store.change(self._call(name), Expired, give_up)).answer
        except _NothingDue:
            return Expired()
        except Exception as error:  # noqa: BLE001 - one broken row must not keep the others
            if is_told:
                known = isinstance(error, RegistryError)
                _log.warning("%s stays: %s", draft_name(*name), error, exc_info=not known)
            return None

    def _call(self, name: DraftName) -> Call:
        return local_call(
            "expire",
            self._clock,
            self._ids,
            principal=HOUSEKEEPER,
            resource=draft_name(*name),
            namespace_id=name.namespace_id,
        )
