"""The schema. Times are microseconds since 1970 UTC, flags 0 or 1, structured values JSON text.

The constraints repeat the rules of ``domain``: the domain explains, the database guarantees.
Large columns come last: SQLite then reads the others without touching them.
"""

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint

from assay_server.domain.audit import Decision, Phase
from assay_server.domain.evaluations import Trust
from assay_server.domain.events import EventType
from assay_server.domain.uploads import UploadState
from assay_server.domain.versions import DraftState, VersionState
from assay_server.sqlstore.columns import (
    RELEASE,
    history_of,
    metadata,
    name,
    number,
    number_or_one,
    number_or_zero,
    one_of,
    refers,
    table,
    text,
    text_or_empty,
    time,
    time_or_null,
    while_open,
    while_published,
    whole_history_of,
)

__all__ = [
    "alias_moves",
    "aliases",
    "audit_entries",
    "counters",
    "draft_files",
    "drafts",
    "evaluations",
    "events",
    "gate_history",
    "gates",
    "metadata",
    "model_history",
    "models",
    "moments",
    "namespaces",
    "requests",
    "role_binding_history",
    "role_bindings",
    "uploads",
    "version_files",
    "version_history",
    "versions",
]

counters = table(
    "counters",
    name("name"),
    number("value"),
    PrimaryKeyConstraint("name"),
    # Every change writes a row here: room for its new versions on the same page.
    postgresql_with={"fillfactor": "10"},
)
"""``revision``: of the newest change. ``bindings``: grows with every change of a role binding.
``oldest_event``: the oldest revision whose events are kept.
``oldest_state``: the oldest revision that can be asked for (``as_of``)."""

moments = table("moments", number("revision"), time("time"), PrimaryKeyConstraint("revision"))
"""At ``time`` the newest revision was ``revision``: noted now and then, to sweep history by age."""

namespaces = table(
    "namespaces",
    name("namespace_id"),
    text("display_name"),
    text("description"),
    text("created_by"),
    time("create_time"),
    text("etag"),
    PrimaryKeyConstraint("namespace_id"),
)

models = table(
    "models",
    name("namespace_id"),
    name("model_id"),
    name("model_uid"),
    text("display_name"),
    text("description"),
    text("task"),
    text("keywords"),
    text("tags"),
    text("created_by"),
    time("create_time"),
    time("update_time"),
    text("etag"),
    number("version_high_water"),
    time_or_null("delete_time"),
    PrimaryKeyConstraint("namespace_id", "model_id"),
    UniqueConstraint("model_uid"),
    refers("namespaces", "namespace_id"),
    CheckConstraint("version_high_water >= 0", name="version_high_water"),
)

MODEL_FIXED = ("model_uid", "created_by", "create_time")
model_history = history_of(models, MODEL_FIXED)

drafts = table(
    "drafts",
    name("namespace_id"),
    name("model_id"),
    name("draft_id"),
    text("description"),
    text("tags"),
    text("state"),
    name("created_by"),
    time("create_time"),
    time("update_time"),
    time("expire_time"),
    text("etag"),
    number("sealed_number"),
    text("facts"),
    text("card"),
    PrimaryKeyConstraint("namespace_id", "model_id", "draft_id"),
    refers("models", "namespace_id", "model_id"),
    one_of("state", DraftState),
    CheckConstraint("(state = 'SEALED') = (sealed_number > 0)", name="sealed_number"),
    Index(None, "namespace_id", "model_id", "create_time", "draft_id"),
    while_open("ix_drafts_open_expire_time", "expire_time"),
)

draft_files = table(
    "draft_files",
    name("namespace_id"),
    name("model_id"),
    name("draft_id"),
    name("path"),
    number("size_bytes"),
    name("sha256"),
    text("media_type"),
    text("role"),
    PrimaryKeyConstraint("namespace_id", "model_id", "draft_id", "path"),
    refers("drafts", "namespace_id", "model_id", "draft_id"),
    CheckConstraint("size_bytes >= 0", name="size_bytes"),
    Index(None, "sha256", "namespace_id"),
)

versions = table(
    "versions",
    name("namespace_id"),
    name("model_id"),
    number("number"),
    name("version_uid"),
    name("manifest_digest"),
    name("record_digest"),
    text("state"),
    text("description"),
    text("tags"),
    text("created_by"),
    time("create_time"),
    time("update_time"),
    text("etag"),
    name("semver"),
    text("published_by"),
    time_or_null("publish_time"),
    time_or_null("delete_time"),
    text("state_before_deletion"),
    text("state_reason"),
    number("size_bytes"),
    number("file_count"),
    text("semver_reasons"),
    text("facts"),
    text("manifest"),
    text("publish_verdict"),
    text("card"),
    PrimaryKeyConstraint("namespace_id", "model_id", "number"),
    UniqueConstraint("version_uid"),
    UniqueConstraint("namespace_id", "model_id", "record_digest"),
    refers("models", "namespace_id", "model_id"),
    one_of("state", VersionState),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint("(state = 'DELETED') = (delete_time IS NOT NULL)", name="delete_time"),
    CheckConstraint("(semver = '') = (publish_time IS NULL)", name="publish_time"),
    while_published("uq_versions_semver", "namespace_id", "model_id", "semver", unique=True),
    while_published("ix_versions_release", "namespace_id", "model_id", RELEASE),
    Index(None, "namespace_id", "model_id", "manifest_digest"),
)
"""``manifest`` has the sealed files once more, as JSON: what never changes, one query reads."""

VERSION_FIXED = (
    *("version_uid", "manifest", "manifest_digest", "record_digest", "facts"),
    *("size_bytes", "file_count", "created_by", "create_time"),
)
version_history = history_of(versions, VERSION_FIXED)

version_files = table(
    "version_files",
    name("namespace_id"),
    name("model_id"),
    number("number"),
    name("path"),
    number("size_bytes"),
    name("sha256"),
    text("media_type"),
    text("role"),
    PrimaryKeyConstraint("namespace_id", "model_id", "number", "path"),
    refers("versions", "namespace_id", "model_id", "number"),
    CheckConstraint("size_bytes >= 0", name="size_bytes"),
    Index(None, "sha256", "namespace_id"),
)

aliases = table(
    "aliases",
    name("namespace_id"),
    name("model_id"),
    name("alias_id"),
    number("number"),
    text("moved_by"),
    time("move_time"),
    text("etag"),
    PrimaryKeyConstraint("namespace_id", "model_id", "alias_id"),
    refers("versions", "namespace_id", "model_id", "number"),
    Index(None, "namespace_id", "model_id", "number"),
)

alias_moves = table(
    "alias_moves",
    name("namespace_id"),
    name("model_id"),
    name("alias_id"),
    number("revision"),
    number("position"),
    number("number"),
    number("previous_number"),
    text("moved_by"),
    time("move_time"),
    text("reason"),
    text("verdict"),
    text_or_empty("etag"),
    PrimaryKeyConstraint("namespace_id", "model_id", "alias_id", "revision", "position"),
    refers("models", "namespace_id", "model_id"),
    CheckConstraint("number >= 0 AND previous_number >= 0", name="numbers"),
)
"""``position`` tells moves of one revision apart; a number of 0 stands for no version."""

evaluations = table(
    "evaluations",
    name("namespace_id"),
    name("model_id"),
    number("number"),
    name("evaluation_id"),
    number("sample_count"),
    text("manifest_digest"),
    text("evaluator_code_digest"),
    text("trust"),
    text("created_by"),
    time("create_time"),
    text("description"),
    text("tags"),
    text("dataset"),
    text("runtime"),
    text("metrics"),
    text("slices"),
    number_or_zero("revision"),
    PrimaryKeyConstraint("namespace_id", "model_id", "number", "evaluation_id"),
    refers("versions", "namespace_id", "model_id", "number"),
    one_of("trust", Trust),
    Index(
        "ix_evaluations_newest",
        "namespace_id",
        "model_id",
        "number",
        "create_time",
        "evaluation_id",
    ),
)
"""Nothing of an evaluation changes: since ``revision`` it is what it is."""

gates = table(
    "gates",
    name("namespace_id"),
    name("model_id"),
    name("gate_id"),
    text("dataset_digest"),
    text("description"),
    text("updated_by"),
    time("update_time"),
    text("etag"),
    text("rules"),
    PrimaryKeyConstraint("namespace_id", "model_id", "gate_id"),
    refers("namespaces", "namespace_id"),
)
"""``model_id`` is empty for a gate of the namespace itself."""

gate_history = whole_history_of(gates, refers("namespaces", "namespace_id"))

role_bindings = table(
    "role_bindings",
    name("scope"),
    name("binding_id"),
    text("role"),
    text("member"),
    text("created_by"),
    time("create_time"),
    PrimaryKeyConstraint("scope", "binding_id"),
    Index("uq_role_bindings_what", "scope", "role", "member", unique=True),
)

role_binding_history = whole_history_of(role_bindings)

uploads = table(
    "uploads",
    name("namespace_id"),
    name("model_id"),
    name("draft_id"),
    name("upload_id"),
    name("path"),
    number("size_bytes"),
    name("sha256"),
    text("media_type"),
    text("role"),
    text("state"),
    number("durable_bytes"),
    number("epoch"),
    text("created_by"),
    time("create_time"),
    time("expire_time"),
    PrimaryKeyConstraint("namespace_id", "model_id", "draft_id", "upload_id"),
    refers("drafts", "namespace_id", "model_id", "draft_id"),
    one_of("state", UploadState),
    CheckConstraint("size_bytes >= -1 AND durable_bytes >= 0", name="sizes"),
    while_open("ix_uploads_open_expire_time", "expire_time"),
    while_open("ix_uploads_open_path", "namespace_id", "model_id", "draft_id", "path"),
    while_open("ix_uploads_open_sha256", "sha256"),
)

events = table(
    "events",
    number("revision"),
    number("position"),
    text("event_type"),
    name("name"),
    name("namespace_id"),
    text("action"),
    text("actor"),
    time("time"),
    text("kind"),
    text("subject"),
    PrimaryKeyConstraint("revision", "position"),
    one_of("event_type", EventType),
    Index(None, "name", "revision"),
)

requests = table(
    "requests",
    name("principal"),
    name("method"),
    name("request_id"),
    text("payload_sha256"),
    time("create_time"),
    number("revision"),
    text("answer"),
    PrimaryKeyConstraint("principal", "method", "request_id"),
    Index(None, "create_time"),
)

audit_entries = table(
    "audit_entries",
    time("time"),
    name("entry_id"),
    text("principal"),
    text("certificate_sha256"),
    text("peer"),
    text("method"),
    name("resource"),
    name("namespace_id"),
    text("decision"),
    text("status"),
    text("reason"),
    text("request_id"),
    text("call_id"),
    text("phase"),
    number("revision"),
    number("duration_us"),
    number("bytes_in"),
    number("bytes_out"),
    text("role"),
    number_or_one("entry_count"),
    PrimaryKeyConstraint("time", "entry_id"),
    one_of("decision", Decision),
    one_of("phase", Phase),
    Index(None, "namespace_id", "time", "entry_id"),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (time)",
)
"""Appended to in order of time, and dropped by the month on PostgreSQL."""
