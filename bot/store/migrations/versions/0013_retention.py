"""Times for the removal of a job's videos, pictures, sounds and texts after its end."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_KEPT = {
    "video": "video IS NOT NULL",
    "inputs": "inputs_gone_at IS NULL",
    "words": "words_gone_at IS NULL",
}


def upgrade() -> None:
    for name in ("ended_at", "video_gone_at", "inputs_gone_at", "words_gone_at"):
        op.add_column("jobs", sa.Column(name, sa.Double()))
    # Earlier versions noted the end of delivered jobs only; for others this is a close estimate.
    op.execute(
        "UPDATE jobs SET ended_at ="
        " COALESCE(delivered_at, completed_at, submitted_at, created_at)"
        " WHERE status IN ('delivered', 'failed', 'cancelled', 'unconfirmed')"
        " OR (status = 'completed' AND reason = 'undeliverable')"
    )
    for name, kept in _KEPT.items():
        op.create_index(
            f"ix_jobs_{name}_kept",
            "jobs",
            ["ended_at"],
            sqlite_where=sa.text(kept),
            postgresql_where=sa.text(kept),
        )
    op.create_table(
        "discarded",
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_discarded")),
    )
