"""The tries to delete a video's copy on the operator's own server."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("copy_tries", sa.Integer()))
    left = sa.text("copy_tries IS NOT NULL")
    op.create_index(
        "ix_jobs_copies", "jobs", ["delivered_at"], sqlite_where=left, postgresql_where=left
    )
