"""What models and versions became at each revision, so that the past can be asked for.

What they are now is the first row of their history: as far back as now can be read, not further.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NOW = "(SELECT value FROM counters WHERE name = 'revision')"
_MODEL = (
    "display_name, description, task, keywords, tags, update_time, etag, version_high_water, "
    "delete_time"
)
_VERSION = (
    "state, description, tags, update_time, etag, semver, published_by, publish_time, "
    "delete_time, state_before_deletion, state_reason, semver_reasons, publish_verdict, card"
)


def _names(*columns: str) -> list[sa.Column[Any]]:
    """Texts that are compared by their bytes."""
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return [sa.Column(column, kind, nullable=False) for column in columns]


def _texts(*columns: str) -> list[sa.Column[Any]]:
    return [sa.Column(column, sa.Text(), nullable=False) for column in columns]


def _numbers(*columns: str, nullable: bool = False) -> list[sa.Column[Any]]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return [sa.Column(column, kind, nullable=nullable) for column in columns]


def _table(name: str, of: str, keys: list[str], *columns: Any) -> None:
    op.create_table(
        name,
        *columns,
        sa.PrimaryKeyConstraint(*keys, "revision", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(keys, [f"{of}.{key}" for key in keys], name=f"fk_{name}_{of}"),
        sqlite_strict=True,
    )


def upgrade() -> None:
    """Make the history, beginning now."""
    _table(
        "model_history",
        "models",
        ["namespace_id", "model_id"],
        *_names("namespace_id", "model_id"),
        *_numbers("revision"),
        *_texts("display_name", "description", "task", "keywords", "tags"),
        *_numbers("update_time"),
        *_texts("etag"),
        *_numbers("version_high_water"),
        *_numbers("delete_time", nullable=True),
    )
    _table(
        "version_history",
        "versions",
        ["namespace_id", "model_id", "number"],
        *_names("namespace_id", "model_id"),
        *_numbers("number", "revision"),
        *_texts("state", "description", "tags"),
        *_numbers("update_time"),
        *_texts("etag"),
        *_names("semver"),
        *_texts("published_by"),
        *_numbers("publish_time", "delete_time", nullable=True),
        *_texts("state_before_deletion", "state_reason", "semver_reasons", "publish_verdict"),
        *_texts("card"),
    )
    # Servers from before this migration write moves without it.
    op.add_column("alias_moves", sa.Column("etag", sa.Text(), nullable=False, server_default=""))
    op.execute(
        f"INSERT INTO model_history (namespace_id, model_id, revision, {_MODEL}) "
        f"SELECT namespace_id, model_id, {_NOW}, {_MODEL} FROM models"
    )
    op.execute(
        f"INSERT INTO version_history (namespace_id, model_id, number, revision, {_VERSION}) "
        f"SELECT namespace_id, model_id, number, {_NOW}, {_VERSION} FROM versions"
    )
    op.execute(
        "UPDATE alias_moves SET etag = (SELECT aliases.etag FROM aliases WHERE "
        "aliases.namespace_id = alias_moves.namespace_id "
        "AND aliases.model_id = alias_moves.model_id "
        "AND aliases.alias_id = alias_moves.alias_id) "
        "WHERE revision = (SELECT max(later.revision) FROM alias_moves AS later WHERE "
        "later.namespace_id = alias_moves.namespace_id "
        "AND later.model_id = alias_moves.model_id "
        "AND later.alias_id = alias_moves.alias_id) "
        "AND number > 0"
    )
    op.execute(f"INSERT INTO counters (name, value) VALUES ('oldest_state', {_NOW})")


def downgrade() -> None:
    """Forget the history."""
    op.execute("DELETE FROM counters WHERE name = 'oldest_state'")
    op.drop_column("alias_moves", "etag")
    op.drop_table("version_history")
    op.drop_table("model_history")
