"""Causes, and the reports to owners about them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    is_open = sa.text("status = 'unconfirmed'")
    op.create_index(
        "ix_jobs_unconfirmed",
        "jobs",
        ["ended_at"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "causes",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("said", sa.JSON()),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("said_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.PrimaryKeyConstraint("kind", "about", name=op.f("pk_causes")),
    )
    op.create_table(
        "reports",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double()),
        sa.Column("claimed_until", sa.Double()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sending_at", sa.Double()),
        sa.Column("message_id", sa.Text()),
        sa.Column("channel_id", sa.Text()),
        sa.ForeignKeyConstraint(
            ["kind", "about"],
            ["causes.kind", "causes.about"],
            name=op.f("fk_reports_kind_causes"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("kind", "about", "platform", "person", name=op.f("pk_reports")),
    )
