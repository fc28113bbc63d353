"""Indexes by status and due time, so a claim reads only due rows of one status."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for status in ("queued", "submitting", "in_progress", "completed", "converting"):
        _index("jobs", f"{status}_due", f"status = '{status}'", "due_at")
    waiting = "status = 'queued' AND reason IS NOT NULL"
    _index("jobs", "waiting", waiting, "gateway", "reason", "model", "turn", "created_at")
    flying = "status IN ('in_progress', 'submitting')"
    _index("jobs", "flying", flying, "gateway", "model", "submitted_at")
    op.drop_index("ix_jobs_running", "jobs")
    op.drop_index("ix_posts_due", "posts")
    for table, *others in (("posts", "kind"), ("reports",)):
        _index(table, "due", "due_at IS NOT NULL", "platform", *others, "due_at")
    op.create_index("ix_notices_due", "notices", ["platform", "due_at"])
    _index("updates", "next", "due_at IS NOT NULL", "source", "due_at")
    op.create_index("ix_updates_received", "updates", ["source", "received_at", "id"])


def _index(table: str, name: str, which: str, *columns: str) -> None:
    op.create_index(
        f"ix_{table}_{name}",
        table,
        columns,
        sqlite_where=sa.text(which),
        postgresql_where=sa.text(which),
    )
