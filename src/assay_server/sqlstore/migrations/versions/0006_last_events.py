"""Of everything that is current an event is kept: what was forgotten is written anew.

Servers from before forget it again: stop all of them before migrating.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BATCH_ROWS = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMESPACE = "'namespaces/' || namespace_id"
_MODEL = f"{_NAMESPACE} || '/models/' || model_id"
_SCOPED = "CASE scope WHEN '' THEN '' ELSE scope || '/' END || 'roleBindings/' || binding_id"
_GATED = f"CASE model_id WHEN '' THEN {_NAMESPACE} ELSE {_MODEL} END || '/gates/' || gate_id"


class _Kind(NamedTuple):
    """What is current in a table, and how its columns are told in an event.

    ``documents`` are JSON; columns that end in ``_time`` are times; the others are themselves.
    """

    name: str
    columns: str
    documents: str
    current: str
    actor: str
    time: str


_KINDS: Mapping[str, tuple[str, _Kind]] = {
    "Namespace": (
        "namespaces",
        _Kind(
            _NAMESPACE,
            "namespace_id display_name description created_by create_time etag",
            "",
            "1 = 1",
            "created_by",
            "create_time",
        ),
    ),
    "Model": (
        "models",
        _Kind(
            _MODEL,
            "namespace_id model_id model_uid display_name description task created_by create_time "
            "update_time etag version_high_water delete_time",
            "keywords tags",
            "delete_time IS NULL",
            "created_by",
            "update_time",
        ),
    ),
    "Draft": (
        "drafts",
        _Kind(
            f"{_MODEL} || '/drafts/' || draft_id",
            "namespace_id model_id draft_id description state created_by create_time update_time "
            "expire_time etag sealed_number",
            "facts tags",
            "state = 'OPEN'",
            "created_by",
            "update_time",
        ),
    ),
    "Version": (
        "versions",
        _Kind(
            f"{_MODEL} || '/versions/' || number",
            "namespace_id model_id number version_uid manifest_digest record_digest state "
            "description created_by create_time update_time etag semver published_by publish_time "
            "delete_time state_reason size_bytes file_count",
            "facts tags semver_reasons publish_verdict",
            "state <> 'DELETED'",
            "created_by",
            "update_time",
        ),
    ),
    "Alias": (
        "aliases",
        _Kind(
            f"{_MODEL} || '/aliases/' || alias_id",
            "namespace_id model_id alias_id number moved_by move_time etag",
            "",
            "1 = 1",
            "moved_by",
            "move_time",
        ),
    ),
    "Evaluation": (
        "evaluations",
        _Kind(
            f"{_MODEL} || '/versions/' || number || '/evaluations/' || evaluation_id",
            "namespace_id model_id number evaluation_id sample_count manifest_digest "
            "evaluator_code_digest trust created_by create_time description",
            "dataset metrics slices runtime tags",
            "1 = 1",
            "created_by",
            "create_time",
        ),
    ),
    "Gate": (
        "gates",
        _Kind(
            _GATED,
            "namespace_id model_id gate_id dataset_digest description updated_by update_time etag",
            "rules",
            "1 = 1",
            "updated_by",
            "update_time",
        ),
    ),
    "RoleBinding": (
        "role_bindings",
        _Kind(
            _SCOPED,
            "scope binding_id role member created_by create_time",
            "",
            "1 = 1",
            "created_by",
            "create_time",
        ),
    ),
}

_INSERT = sa.text(
    "INSERT INTO events (revision, position, event_type, name, namespace_id, action, actor, time, "
    "kind, subject) VALUES (0, :position, 'CREATED', :name, :namespace_id, '', :actor, :time, "
    ":kind, :subject)"
)


def upgrade() -> None:
    """Write an event at revision 0 for each current thing that has none; no watch begins there."""
    # Migration 0004 removed duplicates of bindings without a word: they are over.
    op.execute(
        "UPDATE events SET event_type = 'DELETED' WHERE kind = 'RoleBinding' AND event_type <> "
        f"'DELETED' AND NOT EXISTS (SELECT 1 FROM role_bindings WHERE {_SCOPED} = events.name)"
    )
    positions = count()
    for kind, (table, how) in _KINDS.items():
        for batch in _forgotten(table, how):
            op.get_bind().execute(
                _INSERT,
                [{"position": next(positions), **_event(kind, how, row)} for row in batch],
            )


def downgrade() -> None:
    """Forget what servers from before would have forgotten."""
    op.execute(
        "DELETE FROM events WHERE revision < "
        "(SELECT value FROM counters WHERE name = 'oldest_event')"
    )


def _forgotten(table: str, how: _Kind) -> Iterator[list[Mapping[str, Any]]]:
    """Yield what has no event, a batch at a time; the next one is asked for when it has.

    No cursor is left open: a restore empties these tables in the same transaction.
    """
    columns = ", ".join(f"{how.columns} {how.documents}".split())
    query = sa.text(
        f"SELECT {how.name} AS event_name, {columns} FROM {table} WHERE {how.current} "
        f"AND NOT EXISTS (SELECT 1 FROM events WHERE events.name = {how.name}) "
        f"LIMIT {_BATCH_ROWS}"
    )
    while batch := op.get_bind().execute(query).mappings().all():
        yield [dict(row) for row in batch]


def _event(kind: str, how: _Kind, row: Mapping[str, Any]) -> dict[str, Any]:
    subject = {name: _told(name, row[name]) for name in how.columns.split()}
    subject |= {name: json.loads(row[name]) for name in how.documents.split()}
    if kind == "Draft":
        subject["card"] = ""
    if kind == "Version":
        subject |= {"card": "", "manifest": {"files": [], "digest": subject["manifest_digest"]}}
    scope = row.get("scope", "").split("/")
    return {
        "name": row["event_name"],
        "namespace_id": row.get("namespace_id", scope[1] if len(scope) > 1 else ""),
        "actor": row[how.actor],
        "time": row[how.time],
        "kind": kind,
        "subject": json.dumps(subject, ensure_ascii=False, separators=(",", ":")),
    }


def _told(column: str, value: Any) -> Any:
    if not column.endswith("_time") or value is None:
        return value
    return (_EPOCH + timedelta(microseconds=value)).isoformat()
