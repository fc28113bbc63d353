"""The words told to operators outlast a gateway's trouble."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "told",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "word", name=op.f("pk_told")),
    )
    # Whoever knows of trouble is to hear of its end.
    op.execute("INSERT INTO told (gateway, word, at) SELECT name, reason, told_at FROM gateways")
    op.drop_column("gateways", "told_at")
