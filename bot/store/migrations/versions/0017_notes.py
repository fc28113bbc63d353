"""A job may have a remark for operators."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("note", sa.Text()))
