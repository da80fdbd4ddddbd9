"""RegistryService on models: translate, call, translate."""

from assay.v1 import registry_service_pb2 as api
from assay_server.domain.names import ModelName, parse_model, parse_namespace, require_id
from assay_server.domain.revisions import require_as_of
from assay_server.services.models import EVERY_NAMESPACE, ModelService
from assay_server.transport.caller import current_call
from assay_server.transport.messages import model
from assay_server.transport.paging import Paging
from assay_server.transport.translating.masks import masked_fields

EVERYWHERE = f"namespaces/{EVERY_NAMESPACE}"


class ModelRpcs:
    """The RPCs on models."""

    def __init__(self, models: ModelService, paging: Paging) -> None:
        self._models = models
        self._paging = paging

    async def CreateModel(
        self, request: api.CreateModelRequest, _context: object
    ) -> api.CreateModelResponse:
        namespace_id = parse_namespace(request.parent, field="parent")
        name = ModelName(namespace_id, require_id(request.model_id, field="model_id"))
        wanted = model.from_message(request.model)
        made = await self._models.create(current_call(), name, wanted)
        return api.CreateModelResponse(model=model.to_message(made.answer), revision=made.revision)

    async def GetModel(
        self, request: api.GetModelRequest, _context: object
    ) -> api.GetModelResponse:
        found = await self._models.get(
            parse_model(request.name), as_of=require_as_of(request.as_of)
        )
        return api.GetModelResponse(model=model.to_message(found.answer), revision=found.revision)

    async def ListModels(
        self, request: api.ListModelsRequest, _context: object
    ) -> api.ListModelsResponse:
        call, page = current_call(), self._paging.page_of(request, current_call())
        namespace_id = _parent(request.parent)
        found = await self._models.list(
            call,
            namespace_id,
            page,
            show_deleted=request.show_deleted,
            as_of=require_as_of(request.as_of),
        )
        return api.ListModelsResponse(
            models=map(model.to_message, found.answer.items),
            next_page_token=self._paging.token_for(found.answer, request, call),
            revision=found.revision,
        )

    async def UpdateModel(
        self, request: api.UpdateModelRequest, _context: object
    ) -> api.UpdateModelResponse:
        name = parse_model(request.model.name, field="model.name")
        fields = masked_fields(request.update_mask, model.EDITABLE)
        change = model.from_message(request.model, fields=fields)
        made = await self._models.update(current_call(), name, change, etag=request.model.etag)
        return api.UpdateModelResponse(model=model.to_message(made.answer), revision=made.revision)

    async def DeleteModel(
        self, request: api.DeleteModelRequest, _context: object
    ) -> api.DeleteModelResponse:
        name = parse_model(request.name)
        made = await self._models.delete(current_call(), name, etag=request.etag)
        return api.DeleteModelResponse(model=model.to_message(made.answer), revision=made.revision)

    async def UndeleteModel(
        self, request: api.UndeleteModelRequest, _context: object
    ) -> api.UndeleteModelResponse:
        made = await self._models.undelete(current_call(), parse_model(request.name))
        return api.UndeleteModelResponse(
            model=model.to_message(made.answer), revision=made.revision
        )


def _parent(parent: str) -> str:
    """The namespace to list, ``-`` for all that the caller may read."""
    return EVERY_NAMESPACE if parent == EVERYWHERE else parse_namespace(parent, field="parent")
