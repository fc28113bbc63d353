"""The times of a gateway in trouble: when an order last tried, when a free question failed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("gateways", sa.Column("tried_at", sa.Double()))
    op.add_column("gateways", sa.Column("refused_at", sa.Double()))
