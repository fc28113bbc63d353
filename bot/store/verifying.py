"""Checks of the rows in a database, which change nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import Status
from bot.store import migrations
from bot.store.counters import counters
from bot.store.reading import version_of
from bot.store.statements import count
from bot.store.tables import jobs, posts
from bot.store.usage import differences

SHOWN = 5
"""Maximum number of examples that are named for each trouble."""
USAGE = "usage"
_UNCOUNTED = (Status.FAILED, Status.CANCELLED, Status.UNCONFIRMED)
"""Statuses in which a job counts for no quota."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one check. `trouble` names what is wrong, and is empty if all is right."""

    check: str
    """The name of the check: here `integrity`, `references`, `revision`, `costs`, `states` or
    `usage`; in other modules also `media` or `spool`.
    """
    looked_at: int
    trouble: tuple[str, ...] = ()


def verify(connection: Connection) -> list[Verdict]:
    """Run all checks of rows. If the tables are of another version, only the first ones run."""
    verdicts = []
    if connection.dialect.name == "sqlite":
        verdicts += [_integrity(connection), _references(connection)]
    revision = version_of(connection)
    known = str(migrations.head())
    verdicts.append(Verdict("revision", 1, () if revision == known else (revision,)))
    if revision == known:
        verdicts.append(_rows(connection, "costs", _costs()))
        verdicts.append(_rows(connection, "states", _impossible()))
        verdicts.append(_usage(connection))
    return verdicts


def _integrity(connection: Connection) -> Verdict:
    pages = (connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
    found = connection.exec_driver_sql(f"PRAGMA integrity_check({SHOWN})")
    said = tuple(str(line) for line in found.scalars())
    return Verdict("integrity", int(pages), () if said == ("ok",) else said)


def _references(connection: Connection) -> Verdict:
    found = connection.exec_driver_sql("PRAGMA foreign_key_check")
    broken = tuple(f"{row['table']} {row['rowid']}" for row in found.mappings())
    return Verdict("references", count(connection, posts), broken[:SHOWN])


def _rows(connection: Connection, check: str, wrong: Iterator[sa.ColumnElement[bool]]) -> Verdict:
    """Return the verdict on all jobs: a job is wrong if one of the conditions is true."""
    query = sa.select(jobs.c.id).where(sa.or_(*wrong)).order_by(jobs.c.id).limit(SHOWN)
    found = tuple(str(id_) for id_ in connection.execute(query).scalars())
    return Verdict(check, count(connection, jobs), found)


def _usage(connection: Connection) -> Verdict:
    """Compare the counters of usage with the sums over the rows."""
    found = differences(connection, most=SHOWN)
    return Verdict(USAGE, count(connection, counters), tuple(found))


def _costs() -> Iterator[sa.ColumnElement[bool]]:
    """Yield conditions for wrong costs, which limits would sum up."""
    yield jobs.c.quota_cost < 0
    yield jobs.c.spend_cost < 0
    yield jobs.c.told_cost < 0
    yield jobs.c.told_cost.is_(None) != jobs.c.told_currency.is_(None)
    released = [status.value for status in _UNCOUNTED]
    yield sa.and_(jobs.c.status.in_(released), jobs.c.quota_cost != 0)
    yield sa.and_(jobs.c.status == Status.CANCELLED.value, jobs.c.spend_cost != 0)


def _impossible() -> Iterator[sa.ColumnElement[bool]]:
    yield jobs.c.status.not_in([status.value for status in Status])
    at_gateway = [Status.IN_PROGRESS.value, Status.COMPLETED.value, Status.DELIVERED.value]
    yield sa.and_(jobs.c.status.in_(at_gateway), jobs.c.gateway_id.is_(None))
    yield sa.and_(jobs.c.status == Status.DELIVERED.value, jobs.c.delivered_at.is_(None))
    # A job without due time and claim would wait for ever.
    waits = [Status.QUEUED.value, Status.SUBMITTING.value, Status.IN_PROGRESS.value]
    yield sa.and_(jobs.c.status.in_(waits), jobs.c.due_at.is_(None), jobs.c.claimed_until.is_(None))
