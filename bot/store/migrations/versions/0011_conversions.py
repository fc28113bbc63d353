"""A queue of conversions: a job keeps its original until the conversion is done."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("unconverted", sa.JSON(none_as_null=True)))
