"""A record of notices to operators, which outlasts the pause of a gateway."""

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
    # Operators who were told of a pause are also told of its end.
    op.execute("INSERT INTO told (gateway, word, at) SELECT name, reason, told_at FROM gateways")
    op.drop_column("gateways", "told_at")
