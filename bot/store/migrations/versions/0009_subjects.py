"""Subjects of notices, so that a gateway can have notices that are not about a pause."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # The subject is part of the key, so the table is created again, with the unsent notices.
    rows = op.get_bind().execute(sa.text("SELECT * FROM notices")).mappings()
    waiting = [{**row, "subject": ""} for row in rows]
    op.drop_table("notices")
    notices = op.create_table(
        "notices",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("claimed_until", sa.Double()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "gateway", "subject", "platform", "person", name=op.f("pk_notices")
        ),
    )
    if notices is not None and waiting:
        op.bulk_insert(notices, waiting)
