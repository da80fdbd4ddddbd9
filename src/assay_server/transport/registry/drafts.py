"""RegistryService on drafts: translate, call, translate."""

from assay.v1 import registry_service_pb2 as api
from assay_server.domain.bumps import Asked
from assay_server.domain.manifest import require_digest
from assay_server.domain.names import parse_draft, parse_model
from assay_server.services.drafts import DraftService
from assay_server.services.sealing import SealingService
from assay_server.transport.caller import current_call
from assay_server.transport.messages import draft, version
from assay_server.transport.paging import Paging
from assay_server.transport.translating.masks import masked_fields


class DraftRpcs:
    """The RPCs on drafts, and those that make versions."""

    def __init__(self, drafts: DraftService, sealing: SealingService, paging: Paging) -> None:
        self._drafts = drafts
        self._sealing = sealing
        self._paging = paging

    async def CreateDraft(
        self, request: api.CreateDraftRequest, _context: object
    ) -> api.CreateDraftResponse:
        name = parse_model(request.parent, field="parent")
        made = await self._drafts.create(current_call(), name, draft.from_message(request.draft))
        return api.CreateDraftResponse(draft=draft.to_message(made.answer), revision=made.revision)

    async def GetDraft(
        self, request: api.GetDraftRequest, _context: object
    ) -> api.GetDraftResponse:
        found = await self._drafts.get(current_call(), parse_draft(request.name))
        return api.GetDraftResponse(draft=draft.to_message(found.answer), revision=found.revision)

    async def ListDrafts(
        self, request: api.ListDraftsRequest, _context: object
    ) -> api.ListDraftsResponse:
        call, page = current_call(), self._paging.page_of(request, current_call())
        found = await self._drafts.list(call, parse_model(request.parent, field="parent"), page)
        return api.ListDraftsResponse(
            drafts=map(draft.to_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )

    async def UpdateDraft(
        self, request: api.UpdateDraftRequest, _context: object
    ) -> api.UpdateDraftResponse:
        name = parse_draft(request.draft.name, field="draft.name")
        fields = masked_fields(request.update_mask, draft.EDITABLE)
        change = draft.from_message(request.draft, fields=fields)
        made = await self._drafts.update(current_call(), name, change)
        return api.UpdateDraftResponse(draft=draft.to_message(made.answer), revision=made.revision)

    async def AbandonDraft(
        self, request: api.AbandonDraftRequest, _context: object
    ) -> api.AbandonDraftResponse:
        made = await self._drafts.abandon(current_call(), parse_draft(request.name))
        return api.AbandonDraftResponse(draft=draft.to_message(made.answer), revision=made.revision)

    async def SealDraft(
        self, request: api.SealDraftRequest, _context: object
    ) -> api.SealDraftResponse:
        name = parse_draft(request.name)
        made = await self._sealing.seal(
            current_call(),
            name,
            manifest_digest=_manifest_digest(request),
            publish=_asked(request),
        )
        sealed = made.answer
        return api.SealDraftResponse(
            version=version.to_message(sealed.version, sealed.alias_ids),
            existed=sealed.existed,
            revision=made.revision,
        )

    async def CreateVersion(
        self, request: api.CreateVersionRequest, _context: object
    ) -> api.CreateVersionResponse:
        made = await self._sealing.create(
            current_call(),
            parse_model(request.parent, field="parent"),
            version.stated_of(request.version),
            version.files_of(request.version),
            manifest_digest=_manifest_digest(request),
            publish=_asked(request),
        )
        created = made.answer
        return api.CreateVersionResponse(
            version=version.to_message(created.version, created.alias_ids),
            existed=created.existed,
            revision=made.revision,
        )


def _manifest_digest(request: api.SealDraftRequest | api.CreateVersionRequest) -> str:
    """The digest that the files must have; empty asks nothing."""
    if request.manifest_digest:
        require_digest(request.manifest_digest, field="manifest_digest")
    return request.manifest_digest


def _asked(request: api.SealDraftRequest | api.CreateVersionRequest) -> Asked | None:
    """What semantic version to publish as; None when it is only to be sealed."""
    if not request.publish:
        return None
    return version.asked_of(request.bump, request.semver)
