"""People's lasting choices, and jobs whose results go only to the person who ordered."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "preferences",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("family", sa.Text()),
        sa.Column("seconds", sa.Integer()),
        sa.Column("aspect", sa.Text()),
        sa.Column("quality", sa.Text()),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "person", name=op.f("pk_preferences")),
    )
