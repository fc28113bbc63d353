"""Corrections of times in rows after the machine's clock was set.

All times that still matter are shifted with the clock, so a row due in ten seconds is still due in
ten seconds. Versions of rows stay the same, since a running step writes only columns it changes.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.store import tables, usage
from bot.store.database import Part
from bot.store.rows import JOB_TIMES
from bot.store.statements import put, setting

DAYS = 2 * 86_400.0
"""Seconds for which the times of a finished job are still shifted, as limits count the job."""
FURTHEST = 2 * 3600.0
"""Seconds: a due time or claim further in the future was written while the clock was wrong."""
SLACK = 60.0
SEEN = "clock.seen"
"""The setting with the latest time at which a service used these rows."""

jobs, posts = tables.jobs, tables.posts
_MOVING: Sequence[tuple[sa.Table, Sequence[str]]] = (
    (posts, ("due_at", "claimed_until", "sending_at")),
    (tables.gateways, ("paused_until", "since", "tried_at", "refused_at")),
    (tables.refusals, ("first_at", "last_at", "passed_at")),
    (tables.last_notices, ("at",)),
    # The claim identifies the claimed notice, so it is not shifted; sending takes seconds.
    (tables.notices, ("written_at", "due_at")),
    (tables.causes, ("since", "said_at", "ended_at")),
    (tables.reports, ("written_at", "due_at", "sending_at")),
    (tables.updates, ("received_at", "due_at")),
    (tables.proposals, ("created_at",)),
    # Limits count grants from midnight on, by the same clock as orders.
    (tables.grants, ("at",)),
)


class Times(Part):
    """Times in rows, which follow the machine's clock."""

    async def seen(self) -> float | None:
        """Return the time in the setting `SEEN`, or None."""
        noted = await self._database.run(lambda connection: setting(connection, SEEN))
        return None if noted is None else float(noted)

    async def note(self, now: float) -> None:
        await self._database.run(lambda connection: _note(connection, now))

    async def shift(self, seconds: float, *, now: float, since: float = 0.0) -> None:
        """Shift all times that still matter by `seconds`; `now` is the time after the shift.

        Only times at or after `since` were written while the clock was wrong. Earlier times stay.
        """
        recent = sa.or_(jobs.c.due_at.is_not(None), jobs.c.created_at > now - seconds - DAYS)

        def moved(column: sa.Column[float]) -> sa.ColumnElement[float]:
            return sa.case((column >= since, column + seconds), else_=column)

        def work(connection: Connection) -> None:
            usage.forget(connection)  # one recount is cheaper than a trigger for each job
            connection.execute(
                sa.update(jobs).where(recent).values({it: moved(jobs.c[it]) for it in JOB_TIMES})
            )
            for table, columns in _MOVING:
                values = {it: moved(table.c[it]) for it in columns}
                connection.execute(sa.update(table).values(values))
            _note(connection, now)

        await self._database.run(work)

    async def settle(self, *, now: float) -> None:
        """Correct impossible times, which steps read before a shift and wrote after it."""
        later = now + FURTHEST
        sent = jobs.c.submitted_at
        unfinished = jobs.c.due_at.is_not(None)

        def work(connection: Connection) -> None:
            for table in (jobs, posts, tables.notices, tables.reports):
                for name in ("due_at", "claimed_until"):
                    late = table.c[name] > later
                    connection.execute(sa.update(table).where(late).values({name: now}))
            early = sa.and_(unfinished, sent < jobs.c.created_at - SLACK)
            connection.execute(sa.update(jobs).where(early).values(submitted_at=jobs.c.created_at))
            ahead = sa.and_(unfinished, sent > now + SLACK)
            connection.execute(sa.update(jobs).where(ahead).values(submitted_at=now))

        await self._database.run(work)


def _note(connection: Connection, now: float) -> None:
    put(connection, tables.settings, {"name": SEEN}, {"value": repr(now)})
