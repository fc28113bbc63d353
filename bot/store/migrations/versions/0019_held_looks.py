"""An index of claimed polls, which finds a dead process's claims without reading other rows."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    held = sa.text("status = 'in_progress' AND claimed_until IS NOT NULL")
    op.create_index(
        "ix_jobs_held",
        "jobs",
        ["claimed_until"],
        sqlite_where=held,
        postgresql_where=held,
    )
