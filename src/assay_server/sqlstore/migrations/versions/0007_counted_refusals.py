"""An entry of the trail may stand for several refusals."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the number: each entry that is there stands for itself."""
    op.add_column(
        "audit_entries", sa.Column("entry_count", _NUMBER, nullable=False, server_default="1")
    )


def downgrade() -> None:
    """Drop the number: what was counted is one entry then."""
    op.drop_column("audit_entries", "entry_count")
