"""Tables and a column named by the words that the code has: proposals, last notices, polls only."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    op.execute("INSERT INTO proposals SELECT id, order_data, created_at FROM drafts")
    op.create_index(op.f("ix_proposals_created"), "proposals", ["created_at"])
    op.drop_table("drafts")
    op.create_table(
        "last_notices",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "word", name=op.f("pk_last_notices")),
    )
    op.execute("INSERT INTO last_notices (gateway, word, at) SELECT gateway, word, at FROM told")
    op.drop_table("told")
    op.execute("ALTER TABLE gateways RENAME COLUMN looking TO polls_only")
