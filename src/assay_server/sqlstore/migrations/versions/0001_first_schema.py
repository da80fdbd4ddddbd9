"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def names(*columns: str) -> list[sa.Column[Any]]:
    """Texts that are compared by their bytes."""
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return [sa.Column(column, kind, nullable=False) for column in columns]


def texts(*columns: str) -> list[sa.Column[Any]]:
    """Texts that are only read."""
    return [sa.Column(column, sa.Text(), nullable=False) for column in columns]


def numbers(*columns: str) -> list[sa.Column[Any]]:
    """64 bits each."""
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return [sa.Column(column, kind, nullable=False) for column in columns]


def number_or_null(column: str) -> sa.Column[Any]:
    """64 bits, or nothing."""
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(column, kind, nullable=True)


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    """What tells rows apart."""
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def refers(table: str, target: str, *columns: str) -> sa.ForeignKeyConstraint:
    """A row of ``target`` by columns of the same names."""
    remote = [f"{target}.{column}" for column in columns]
    return sa.ForeignKeyConstraint(columns, remote, name=f"fk_{table}_{target}")


def check(name: str, rule: str) -> sa.CheckConstraint:
    """A rule that every row keeps."""
    return sa.CheckConstraint(rule, name=op.f(name))


def _audit_entries() -> None:
    op.create_table(
        "audit_entries",
        *numbers("time"),
        *names("entry_id"),
        *texts("principal", "certificate_sha256", "peer", "method"),
        *names("resource", "namespace_id"),
        *texts("decision", "status", "reason", "request_id", "call_id", "phase"),
        *numbers("revision", "duration_us", "bytes_in", "bytes_out"),
        *texts("role"),
        check("ck_audit_entries_decision", "decision IN ('ALLOWED', 'DENIED', 'UNDECIDED')"),
        check("ck_audit_entries_phase", "phase IN ('CALL', 'OPENED', 'CLOSED')"),
        key("audit_entries", "time", "entry_id"),
        postgresql_partition_by="RANGE (time)",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_audit_entries_namespace_id_time_entry_id",
        "audit_entries",
        ["namespace_id", "time", "entry_id"],
    )


def _counters() -> None:
    op.create_table(
        "counters",
        *names("name"),
        *numbers("value"),
        key("counters", "name"),
        postgresql_with={"fillfactor": "10"},
        sqlite_strict=True,
    )


def _events() -> None:
    op.create_table(
        "events",
        *numbers("revision", "position"),
        *texts("event_type"),
        *names("name", "namespace_id"),
        *texts("action", "actor"),
        *numbers("time"),
        *texts("kind", "subject"),
        check("ck_events_event_type", "event_type IN ('CREATED', 'UPDATED', 'DELETED')"),
        key("events", "revision", "position"),
        sqlite_strict=True,
    )
    op.create_index("ix_events_name_revision", "events", ["name", "revision"])


def _namespaces() -> None:
    op.create_table(
        "namespaces",
        *names("namespace_id"),
        *texts("display_name", "description", "created_by"),
        *numbers("create_time"),
        *texts("etag"),
        key("namespaces", "namespace_id"),
        sqlite_strict=True,
    )


def _requests() -> None:
    op.create_table(
        "requests",
        *names("principal", "method", "request_id"),
        *texts("payload_sha256"),
        *numbers("create_time", "revision"),
        *texts("answer"),
        key("requests", "principal", "method", "request_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_requests_create_time", "requests", ["create_time"])


def _role_bindings() -> None:
    op.create_table(
        "role_bindings",
        *names("scope", "binding_id"),
        *texts("role", "member", "created_by"),
        *numbers("create_time"),
        key("role_bindings", "scope", "binding_id"),
        sqlite_strict=True,
    )


def _gates() -> None:
    op.create_table(
        "gates",
        *names("namespace_id", "model_id", "gate_id"),
        *texts("dataset_digest", "description", "updated_by"),
        *numbers("update_time"),
        *texts("etag", "rules"),
        refers("gates", "namespaces", "namespace_id"),
        key("gates", "namespace_id", "model_id", "gate_id"),
        sqlite_strict=True,
    )


def _models() -> None:
    op.create_table(
        "models",
        *names("namespace_id", "model_id", "model_uid"),
        *texts("display_name", "description", "task", "keywords", "tags", "created_by"),
        *numbers("create_time", "update_time"),
        *texts("etag"),
        *numbers("version_high_water"),
        number_or_null("delete_time"),
        check("ck_models_version_high_water", "version_high_water >= 0"),
        refers("models", "namespaces", "namespace_id"),
        key("models", "namespace_id", "model_id"),
        sa.UniqueConstraint("model_uid", name=op.f("uq_models_model_uid")),
        sqlite_strict=True,
    )


def _alias_moves() -> None:
    op.create_table(
        "alias_moves",
        *names("namespace_id", "model_id", "alias_id"),
        *numbers("revision", "position", "number", "previous_number"),
        *texts("moved_by"),
        *numbers("move_time"),
        *texts("reason", "verdict"),
        check("ck_alias_moves_numbers", "number >= 0 AND previous_number >= 0"),
        refers("alias_moves", "models", "namespace_id", "model_id"),
        key("alias_moves", "namespace_id", "model_id", "alias_id", "revision", "position"),
        sqlite_strict=True,
    )


def _drafts() -> None:
    op.create_table(
        "drafts",
        *names("namespace_id", "model_id", "draft_id"),
        *texts("description", "tags", "state"),
        *names("created_by"),
        *numbers("create_time", "update_time", "expire_time"),
        *texts("etag"),
        *numbers("sealed_number"),
        *texts("facts", "card"),
        check("ck_drafts_sealed_number", "(state = 'SEALED') = (sealed_number > 0)"),
        check("ck_drafts_state", "state IN ('OPEN', 'SEALED', 'ABANDONED')"),
        refers("drafts", "models", "namespace_id", "model_id"),
        key("drafts", "namespace_id", "model_id", "draft_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_drafts_namespace_id_model_id_create_time_draft_id",
        "drafts",
        ["namespace_id", "model_id", "create_time", "draft_id"],
    )


def _versions() -> None:
    op.create_table(
        "versions",
        *names("namespace_id", "model_id"),
        *numbers("number"),
        *names("version_uid", "manifest_digest", "record_digest"),
        *texts("state", "description", "tags", "created_by"),
        *numbers("create_time", "update_time"),
        *texts("etag"),
        *names("semver"),
        *texts("published_by"),
        number_or_null("publish_time"),
        number_or_null("delete_time"),
        *texts("state_before_deletion", "state_reason"),
        *numbers("size_bytes", "file_count"),
        *texts("semver_reasons", "facts", "manifest", "publish_verdict", "card"),
        check("ck_versions_publish_time", "(semver = '') = (publish_time IS NULL)"),
        check("ck_versions_delete_time", "(state = 'DELETED') = (delete_time IS NOT NULL)"),
        check(
            "ck_versions_state",
            "state IN ('CANDIDATE', 'READY', 'DEPRECATED', 'YANKED', 'DELETED')",
        ),
        check("ck_versions_number", "number >= 1"),
        refers("versions", "models", "namespace_id", "model_id"),
        key("versions", "namespace_id", "model_id", "number"),
        sa.UniqueConstraint(
            "namespace_id",
            "model_id",
            "record_digest",
            name=op.f("uq_versions_namespace_id_model_id_record_digest"),
        ),
        sa.UniqueConstraint("version_uid", name=op.f("uq_versions_version_uid")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_versions_namespace_id_model_id_manifest_digest",
        "versions",
        ["namespace_id", "model_id", "manifest_digest"],
    )
    op.create_index(
        "uq_versions_semver",
        "versions",
        ["namespace_id", "model_id", "semver"],
        unique=True,
        sqlite_where=sa.text("semver != ''"),
        postgresql_where=sa.text("semver != ''"),
    )


def _aliases() -> None:
    op.create_table(
        "aliases",
        *names("namespace_id", "model_id", "alias_id"),
        *numbers("number"),
        *texts("moved_by"),
        *numbers("move_time"),
        *texts("etag"),
        refers("aliases", "versions", "namespace_id", "model_id", "number"),
        key("aliases", "namespace_id", "model_id", "alias_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_aliases_namespace_id_model_id_number", "aliases", ["namespace_id", "model_id", "number"]
    )


def _draft_files() -> None:
    op.create_table(
        "draft_files",
        *names("namespace_id", "model_id", "draft_id", "path"),
        *numbers("size_bytes"),
        *names("sha256"),
        *texts("media_type", "role"),
        check("ck_draft_files_size_bytes", "size_bytes >= 0"),
        refers("draft_files", "drafts", "namespace_id", "model_id", "draft_id"),
        key("draft_files", "namespace_id", "model_id", "draft_id", "path"),
        sqlite_strict=True,
    )
    op.create_index("ix_draft_files_sha256_namespace_id", "draft_files", ["sha256", "namespace_id"])


def _evaluations() -> None:
    op.create_table(
        "evaluations",
        *names("namespace_id", "model_id"),
        *numbers("number"),
        *names("evaluation_id"),
        *numbers("sample_count"),
        *texts("manifest_digest", "evaluator_code_digest", "trust", "created_by"),
        *numbers("create_time"),
        *texts("description", "tags", "dataset", "runtime", "metrics", "slices"),
        check("ck_evaluations_trust", "trust IN ('TRUSTED', 'SELF_REPORTED')"),
        refers("evaluations", "versions", "namespace_id", "model_id", "number"),
        key("evaluations", "namespace_id", "model_id", "number", "evaluation_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_evaluations_newest",
        "evaluations",
        ["namespace_id", "model_id", "number", "create_time", "evaluation_id"],
    )


def _uploads() -> None:
    op.create_table(
        "uploads",
        *names("namespace_id", "model_id", "draft_id", "upload_id", "path"),
        *numbers("size_bytes"),
        *names("sha256"),
        *texts("media_type", "role", "state"),
        *numbers("durable_bytes", "epoch"),
        *texts("created_by"),
        *numbers("create_time", "expire_time"),
        check("ck_uploads_state", "state IN ('OPEN', 'COMPLETE', 'ABORTED')"),
        check("ck_uploads_sizes", "size_bytes >= -1 AND durable_bytes >= 0"),
        refers("uploads", "drafts", "namespace_id", "model_id", "draft_id"),
        key("uploads", "namespace_id", "model_id", "draft_id", "upload_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_uploads_open_sha256",
        "uploads",
        ["sha256"],
        unique=False,
        sqlite_where=sa.text("state = 'OPEN'"),
        postgresql_where=sa.text("state = 'OPEN'"),
    )


def _version_files() -> None:
    op.create_table(
        "version_files",
        *names("namespace_id", "model_id"),
        *numbers("number"),
        *names("path"),
        *numbers("size_bytes"),
        *names("sha256"),
        *texts("media_type", "role"),
        check("ck_version_files_size_bytes", "size_bytes >= 0"),
        refers("version_files", "versions", "namespace_id", "model_id", "number"),
        key("version_files", "namespace_id", "model_id", "number", "path"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_version_files_sha256_namespace_id", "version_files", ["sha256", "namespace_id"]
    )


def upgrade() -> None:
    """Make every table."""
    _audit_entries()
    _counters()
    _events()
    _namespaces()
    _requests()
    _role_bindings()
    _gates()
    _models()
    _alias_moves()
    _drafts()
    _versions()
    _aliases()
    _draft_files()
    _evaluations()
    _uploads()
    _version_files()
    counters = sa.table("counters", sa.column("name", sa.Text), sa.column("value", sa.BigInteger))
    op.bulk_insert(
        counters,
        [
            {"name": "revision", "value": 0},
            {"name": "bindings", "value": 0},
            {"name": "oldest_event", "value": 1},
        ],
    )


def downgrade() -> None:
    """Remove every table."""
    op.drop_table("version_files")
    op.drop_table("uploads")
    op.drop_table("evaluations")
    op.drop_table("draft_files")
    op.drop_table("aliases")
    op.drop_table("versions")
    op.drop_table("drafts")
    op.drop_table("alias_moves")
    op.drop_table("models")
    op.drop_table("gates")
    op.drop_table("role_bindings")
    op.drop_table("requests")
    op.drop_table("namespaces")
    op.drop_table("events")
    op.drop_table("counters")
    op.drop_table("audit_entries")
