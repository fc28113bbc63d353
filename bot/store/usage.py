"""Usage: the figures that limits are compared with, read at a cost that does not grow with jobs.

Triggers count each job in the statement that inserts or changes its row (`counters.py`), so no
statement can forget to count. The counters are of one day: the day that was last asked for. The
first query for another day or time zone, or after the clock was set, counts all rows again.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.acts import Act
from bot.core.jobs import SOFT_DEADLINE, Status
from bot.core.orders import Address
from bot.core.quotas import Granted, Limits, Purse, Usage
from bot.log import get_logger
from bot.store.acts import note
from bot.store.counters import COUNTING, counted, counters
from bot.store.database import Part
from bot.store.statements import execute, once, put, setting, take_turns
from bot.store.tables import OPEN, grants, jobs, settings

log = get_logger()

DOUBT = "usage.doubt"
"""The setting with the names of the counters that were found wrong."""
_MOST = 5
"""Maximum number of wrong counters that are named."""
_KEY = tuple(counters.primary_key)
_SUMS = tuple(column for column in counters.c if column not in _KEY)
_Figures = Mapping[str, sa.ScalarSelect[Any]]


class UsageCounters(Part):
    """Implements the core's `counting.Counters`: compares and corrects the counters of usage."""

    async def compare(self) -> list[str]:
        def work(connection: Connection) -> list[str]:
            if wrong := differences(connection, most=_MOST):
                value = {"value": json.dumps(wrong)}
                put(connection, settings, {"name": DOUBT}, value)
                log.error("usage.doubted", counters=len(wrong))
                return wrong
            return _doubts(connection)

        return await self._database.run(work)

    async def doubted(self) -> list[str]:
        return await self._database.read(_doubts)

    async def recount(self, act: Act) -> None:
        def work(connection: Connection) -> None:
            trust(connection)
            note(connection, act)

        await self._database.admit(work)


def _doubts(connection: Connection) -> list[str]:
    found = setting(connection, DOUBT)
    return [str(name) for name in json.loads(found)] if found else []


def usage(
    connection: Connection, address: Address, person_id: str, limits: Limits, now: float
) -> Usage:
    """Return the usage of a person, a community and a purse; count the rows first if necessary."""
    found = known(connection, address, person_id, limits, now)
    if found is not None:
        return found
    _count(connection, limits.day(now)[0])
    return usage(connection, address, person_id, limits, now)


def known(
    connection: Connection, address: Address, person_id: str, limits: Limits, now: float
) -> Usage | None:
    """Return the usage without writing, or None if the counters are of another day."""
    since, purse = limits.day(now)[0], limits.purse
    whose = (address.platform, person_id, address.community or "")
    query = _usage(*whose, since, now - SOFT_DEADLINE, purse=purse)
    row = execute(connection, query).mappings().one()
    if row["since"] != since:
        return None
    found = {name: int(row[name]) for name in row if name not in ("since", "doubts")}
    given = {each.name: found[f"granted_{each.name}"] for each in fields(Granted)}
    return Usage(
        person_videos=found["person_videos"],
        person_tries=found["person_tries"],
        person_paid=found["person_paid"],
        person_at_once=found["open"] - found["parked"] - found["set_aside"],
        community_videos=found["community_videos"] if address.community else None,
        purse_videos=found["purse_videos"],
        purse_money=found["purse_money"],
        granted=Granted(**given),
        is_doubted=row["doubts"] is not None,
    )


@once
def _usage(
    platform: str, person: str, community: str, since: float, long_ago: float, *, purse: Purse
) -> sa.Select[Any]:
    figures: _Figures = {
        "since": sa.select(counted.c.since).scalar_subquery(),
        "doubts": sa.select(settings.c.value).where(settings.c.name == DOUBT).scalar_subquery(),
        **_of_counters(platform, person, community, purse),
        **_not_at_once(platform, person, purse, long_ago=long_ago),
        **_of_grants(platform, person, community, purse, since=since),
    }
    return sa.select(*(figure.label(name) for name, figure in figures.items()))


def _of_counters(platform: str, person: str, community: str, purse: Purse) -> _Figures:
    def counter(scope: str, where: str, name: str) -> sa.ColumnElement[bool]:
        named = (counters.c.platform == where, counters.c.name == name)
        return sa.and_(counters.c.scope == scope, *named, _pays(purse, counters.c.gateway))

    theirs, ours = counter("person", platform, person), counter("purse", "", "")
    # A job counts as paid from its admission until it is cancelled or refused without cost. So
    # jobs that are sent later can't exceed the limit.
    return {
        "person_videos": _sum(counters.c.videos, theirs),
        "person_tries": _sum(counters.c.jobs, theirs),
        "person_paid": _sum(counters.c.paid, theirs),
        "community_videos": _sum(counters.c.videos, counter("community", platform, community)),
        "purse_videos": _sum(counters.c.paid, ours),
        "purse_money": _sum(counters.c.spend, ours),
        "open": _sum(counters.c.jobs, counter("open", platform, person)),
    }


def _not_at_once(platform: str, person: str, purse: Purse, *, long_ago: float) -> _Figures:
    """Count open jobs that take too long or are set aside: they must not block their person."""
    theirs = (jobs.c.platform == platform, jobs.c.person == person, OPEN)
    long = (jobs.c.status == Status.IN_PROGRESS, jobs.c.submitted_at <= long_ago)
    one, paid = sa.literal(1), _pays(purse, jobs.c.gateway)
    return {
        "parked": _sum(one, *theirs, *long, jobs.c.due_at.is_not(None), paid),
        "set_aside": _sum(one, *theirs, jobs.c.due_at.is_(None), paid),
    }


def _of_grants(
    platform: str, person: str, community: str, purse: Purse, *, since: float
) -> _Figures:
    """Sum this day's grants for the person, the community and the purse."""
    today = sa.and_(grants.c.at >= since, grants.c.purse == purse_name(purse))
    here = sa.and_(today, grants.c.platform == platform)
    theirs = sa.and_(here, grants.c.person == person)
    community_s = sa.and_(here, grants.c.community == community)
    ours = sa.and_(today, grants.c.platform.is_(None))
    return {
        "granted_person_videos": _sum(grants.c.videos, theirs),
        "granted_person_tries": _sum(grants.c.tries, theirs),
        "granted_person_paid": _sum(grants.c.paid, theirs),
        "granted_community_videos": _sum(grants.c.videos, community_s),
        "granted_purse_videos": _sum(grants.c.videos, ours),
        "granted_purse_money": _sum(grants.c.money, ours),
    }


def purse_name(purse: Purse) -> str:
    """Return the name of a purse in the `grants` table."""
    return purse.gateway or ""


def _pays(purse: Purse, gateway: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    if purse.gateway is not None:
        return gateway == purse.gateway
    return gateway.not_in(sorted(purse.others))


def _sum(column: sa.ColumnElement[int], *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(*where).scalar_subquery()


# --- counting the rows ---------------------------------------------------------------------------


def trust(connection: Connection) -> None:
    """Delete the counters, so that the next query computes them again from the jobs.

    Also delete the note that the counters are wrong, which stops all orders.
    """
    forget(connection)
    connection.execute(sa.delete(settings).where(settings.c.name == DOUBT))


def forget(connection: Connection) -> None:
    """Remove the counters, so the next query counts again. For changes of many rows or times."""
    take_turns(connection, COUNTING)
    connection.execute(sa.delete(counters))
    connection.execute(sa.delete(counted))


def _count(connection: Connection, since: float) -> None:
    """Compute the counters from the jobs of the day that begins at `since`.

    Do nothing if another transaction has just computed them for this day.
    """
    take_turns(connection, COUNTING)
    if connection.scalar(sa.select(counted.c.since)) == since:
        return
    forget(connection)
    connection.execute(sa.insert(counted).values(since=since))
    rows = sa.union_all(*_of_jobs(1)).subquery()
    query = sa.select(*_named(rows), *_summed(rows)).group_by(*_named(rows))
    names = [column.name for column in counters.c]
    connection.execute(sa.insert(counters).from_select(names, query))


def differences(connection: Connection, *, most: int) -> list[str]:
    """Return the names of up to `most` counters that differ from the sums over the rows."""
    rows = sa.union_all(sa.select(counters), *_of_jobs(-1)).subquery()
    query = (
        sa.select(*_named(rows))
        .group_by(*_named(rows))
        .having(sa.or_(*(each != 0 for each in _summed(rows))))
        .order_by(*_named(rows))
        .limit(most)
    )
    return [" ".join(filter(None, row)) for row in connection.execute(query)]


def _named(rows: sa.Subquery) -> list[sa.ColumnElement[Any]]:
    return [rows.c[each.name] for each in _KEY]


def _summed(rows: sa.Subquery) -> list[sa.ColumnElement[Any]]:
    return [sa.func.sum(rows.c[each.name]) for each in _SUMS]


def _of_jobs(sign: int) -> list[sa.Select[Any]]:
    """Select each job's part in its counters, times `sign`, as the triggers count it."""
    day = sa.select(counted.c.since).scalar_subquery()
    c = jobs.c
    paid = sa.case((c.spend_cost > 0, sign), else_=0)
    figures = (sa.literal(sign), sign * c.quota_cost, paid, sign * c.spend_cost)
    today, nobody, none = c.created_at >= day, sa.literal(""), sa.literal(0)

    def of(scope: str, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        values = zip(counters.c, (sa.literal(scope), *columns), strict=True)
        return sa.select(*(value.label(column.name) for column, value in values))

    return [
        of("person", c.platform, c.person, c.gateway, *figures).where(today),
        of("community", c.platform, c.community, c.gateway, *figures).where(
            today, c.community.is_not(None)
        ),
        of("purse", nobody, nobody, c.gateway, *figures).where(today),
        of("open", c.platform, c.person, c.gateway, sa.literal(sign), none, none, none).where(
            OPEN, sa.exists(sa.select(counted.c.since))
        ),
    ]
