"""Counters of usage: their tables, and triggers that count in the statement that changes a job.

A new database gets the triggers with its tables, an earlier database by migration 0017. A change of
a trigger needs a migration that drops all triggers and creates them again.
"""

import sqlalchemy as sa

from bot.store.tables import metadata

# A cache of sums over the rows of `jobs`.
counters = sa.Table(
    "counters",
    metadata,
    # `person`, `community`, `purse`: jobs since the time in `counted`. `open`: a person's open jobs
    # of any day.
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("jobs", sa.BigInteger, nullable=False),
    sa.Column("videos", sa.BigInteger, nullable=False),
    sa.Column("paid", sa.BigInteger, nullable=False),
    sa.Column("spend", sa.BigInteger, nullable=False),
)
# The beginning of the day that is counted: one row, or none before the first query.
counted = sa.Table("counted", metadata, sa.Column("since", sa.Double, nullable=False))
DERIVED = (counters, counted)
"""Tables that are not copied, because they are computed from other tables."""

_KEY = ("scope", "platform", "name", "gateway")
_FIGURES = ("jobs", "videos", "paid", "spend")
_OPEN = "status IN ('queued', 'submitting', 'in_progress')"
_COUNTED = "status, quota_cost, spend_cost, created_at, platform, person, community, gateway"
"""The columns of a job on which a counter depends."""
COUNTING = 0x5A4F_4557
"""Key of the PostgreSQL advisory lock for changes of counters."""


def triggers(dialect: str) -> list[str]:
    """Return the statements that create the triggers on `sqlite` or `postgresql`."""
    return _in_sqlite() if dialect == "sqlite" else _in_postgresql()


def _in_sqlite() -> list[str]:
    lost, new = _add("OLD", -1), _add("NEW", 1)
    return [
        f"CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN {new} END",
        f"CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs BEGIN {lost} END",
        (
            f"CREATE TRIGGER jobs_changed AFTER UPDATE OF {_COUNTED} ON jobs"
            f" WHEN {_differs('IS NOT')} BEGIN {lost} {new} END"
        ),
    ]


def _in_postgresql() -> list[str]:
    return [
        (
            "CREATE OR REPLACE FUNCTION count_usage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            # Without the lock, two changes of counters in different orders could deadlock.
            f" PERFORM pg_advisory_xact_lock({COUNTING});"
            f" IF TG_OP <> 'INSERT' THEN {_add('OLD', -1)} END IF;"
            f" IF TG_OP <> 'DELETE' THEN {_add('NEW', 1)} END IF;"
            " RETURN NULL; END $$"
        ),
        (
            "CREATE TRIGGER jobs_came_or_went AFTER INSERT OR DELETE ON jobs"
            " FOR EACH ROW EXECUTE FUNCTION count_usage()"
        ),
        (
            f"CREATE TRIGGER jobs_changed AFTER UPDATE OF {_COUNTED} ON jobs FOR EACH ROW"
            f" WHEN ({_differs('IS DISTINCT FROM')}) EXECUTE FUNCTION count_usage()"
        ),
    ]


def _differs(unequal: str) -> str:
    """Build the condition that a counter changes: moves between open statuses and polls do not."""
    names = [name for name in _COUNTED.split(", ") if name != "status"]
    return " OR ".join(
        [f"OLD.{name} {unequal} NEW.{name}" for name in names]
        + [f"(OLD.{_OPEN}) {unequal} (NEW.{_OPEN})"]
    )


def _add(job: str, sign: int) -> str:
    """Build the statement that adds a row of `jobs` to its counters, or subtracts the row."""
    paid = f"CASE WHEN {job}.spend_cost > 0 THEN {sign} ELSE 0 END"
    figures = f"{sign}, {sign} * {job}.quota_cost, {paid}, {sign} * {job}.spend_cost"
    today = f"FROM counted WHERE {job}.created_at >= since"
    person = f"{job}.platform, {job}.person, {job}.gateway"
    added = ", ".join(f"{name} = counters.{name} + excluded.{name}" for name in _FIGURES)
    return (
        f"INSERT INTO counters ({', '.join(_KEY + _FIGURES)})"  # noqa: S608
        f" SELECT 'person', {person}, {figures} {today}"
        f" UNION ALL SELECT 'community', {job}.platform, {job}.community, {job}.gateway,"
        f" {figures} {today} AND {job}.community IS NOT NULL"
        f" UNION ALL SELECT 'purse', '', '', {job}.gateway, {figures} {today}"
        f" UNION ALL SELECT 'open', {person}, {sign}, 0, 0, 0 FROM counted WHERE {job}.{_OPEN}"
        f" ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {added};"
    )
