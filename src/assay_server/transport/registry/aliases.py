"""RegistryService on aliases: translate, call, translate."""

from assay.v1 import alias_pb2
from assay.v1 import registry_service_pb2 as api
from assay_server.domain.errors import InvalidField
from assay_server.domain.limits import require_reason
from assay_server.domain.names import VERSION_NUMBER_MAX, VersionName, parse_alias, parse_model
from assay_server.domain.revisions import require_as_of
from assay_server.services.aliases import AliasService, ShownAlias
from assay_server.transport.caller import current_call
from assay_server.transport.messages import alias, gate
from assay_server.transport.paging import Paging


class AliasRpcs:
    """The RPCs on aliases."""

    def __init__(self, aliases: AliasService, paging: Paging) -> None:
        self._aliases = aliases
        self._paging = paging

    async def SetAlias(
        self, request: api.SetAliasRequest, _context: object
    ) -> api.SetAliasResponse:
        name, number = parse_alias(request.name), _number(request.version_number)
        made = await self._aliases.set(
            current_call(),
            name,
            number,
            expected=_expected(request),
            reason=require_reason(request.reason),
        )
        shown, judged = made.answer, VersionName(name.namespace_id, name.model_id, number)
        return api.SetAliasResponse(
            alias=_message(shown),
            verdict=gate.verdict_message(shown.verdict, judged),
            revision=made.revision,
        )

    async def GetAlias(
        self, request: api.GetAliasRequest, _context: object
    ) -> api.GetAliasResponse:
        found = await self._aliases.get(
            parse_alias(request.name), as_of=require_as_of(request.as_of)
        )
        return api.GetAliasResponse(alias=_message(found.answer), revision=found.revision)

    async def ListAliases(
        self, request: api.ListAliasesRequest, _context: object
    ) -> api.ListAliasesResponse:
        call, page = current_call(), self._paging.page_of(request, current_call())
        found = await self._aliases.list(
            parse_model(request.parent, field="parent"), page, as_of=require_as_of(request.as_of)
        )
        return api.ListAliasesResponse(
            aliases=map(_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )

    async def DeleteAlias(
        self, request: api.DeleteAliasRequest, _context: object
    ) -> api.DeleteAliasResponse:
        name, reason = parse_alias(request.name), require_reason(request.reason)
        made = await self._aliases.delete(
            current_call(), name, expected=_expected(request), reason=reason
        )
        return api.DeleteAliasResponse(alias=_message(made.answer), revision=made.revision)

    async def ListAliasMoves(
        self, request: api.ListAliasMovesRequest, _context: object
    ) -> api.ListAliasMovesResponse:
        call, page = current_call(), self._paging.page_of(request, current_call())
        found = await self._aliases.list_moves(parse_alias(request.parent, field="parent"), page)
        return api.ListAliasMovesResponse(
            moves=map(alias.move_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )


def _message(shown: ShownAlias) -> alias_pb2.Alias:
    return alias.to_message(shown.alias, is_protected=shown.is_protected)


def _number(number: int) -> int:
    if not 1 <= number <= VERSION_NUMBER_MAX:
        raise InvalidField("version_number", f"is {number}, but versions count from 1")
    return number


def _expected(request: api.SetAliasRequest | api.DeleteAliasRequest) -> int | None:
    """Where the caller thinks the alias points; None when the request does not say."""
    if not request.HasField("expected_version_number"):
        return None
    if not 0 <= request.expected_version_number <= VERSION_NUMBER_MAX:
        raise InvalidField("expected_version_number", "must be the number of a version, or 0")
    return request.expected_version_number
