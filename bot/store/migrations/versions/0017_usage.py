"""Counters of usage with triggers, so an admission costs the same after 100,000 jobs in a day.

The counters are empty at first: the first query after an upgrade counts the day's jobs.
"""

import sqlalchemy as sa
from alembic import op

from bot.store import counters

revision = "0017"
down_revision = "0016"

_KEY = ("scope", "platform", "name", "gateway")
_FIGURES = ("jobs", "videos", "paid", "spend")
_OPEN = "status IN ('queued', 'submitting', 'in_progress')"


def upgrade() -> None:
    op.create_table("counted", sa.Column("since", sa.Double(), nullable=False))
    op.create_table(
        "counters",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _KEY),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _FIGURES),
        sa.PrimaryKeyConstraint(*_KEY, name=op.f("pk_counters")),
    )
    _index("open", _OPEN, "platform", "person", "submitted_at", "status")
    _index("own_turn", "status = 'queued'", "platform", "person", "turn")
    _index("set_aside", f"due_at IS NULL AND {_OPEN}", "platform", "person", "due_at")
    for statement in counters.triggers(op.get_bind().dialect.name):
        op.execute(statement)


def _index(name: str, which: str, *columns: str) -> None:
    where = sa.text(which)
    op.create_index(f"ix_jobs_{name}", "jobs", columns, sqlite_where=where, postgresql_where=where)
