"""Usage as counters: their tables, and the triggers that count in the statement that moves a job.

A new database gets the triggers with its tables, and an earlier one by migration 0017. Who changes
them writes a migration that drops and makes them anew.
"""

import sqlalchemy as sa

from bot.store.tables import metadata

# A cache of the rows of `jobs`.
counters = sa.Table(
    "counters",
    metadata,
    # `person`, `community`, `purse`: jobs since the moment in `counted`. `open`: a person's jobs of
    # any day that a gateway has yet to make.
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("jobs", sa.BigInteger, nullable=False),
    sa.Column("videos", sa.BigInteger, nullable=False),
    sa.Column("paid", sa.BigInteger, nullable=False),
    sa.Column("spend", sa.BigInteger, nullable=False),
)
# The beginning of the day that is counted: one row, or none before it is asked for.
counted = sa.Table("counted", metadata, sa.Column("since", sa.Double, nullable=False))
DERIVED = (counters, counted)
"""Tables that are no part of a copy: they are made anew of the others."""

_KEY = ("scope", "platform", "name", "gateway")
_FIGURES = ("jobs", "videos", "paid", "spend")
_OPEN = "status IN ('queued', 'submitting', 'in_progress')"
_COUNTED = "status, quota_cost, spend_cost, created_at, platform, person, community, gateway"
"""The columns of a job on which a counter depends."""
COUNTING = 0x5A4F_4557
"""Key of the PostgreSQL advisory lock of those who change counters."""


def triggers(dialect: str) -> list[str]:
    """The statements that make them on `sqlite` or `postgresql`."""
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
            # Two that change several counters each, in another order, would wait for one another.
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
    """A step within the open states changes nothing, nor does a look."""
    names = [name for name in _COUNTED.split(", ") if name != "status"]
    return " OR ".join(
        [f"OLD.{name} {unequal} NEW.{name}" for name in names]
        + [f"(OLD.{_OPEN}) {unequal} (NEW.{_OPEN})"]
    )


def _add(job: str, sign: int) -> str:
    """Add a row of `jobs` to its counters, or take it away."""
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
