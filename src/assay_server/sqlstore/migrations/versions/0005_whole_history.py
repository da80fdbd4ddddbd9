"""The past of gates and role bindings, since when evaluations are there, and how old history is.

What they are now is the first row of their history. The oldest revision that can be asked for
becomes that of now, since what gates and bindings were before it nobody wrote down.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NOW = "(SELECT value FROM counters WHERE name = 'revision')"
_GATE = (
    "namespace_id, model_id, gate_id, dataset_digest, description, updated_by, update_time, "
    "etag, rules"
)
_BINDING = "scope, binding_id, role, member, created_by, create_time"
_OLDER = ("model_history", "version_history")


def _names(*columns: str) -> list[sa.Column[Any]]:
    """Texts that are compared by their bytes."""
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return [sa.Column(column, kind, nullable=False) for column in columns]


def _texts(*columns: str) -> list[sa.Column[Any]]:
    return [sa.Column(column, sa.Text(), nullable=False) for column in columns]


def _number(column: str, default: str | None = None) -> sa.Column[Any]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(column, kind, nullable=False, server_default=default)


def upgrade() -> None:
    """Make the rest of the history, all of it beginning now."""
    op.create_table(
        "gate_history",
        *_names("namespace_id", "model_id", "gate_id"),
        _number("revision"),
        *_texts("dataset_digest", "description", "updated_by"),
        _number("update_time"),
        *_texts("etag", "rules"),
        _number("is_removed"),
        sa.PrimaryKeyConstraint(
            "namespace_id", "model_id", "gate_id", "revision", name="pk_gate_history"
        ),
        sa.ForeignKeyConstraint(
            ["namespace_id"], ["namespaces.namespace_id"], name="fk_gate_history_namespaces"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "role_binding_history",
        *_names("scope", "binding_id"),
        _number("revision"),
        *_texts("role", "member", "created_by"),
        _number("create_time"),
        _number("is_removed"),
        sa.PrimaryKeyConstraint("scope", "binding_id", "revision", name="pk_role_binding_history"),
        sqlite_strict=True,
    )
    op.create_table(
        "moments",
        _number("revision"),
        _number("time"),
        sa.PrimaryKeyConstraint("revision", name="pk_moments"),
        sqlite_strict=True,
    )
    for table in (*_OLDER, "gate_history", "role_binding_history"):
        op.create_index(f"ix_{table}_revision", table, ["revision"])
    # Servers from before this migration write evaluations without it.
    op.add_column("evaluations", _number("revision", "0"))
    op.execute(
        f"INSERT INTO gate_history ({_GATE}, revision, is_removed) "
        f"SELECT {_GATE}, {_NOW}, 0 FROM gates"
    )
    op.execute(
        f"INSERT INTO role_binding_history ({_BINDING}, revision, is_removed) "
        f"SELECT {_BINDING}, {_NOW}, 0 FROM role_bindings"
    )
    op.execute(f"UPDATE counters SET value = {_NOW} WHERE name = 'oldest_state'")


def downgrade() -> None:
    """Forget it. What models and versions were can be asked for as before, from the same on."""
    op.drop_column("evaluations", "revision")
    for table in _OLDER:
        op.drop_index(f"ix_{table}_revision", table_name=table)
    for table in ("moments", "role_binding_history", "gate_history"):
        op.drop_table(table)
