"""Conversions have a line of their own: a job keeps the video as it came till it is converted."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("unconverted", sa.JSON(none_as_null=True)))
