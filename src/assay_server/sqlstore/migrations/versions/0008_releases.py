"""An index of the releases of a model in their order, which no column has as it is.

Servers from before neither need it nor notice it.
"""

from alembic import op
from sqlalchemy import column

from assay_server.sqlstore.columns import RELEASE

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the index of what is published already."""
    is_published = column("semver") != ""
    op.create_index(
        "ix_versions_release",
        "versions",
        ["namespace_id", "model_id", RELEASE],
        sqlite_where=is_published,
        postgresql_where=is_published,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_versions_release", "versions")
