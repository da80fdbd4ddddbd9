"""Models on the wire."""

from collections.abc import Set

from assay.v1 import model_pb2
from assay_server.domain import limits
from assay_server.domain.models import Model, ModelChange
from assay_server.transport.translating.timestamps import to_timestamp

EDITABLE = ("display_name", "description", "task", "keywords", "tags")
"""Paths that an update mask may name."""


def to_message(model: Model) -> model_pb2.Model:
    """Translate for an answer."""
    return model_pb2.Model(
        name=model.name,
        uid=model.model_uid,
        display_name=model.display_name,
        description=model.description,
        task=model.task,
        keywords=model.keywords,
        tags=model.tags,
        created_by=model.created_by,
        create_time=to_timestamp(model.create_time),
        update_time=to_timestamp(model.update_time),
        delete_time=to_timestamp(model.delete_time),
        latest_version_number=model.version_high_water,
        etag=model.etag,
    )


def from_message(
    message: model_pb2.Model, *, fields: Set[str] = frozenset(EDITABLE)
) -> ModelChange:
    """Translate and check those ``fields`` that people edit; all else is left alone.

    Raises:
        InvalidField: One is over its limit or breaks its grammar.
    """
    change = ModelChange(
        display_name=message.display_name if "display_name" in fields else None,
        description=message.description if "description" in fields else None,
        task=message.task if "task" in fields else None,
        keywords=tuple(message.keywords) if "keywords" in fields else None,
        tags=dict(message.tags) if "tags" in fields else None,
    )
    limits.require_display_name(change.display_name or "", field="model.display_name")
    limits.require_description(change.description or "", field="model.description")
    limits.require_task(change.task or "", field="model.task")
    limits.require_keywords(change.keywords or (), field="model.keywords")
    limits.require_tags(change.tags or {}, field="model.tags")
    return change
