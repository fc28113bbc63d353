"""The duration of making a video as an interval, unless a late poll found the video."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

jobs = sa.table(
    "jobs",
    sa.column("made_after", sa.Double),
    sa.column("completed_at", sa.Double),
    sa.column("submitted_at", sa.Double),
)


def upgrade() -> None:
    op.add_column("jobs", sa.Column("made_after", sa.Double()))
    # Earlier jobs have no record of polls. Jobs of a usual duration were hardly found late.
    took = jobs.c.completed_at - jobs.c.submitted_at
    soon = sa.and_(took > 0.0, took < 1800.0)
    op.execute(sa.update(jobs).where(soon).values(made_after=0.9 * took))
    op.drop_index("ix_jobs_durations", table_name="jobs")
    known = sa.text("made_after IS NOT NULL")
    op.create_index(
        "ix_jobs_made",
        "jobs",
        ["model", "completed_at"],
        sqlite_where=known,
        postgresql_where=known,
    )
