"""The cost of a video as its gateway told it, beside our estimate."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("told_cost", sa.BigInteger()))
    op.add_column("jobs", sa.Column("told_currency", sa.Text()))
    op.add_column("jobs", sa.Column("told_is_fee", sa.Boolean()))
