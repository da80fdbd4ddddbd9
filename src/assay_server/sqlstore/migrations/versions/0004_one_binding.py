"""A role is bound to a member once in a scope; of duplicates the oldest stays."""

from alembic import op

revision = "0004"
down_revision = "0003"

_INDEX = "uq_role_bindings_what"


def upgrade() -> None:
    """Drop later duplicates, which gave nobody anything, and let none come again."""
    op.execute(
        "DELETE FROM role_bindings WHERE EXISTS (SELECT 1 FROM role_bindings AS kept WHERE "
        "kept.scope = role_bindings.scope AND kept.role = role_bindings.role "
        "AND kept.member = role_bindings.member "
        "AND (kept.create_time < role_bindings.create_time "
        "OR (kept.create_time = role_bindings.create_time "
        "AND kept.binding_id < role_bindings.binding_id)))"
    )
    op.create_index(_INDEX, "role_bindings", ["scope", "role", "member"], unique=True)


def downgrade() -> None:
    """Drop the index. The duplicates do not come back: nobody had more by them."""
    op.drop_index(_INDEX, table_name="role_bindings")
