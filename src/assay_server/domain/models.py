"""Namespaces and models: the spaces that roles bind to and the lines of versions in them.

Rules:
- A name, once used in its parent, is never given to another thing, even after deletion.
- A deleted model keeps its versions and can be restored; until then nothing of it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from assay_server.domain.errors import ModelIsDeleted, NotDeleted
from assay_server.domain.names import model_name


@dataclass(frozen=True, slots=True)
class Namespace:
    """A team's space; every resource name starts with one."""

    namespace_id: str
    display_name: str
    description: str
    created_by: str
    create_time: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class Model:
    """A named line of versions.

    ``version_high_water`` is the greatest number ever given; ``delete_time`` is None while
    the model is live. ``model_uid`` is never reused.
    """

    namespace_id: str
    model_id: str
    model_uid: str
    display_name: str
    description: str
    task: str
    keywords: tuple[str, ...]
    tags: Mapping[str, str]
    created_by: str
    create_time: datetime
    update_time: datetime
    etag: str
    version_high_water: int = 0
    delete_time: datetime | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return model_name(self.namespace_id, self.model_id)


@dataclass(frozen=True, slots=True)
class ModelChange:
    """What an update asks for: None leaves a field as it is."""

    display_name: str | None = None
    description: str | None = None
    task: str | None = None
    keywords: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = field(default=None)


def require_live(model: Model) -> Model:
    """``model``, unless it is deleted.

    Raises:
        ModelIsDeleted: It is.
    """
    if model.delete_time is not None:
        raise ModelIsDeleted(model.name)
    return model


def edited(model: Model, change: ModelChange, *, now: datetime, etag: str) -> Model:
    """``model`` with what ``change`` names."""
    live = require_live(model)
    return replace(
        live,
        display_name=live.display_name if change.display_name is None else change.display_name,
        description=live.description if change.description is None else change.description,
        task=live.task if change.task is None else change.task,
        keywords=live.keywords if change.keywords is None else change.keywords,
        tags=live.tags if change.tags is None else change.tags,
        update_time=now,
        etag=etag,
    )


def deleted(model: Model, *, now: datetime, etag: str) -> Model:
    """``model`` hidden, to be restored."""
    return replace(require_live(model), delete_time=now, update_time=now, etag=etag)


def undeleted(model: Model, *, now: datetime, etag: str) -> Model:
    """``model`` restored.

    Raises:
        NotDeleted: It is live.
    """
    if model.delete_time is None:
        raise NotDeleted(model.name)
    return replace(model, delete_time=None, update_time=now, etag=etag)
