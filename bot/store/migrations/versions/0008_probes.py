"""Times of a paused gateway: of the last probe, and of the last refused free request."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("gateways", sa.Column("tried_at", sa.Double()))
    op.add_column("gateways", sa.Column("refused_at", sa.Double()))
