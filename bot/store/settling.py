"""Changes of jobs by an operator, each in one transaction with its act.

The lock on all slots is taken before any row, as in every transaction that frees a slot.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.acts import Act
from bot.core.errors import Broken, Refused
from bot.core.jobs import Job
from bot.core.posts import PostKind
from bot.core.quotas import Limits
from bot.core.settling import NOT_CHARGED
from bot.store import admission, turns
from bot.store.acts import note
from bot.store.database import Part
from bot.store.listing import ids_like
from bot.store.tables import acts, jobs, posts
from bot.store.writing import get, save

Change = Callable[[Job], Job]
"""A function that returns the changed job; raises `Refused`."""
_AT_ONCE = 500
"""Ids in one query."""


class Settling(Part):
    """Changes of jobs by an operator, each with its act."""

    async def ids(self, beginning: str, *, most: int) -> list[str]:
        """Return the ids that begin with `beginning`, or only that id if it exists."""
        return await ids_like(self._database, beginning, most=most)

    async def known_ids(self, base_url: str, among: Collection[str]) -> frozenset[str]:
        """Return the ids in `among` that jobs at this address have, under any name of a gateway."""
        asked = sorted(among)
        here = sa.select(jobs.c.gateway_id).where(jobs.c.base_url == base_url)

        def work(connection: Connection) -> frozenset[str]:
            found: set[str] = set()
            for start in range(0, len(asked), _AT_ONCE):
                part = jobs.c.gateway_id.in_(asked[start : start + _AT_ONCE])
                found.update(connection.scalars(here.where(part)).all())
            return frozenset(found)

        return await self._database.run(work)

    async def change(
        self, job_id: str, change: Change, act: Act, *, gateway_id: str | None = None
    ) -> tuple[Job, bool]:
        """Apply `change`. Return the job, and whether it changed; only then the act is written.

        Raises `Refused("gateway_id_taken")` if another job has this `gateway_id`.
        """

        def work(connection: Connection) -> tuple[Job, bool]:
            turns.lock(connection)
            job = _job(connection, job_id)
            after = change(job)
            if after == job:
                return job, False
            if gateway_id is not None:
                _check_free(connection, job, gateway_id)
            saved = _saved(connection, job, after, act)
            note(connection, act)
            return saved, True

        return await self._database.run(work)

    async def anew(
        self, job_id: str, change: Change, new: Job, limits: Limits, act: Act
    ) -> tuple[Job, bool]:
        """Apply `change` to the old job and admit the new job, both or neither.

        Return the admitted job and True. If the event was admitted before, return its job and
        False. Raises `Refused` like an admission.
        """

        def work(connection: Connection) -> tuple[Job, bool]:
            turns.lock(connection)
            job = _job(connection, job_id)
            if earlier := admission.by_event(connection, new):
                return earlier, False
            after = change(job)
            if after != job:
                _saved(connection, job, after, act)
            admitted = admission.admit(connection, new, limits, now=act.at, card_at=act.at)
            note(connection, replace(act, details={**act.details, "job": admitted.id}))
            return admitted, True

        return await self._database.admit(work)

    async def released(self, job_id: str) -> int | None:
        query = (
            sa.select(acts.c.details)
            .where(acts.c.subject == job_id, acts.c.action == NOT_CHARGED)
            .order_by(acts.c.id.desc())
            .limit(1)
        )
        details = await self._database.value(query)
        return int(details.get("cost", 1)) if details is not None else None

    async def call(self, job_id: str, act: Act) -> Job:
        """Make the job's next step due now, and retry its unsent posts.

        A claim on the job is not changed.
        """
        due = (
            sa.update(jobs).where(jobs.c.id == job_id, jobs.c.due_at > act.at).values(due_at=act.at)
        )
        unsaid = (
            posts.c.job_id == job_id,
            posts.c.message_id.is_(None),
            posts.c.claimed_until.is_(None),
            # A card that was never tried may still become the answer to the command.
            sa.or_(posts.c.due_at.is_(None), posts.c.attempts > 0),
        )
        # A post that may have been sent keeps its form, to be searched in chat.
        unsent = (*unsaid, posts.c.sending_at.is_(None))
        retried = sa.update(posts).where(*unsaid).values(due_at=act.at, attempts=0)

        def work(connection: Connection) -> Job:
            turns.lock(connection)
            job = _job(connection, job_id)
            alone = sa.and_(posts.c.kind != PostKind.CARD.value, sa.literal(job.private))
            fresh = sa.update(posts).where(*unsent).values(form=None, direct=alone)
            for statement in (due, fresh, retried):
                connection.execute(statement)
            note(connection, act)
            return job

        return await self._database.run(work)


def _job(connection: Connection, job_id: str) -> Job:
    job = get(connection, job_id, lock=True)
    if job is None:
        raise Refused("job_unknown")
    return job


def _saved(connection: Connection, job: Job, after: Job, act: Act) -> Job:
    saved = save(connection, job, after, now=act.at)
    if saved is None:  # its row is locked
        raise Broken("job_changed", job=job.id)
    return saved


def _check_free(connection: Connection, job: Job, gateway_id: str) -> None:
    query = sa.select(jobs.c.id).where(
        jobs.c.base_url == job.base_url, jobs.c.gateway_id == gateway_id, jobs.c.id != job.id
    )
    other = connection.scalar(query)
    if other is not None:
        raise Refused("gateway_id_taken", id=gateway_id, job=other)
