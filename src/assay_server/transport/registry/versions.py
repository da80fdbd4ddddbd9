"""RegistryService on versions: translate, call, translate."""

from collections.abc import Iterable

from assay.v1 import registry_service_pb2 as api
from assay.v1 import version_pb2
from assay_server.domain.errors import InvalidField
from assay_server.domain.limits import require_reason
from assay_server.domain.names import VersionName, parse_model, parse_namespace, parse_version
from assay_server.domain.references import parse_reference
from assay_server.domain.revisions import require_as_of
from assay_server.services.publishing import PublishingService
from assay_server.services.resolving import ResolvingService
from assay_server.services.versions import ShownVersion, VersionService
from assay_server.transport.caller import current_call
from assay_server.transport.messages import gate, version
from assay_server.transport.paging import Paging
from assay_server.transport.translating.masks import masked_fields

BATCH_MAX = 100
"""As many versions as a batch may name: about what a page of an interface shows."""


class VersionRpcs:
    """The RPCs on versions, publishing and resolving among them."""

    def __init__(
        self,
        versions: VersionService,
        publishing: PublishingService,
        resolving: ResolvingService,
        paging: Paging,
    ) -> None:
        self._versions = versions
        self._publishing = publishing
        self._resolving = resolving
        self._paging = paging

    async def GetVersion(
        self, request: api.GetVersionRequest, _context: object
    ) -> api.GetVersionResponse:
        found = await self._versions.get(
            parse_version(request.name), as_of=require_as_of(request.as_of)
        )
        return api.GetVersionResponse(version=_message(found.answer), revision=found.revision)

    async def BatchGetVersions(
        self, request: api.BatchGetVersionsRequest, _context: object
    ) -> api.BatchGetVersionsResponse:
        namespace_id = parse_namespace(request.parent, field="parent")
        names = _batch(request.names, namespace_id)
        found = await self._versions.get_many(
            namespace_id, names, as_of=require_as_of(request.as_of)
        )
        return api.BatchGetVersionsResponse(
            versions=map(_message, found.answer), revision=found.revision
        )

    async def ListVersions(
        self, request: api.ListVersionsRequest, _context: object
    ) -> api.ListVersionsResponse:
        call, page = current_call(), self._paging.page_of(request, current_call())
        name = parse_model(request.parent, field="parent")
        states = version.states_of(request.states, show_deleted=request.show_deleted)
        found = await self._versions.list(
            name, page, states=states, as_of=require_as_of(request.as_of)
        )
        return api.ListVersionsResponse(
            versions=map(_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )

    async def UpdateVersion(
        self, request: api.UpdateVersionRequest, _context: object
    ) -> api.UpdateVersionResponse:
        name = parse_version(request.version.name, field="version.name")
        fields = masked_fields(request.update_mask, version.EDITABLE)
        change = version.from_message(request.version, fields=fields)
        made = await self._versions.update(current_call(), name, change, etag=request.version.etag)
        return api.UpdateVersionResponse(version=_message(made.answer), revision=made.revision)

    async def PublishVersion(
        self, request: api.PublishVersionRequest, _context: object
    ) -> api.PublishVersionResponse:
        name = parse_version(request.name)
        asked = version.asked_of(request.bump, request.semver)
        made = await self._publishing.publish(current_call(), name, asked, etag=request.etag)
        published = made.answer
        return api.PublishVersionResponse(
            version=_message(published),
            verdict=gate.verdict_message(published.version.publish_verdict, published.version),
            semver_reasons=published.version.semver_reasons,
            revision=made.revision,
        )

    async def DeprecateVersion(
        self, request: api.DeprecateVersionRequest, _context: object
    ) -> api.DeprecateVersionResponse:
        name, reason = parse_version(request.name), require_reason(request.reason)
        made = await self._versions.deprecate(current_call(), name, reason, etag=request.etag)
        return api.DeprecateVersionResponse(version=_message(made.answer), revision=made.revision)

    async def YankVersion(
        self, request: api.YankVersionRequest, _context: object
    ) -> api.YankVersionResponse:
        name, reason = parse_version(request.name), _required_reason(request.reason)
        made = await self._versions.yank(current_call(), name, reason, etag=request.etag)
        return api.YankVersionResponse(version=_message(made.answer), revision=made.revision)

    async def DeleteVersion(
        self, request: api.DeleteVersionRequest, _context: object
    ) -> api.DeleteVersionResponse:
        name, reason = parse_version(request.name), require_reason(request.reason)
        made = await self._versions.delete(current_call(), name, reason, etag=request.etag)
        return api.DeleteVersionResponse(version=_message(made.answer), revision=made.revision)

    async def UndeleteVersion(
        self, request: api.UndeleteVersionRequest, _context: object
    ) -> api.UndeleteVersionResponse:
        made = await self._versions.undelete(current_call(), parse_version(request.name))
        return api.UndeleteVersionResponse(version=_message(made.answer), revision=made.revision)

    async def ResolveVersion(
        self, request: api.ResolveVersionRequest, _context: object
    ) -> api.ResolveVersionResponse:
        found = await self._resolving.resolve(
            parse_reference(request.reference), as_of=require_as_of(request.as_of)
        )
        resolved = found.answer
        return api.ResolveVersionResponse(
            version=version.to_message(resolved.version, resolved.alias_ids),
            warnings=resolved.warnings,
            revision=found.revision,
        )


def _message(shown: ShownVersion) -> version_pb2.ModelVersion:
    return version.to_message(shown.version, shown.alias_ids)


def _batch(texts: Iterable[str], namespace_id: str) -> tuple[VersionName, ...]:
    """The names of a batch, all in the namespace by which access was decided."""
    names = tuple(parse_version(text, field="names") for text in texts)
    if not 1 <= len(names) <= BATCH_MAX:
        raise InvalidField("names", f"has {len(names)} entries, but needs 1 to {BATCH_MAX}")
    for name in names:
        if name.namespace_id != namespace_id:
            raise InvalidField("names", "must all be of the namespace that parent names")
    return names


def _required_reason(reason: str) -> str:
    if not reason.strip():
        raise InvalidField("reason", "is missing; who used the version will want to know why")
    return require_reason(reason)
