"""Models: named lines of versions."""

from collections.abc import AsyncGenerator, Iterable, Mapping

from google.protobuf.field_mask_pb2 import FieldMask

from assay import names
from assay.v1 import registry_service_pb2 as rpc
from assay.v1.model_pb2 import Model
from assay.verbs.session import Session


class ModelVerbs(Session):
    """Create, look at, change and hide models."""

    async def create_model(
        self,
        model: str,
        *,
        display_name: str = "",
        description: str = "",
        task: str = "",
        keywords: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        """Start a line of versions, such as ``vision/digits``.

        Raises:
            AlreadyExists: The name was ever used in the namespace.
        """
        parent, _, model_id = self._model_name(model).rpartition("/models/")
        request = rpc.CreateModelRequest(
            parent=parent,
            model_id=model_id,
            model=Model(
                display_name=display_name,
                description=description,
                task=task,
                keywords=keywords,
                tags=tags,
            ),
        )
        return (await self._calls.write(self.stubs.registry.CreateModel, request)).model

    async def get_model(self, model: str | names.Named, *, as_of: int = 0) -> Model:
        """Read one model, deleted or not, as it is or was at the revision ``as_of``."""
        request = rpc.GetModelRequest(name=self._model_name(model), as_of=as_of)
        return (await self._calls.read(self.stubs.registry.GetModel, request)).model

    async def list_models(
        self, namespace: str = "", *, show_deleted: bool = False, as_of: int = 0
    ) -> AsyncGenerator[Model, None]:
        """List models by name, of one namespace or, without one, of all that you may read."""
        parent = names.namespace_name(namespace, self._namespace or "namespaces/-")
        request = rpc.ListModelsRequest(parent=parent, show_deleted=show_deleted, as_of=as_of)
        listing = self.stubs.registry.ListModels
        async for model in self._calls.pages(listing, request, lambda page: page.models):
            yield model

    async def update_model(
        self,
        model: str | names.Named,
        *,
        display_name: str | None = None,
        description: str | None = None,
        task: str | None = None,
        keywords: Iterable[str] | None = None,
        tags: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Model:
        """Change what is given, and only that; an empty value clears the field.

        Raises:
            EtagMismatch: ``etag`` is given and the model has changed since.
        """
        given = {
            "display_name": display_name,
            "description": description,
            "task": task,
            "keywords": keywords,
            "tags": tags,
        }
        request = rpc.UpdateModelRequest(
            model=Model(
                name=self._model_name(model),
                display_name=display_name or "",
                description=description or "",
                task=task or "",
                keywords=keywords,
                tags=tags,
                etag=etag,
            ),
            update_mask=FieldMask(paths=[key for key, value in given.items() if value is not None]),
        )
        return (await self._calls.write(self.stubs.registry.UpdateModel, request)).model

    async def delete_model(self, model: str | names.Named, *, etag: str = "") -> Model:
        """Hide a model; its versions stop resolving. It keeps its name and can be restored."""
        request = rpc.DeleteModelRequest(name=self._model_name(model), etag=etag)
        return (await self._calls.write(self.stubs.registry.DeleteModel, request)).model

    async def undelete_model(self, model: str | names.Named) -> Model:
        """Restore a deleted model."""
        request = rpc.UndeleteModelRequest(name=self._model_name(model))
        return (await self._calls.write(self.stubs.registry.UndeleteModel, request)).model
