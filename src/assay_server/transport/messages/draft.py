"""Drafts on the wire."""

from collections.abc import Set

from assay.v1 import draft_pb2
from assay_server.domain import limits
from assay_server.domain.names import draft_name, version_name
from assay_server.domain.versions import Draft, DraftChange
from assay_server.transport.messages import facts, file
from assay_server.transport.translating.enums import to_enum
from assay_server.transport.translating.timestamps import to_timestamp

EDITABLE = ("facts", "description", "card", "tags")
"""Paths that an update mask may name; facts are replaced as a whole."""


def to_message(draft: Draft) -> draft_pb2.Draft:
    """Translate for an answer."""
    return draft_pb2.Draft(
        name=draft_name(draft.namespace_id, draft.model_id, draft.draft_id),
        facts=facts.to_message(draft.facts),
        description=draft.description,
        card=draft.card,
        tags=draft.tags,
        files=map(file.to_message, draft.files),
        state=to_enum(draft.state, draft_pb2.DraftState),
        version=_version(draft),
        created_by=draft.created_by,
        create_time=to_timestamp(draft.create_time),
        update_time=to_timestamp(draft.update_time),
        expire_time=to_timestamp(draft.expire_time),
        etag=draft.etag,
    )


def from_message(
    message: draft_pb2.Draft, *, fields: Set[str] = frozenset(EDITABLE)
) -> DraftChange:
    """Translate and check those ``fields`` that people edit; all else is left alone.

    Raises:
        InvalidField: One is over its limit or breaks its grammar.
    """
    change = DraftChange(
        facts=facts.from_message(message.facts) if "facts" in fields else None,
        description=message.description if "description" in fields else None,
        card=message.card if "card" in fields else None,
        tags=dict(message.tags) if "tags" in fields else None,
    )
    limits.require_description(change.description or "", field="draft.description")
    limits.require_card(change.card or "", field="draft.card")
    limits.require_tags(change.tags or {}, field="draft.tags")
    return change


def _version(draft: Draft) -> str:
    if not draft.sealed_number:
        return ""
    return version_name(draft.namespace_id, draft.model_id, draft.sealed_number)
