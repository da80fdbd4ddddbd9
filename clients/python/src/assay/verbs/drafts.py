"""Drafts: what ``push`` fills before it becomes a version."""

from collections.abc import AsyncGenerator

from assay import names
from assay.v1 import registry_service_pb2 as rpc
from assay.v1.draft_pb2 import Draft
from assay.verbs.session import Session


class DraftVerbs(Session):
    """Look at drafts and give them up; ``push`` makes them."""

    async def get_draft(self, draft: str | names.Named) -> Draft:
        """Read a draft. Only its author and managers see it."""
        request = rpc.GetDraftRequest(name=names.text_of(draft))
        return (await self._calls.read(self.stubs.registry.GetDraft, request)).draft

    async def list_drafts(self, model: str | names.Named) -> AsyncGenerator[Draft, None]:
        """List the open drafts that you may see, newest first."""
        request = rpc.ListDraftsRequest(parent=self._model_name(model))
        listing = self.stubs.registry.ListDrafts
        async for draft in self._calls.pages(listing, request, lambda page: page.drafts):
            yield draft

    async def abandon_draft(self, draft: str | names.Named) -> Draft:
        """Give a draft up; its files are collected later."""
        request = rpc.AbandonDraftRequest(name=names.text_of(draft))
        return (await self._calls.write(self.stubs.registry.AbandonDraft, request)).draft
