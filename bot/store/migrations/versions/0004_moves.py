"""Communities whose id changed, and an index of posts by message."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "moves",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "old", name=op.f("pk_moves")),
    )
    stands = sa.text("message_id IS NOT NULL")
    op.create_index(
        op.f("ix_posts_message"),
        "posts",
        ["platform", "message_id"],
        sqlite_where=stands,
        postgresql_where=stands,
    )
