"""Drafts: filled by their author, seen by their author and by managers only."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from assay_server.access.permissions import Permission
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
from assay_server.domain.events import EventType
from assay_server.domain.models import require_live
from assay_server.domain.names import DraftName, ModelName, draft_name
from assay_server.domain.transitions import DRAFT_TTL, abandoned, edited_draft, new_draft
from assay_server.domain.versions import Draft, DraftChange, DraftState
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Transaction


class DraftService:
    """The requests about drafts, but for sealing."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create(self, call: Call, name: ModelName, wanted: DraftChange) -> Committed[Draft]:
        """Start a version.

        Raises:
            NotFound: There is no such model.
            ModelIsDeleted: The model must be restored first.
        """
        draft = new_draft(
            name,
            wanted,
            by=call.principal,
            draft_id=self._ids.new(),
            etag=self._ids.new(),
            now=self._clock.now(),
        )

        async def add(tx: Transaction) -> Change[Draft]:
            require_live(await tx.models.hold(*name))
            await tx.drafts.add(draft)
            return Change(draft, (draft_happened(EventType.CREATED, draft),))

        return await self._store.change(call, Draft, add)

    async def get(self, call: Call, name: DraftName) -> Stamped[Draft]:
        """Read a draft.

        Raises:
            NotFound: There is no such draft, or it is of somebody else.
        """
        async with self._store.read() as reader:
            draft = require_visible(call, await reader.drafts.get(*name))
            return Stamped(draft, reader.revision)

    async def list(self, call: Call, name: ModelName, page: Page) -> Stamped[Paged[Draft]]:
        """List the open drafts that the caller may see, without files and cards."""
        created_by = None if Permission.DRAFTS_MANAGE in call.permissions else call.principal
        async with self._store.read() as reader:
            await reader.models.get(*name)
            found = await reader.drafts.list(*name, page, created_by=created_by)
            drafts = tuple(replace(draft, files=(), card="") for draft in found.items)
            return Stamped(Paged(drafts, found.next_after), reader.revision)

    async def update(self, call: Call, name: DraftName, change: DraftChange) -> Committed[Draft]:
        """Change what will be sealed.

        Raises:
            DraftNotOpen: It was sealed or abandoned.
        """

        def edit(draft: Draft, now: datetime, etag: str) -> Draft:
            return edited_draft(draft, change, now=now, etag=etag)

        return await self._step(call, name, edit)

    async def abandon(self, call: Call, name: DraftName) -> Committed[Draft]:
        """Give a draft up.

        Raises:
            DraftNotOpen: It was sealed or abandoned before.
        """

        def give_up(draft: Draft, now: datetime, etag: str) -> Draft:
            return abandoned(draft, now=now, etag=etag)

        return await self._step(call, name, give_up)

    async def _step(
        self, call: Call, name: DraftName, step: Callable[[Draft, datetime, str], Draft]
    ) -> Committed[Draft]:
        now, etag = self._clock.now(), self._ids.new()

        async def save(tx: Transaction) -> Change[Draft]:
            model, draft = await tx.together(
                tx.models.hold(name.namespace_id, name.model_id), tx.drafts.lock_outline(*name)
            )
            require_live(model)
            filled = replace(require_visible(call, draft), files=await tx.drafts.files(*name))
            changed = replace(step(filled, now, etag), expire_time=now + DRAFT_TTL)
            await tx.drafts.save(changed)
            if changed.state is DraftState.ABANDONED:
                await tx.drafts.remove_files(*name)
            return Change(changed, (draft_happened(EventType.UPDATED, changed),))

        return await self._store.change(call, Draft, save, allowed=still_visible(call, name))


def require_visible(call: Call, draft: Draft) -> Draft:
    """``draft``, if the caller may know of it.

    Raises:
        NotFound: It is of somebody else: the answer is that for a draft that never was.
    """
    if draft.created_by != call.principal and Permission.DRAFTS_MANAGE not in call.permissions:
        raise NotFound(draft_name(draft.namespace_id, draft.model_id, draft.draft_id))
    return draft


def still_visible(call: Call, name: DraftName) -> Callable[[Transaction, object], Awaitable[None]]:
    """What a retry asks again: whether the caller may know of the draft, as it is now."""

    async def allowed(tx: Transaction, _answer: object) -> None:
        require_visible(call, await tx.drafts.outline(*name))

    return allowed


def draft_happened(event_type: EventType, draft: Draft) -> Happened:
    """What a watcher is told of a draft: without its files and card, as in lists."""
    name = draft_name(draft.namespace_id, draft.model_id, draft.draft_id)
    subject = replace(draft, files=(), card="")
    return Happened(event_type, name, draft.namespace_id, subject)
