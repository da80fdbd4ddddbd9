"""Drafts and uploads are found by when they expire; what was given up holds no files any more."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_INDEXES = {
    "ix_drafts_open_expire_time": ("drafts", ["expire_time"]),
    "ix_uploads_open_expire_time": ("uploads", ["expire_time"]),
    "ix_uploads_open_path": ("uploads", ["namespace_id", "model_id", "draft_id", "path"]),
}


def upgrade() -> None:
    """Make the indexes, and let go of the files of abandoned drafts: they kept their bytes."""
    for name, (table, columns) in _INDEXES.items():
        op.create_index(
            name,
            table,
            columns,
            unique=False,
            sqlite_where=sa.text("state = 'OPEN'"),
            postgresql_where=sa.text("state = 'OPEN'"),
        )
    op.execute(
        "DELETE FROM draft_files WHERE EXISTS (SELECT 1 FROM drafts WHERE "
        "drafts.namespace_id = draft_files.namespace_id "
        "AND drafts.model_id = draft_files.model_id "
        "AND drafts.draft_id = draft_files.draft_id AND drafts.state = 'ABANDONED')"
    )


def downgrade() -> None:
    """Drop the indexes. The files of abandoned drafts do not come back: nobody could read them."""
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table_name=table)
