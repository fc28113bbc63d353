"""A version of posts that identifies a claim, so that claims can be renewed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("posts", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
