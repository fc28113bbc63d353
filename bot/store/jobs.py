"""The `jobs` table: admission, claims and changes of jobs. Each method is one whole transaction."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping
from sqlalchemy.sql.dml import ReturningUpdate

from bot.core import moves
from bot.core.errors import Broken, Stopped, Unwritten
from bot.core.jobs import HELD, SOFT_DEADLINE, Job, Reason, Status
from bot.core.learned import Key, MadeVideo
from bot.core.orders import Address
from bot.core.plans import Took
from bot.core.posts import Post, PostKind
from bot.core.prices import Cost
from bot.core.quotas import Limits, Usage
from bot.store import admission, blocks, claims, holds, turns
from bot.store.database import Part
from bot.store.posts import claim_one
from bot.store.rows import QUEUED, SPELT, job_of
from bot.store.statements import Said
from bot.store.tables import jobs
from bot.store.usage import known, usage
from bot.store.writing import get, readable, save

_SAMPLES = 1000
"""Number of latest videos of a model to learn durations from: enough for all its options."""


class Jobs(Part):
    """Implements the core's `ports.Jobs`. `core/moves` decides how a job changes."""

    async def admit(self, job: Job, limits: Limits, *, now: float, card_at: float) -> Job:
        """Insert `job` with its card, which is due at `card_at`, if the limits allow the job.

        Admissions run one at a time.

        Return the earlier job if the same event was admitted before.
        """

        def work(connection: Connection) -> Job:
            earlier = admission.by_event(connection, job)
            return earlier or admission.admit(connection, job, limits, now=now, card_at=card_at)

        return await self._database.admit(work)

    async def check_welcome(
        self, platform: str, person_id: str, *, orders: bool, now: float
    ) -> None:
        def work(connection: Connection) -> None:
            refused = blocks.refusal(connection, platform, person_id, now=now)
            if refused is None and orders and holds.is_held(connection):
                refused = Stopped()
            if refused:
                raise refused

        await self._database.read(work)

    async def get(self, job_id: str) -> Job | None:
        """Return the job with this id, or None."""
        return await self._database.read(lambda connection: get(connection, job_id))

    async def claim(
        self,
        statuses: Sequence[Status],
        *,
        now: float,
        until: float,
        most: int,
        but: Collection[str] = (),
    ) -> list[Job]:
        """Claim up to `most` due jobs, but none of `but`. An expired claim counts as a crash."""
        hand = claims.hand(now=now, until=until, most=most, but=but)
        is_by_turn = set(statuses) == {Status.QUEUED}

        def work(connection: Connection) -> list[Job]:
            if is_by_turn:
                rows = _take_by_turn(connection, hand)
            else:
                claim = _claim(tuple(statuses), but="but" in hand)
                taken = connection.execute(claim, hand)
                rows = sorted(taken.mappings(), key=lambda row: float(row["due_at"]))
            return [job for row in rows if (job := readable(connection, row))]

        # Workers claim whenever a slot becomes free, and mostly no job waits: a read is cheaper.
        is_peeked = is_by_turn and self._database.is_sqlite
        if is_peeked and not await self._database.value(Said(_QUEUED_DUE, hand)):
            return []
        return await self._database.run(work)

    async def renew(self, ids: Collection[str], *, until: float) -> None:
        await claims.renew(self._database, jobs, ids, until=until)

    async def release(self, job: Job) -> None:
        same = (jobs.c.id == job.id, jobs.c.version == job.version)
        await self._database.write(sa.update(jobs).where(*same).values(claimed_until=None))

    async def next_due(
        self, statuses: Sequence[Status], *, but: Collection[str] = ()
    ) -> float | None:
        """Return when the next job in `statuses`, but none of `but`, can be claimed, or None."""
        is_sqlite = self._database.is_sqlite
        query = _next_due(tuple(statuses), but=bool(but), is_sqlite=is_sqlite)
        return await self._database.value(Said(query, claims.others(but)))

    async def save(self, before: Job, after: Job, *, now: float) -> Job | None:
        """Write `after` and its due posts, if the row still has the version of `before`.

        Return None if the row has another version. Raises `Unwritten` as `_may_leave` does.
        """
        self._may_leave(after)
        saved = await self._database.run(
            lambda connection: save(connection, before, after, now=now)
        )
        return await self._left(before, saved, now=now)

    async def keep(
        self, before: Job, after: Job, *, now: float, until: float
    ) -> tuple[Job | None, Post | None]:
        def work(connection: Connection) -> tuple[Job | None, Post | None]:
            saved = save(connection, before, after, now=now)
            if saved is None:
                return None, None
            take = partial(claim_one, connection, saved.id, PostKind.RESULT)
            return saved, take(now=now, until=until)

        return await self._database.run(work)

    async def begin(self, job: Job, *, now: float, at_once: int | None) -> Job | None:
        """Set the job to `submitting`, if its gateway has no hold and a slot for its model is free.

        Otherwise requeue the job, until the hold ends or a slot becomes free.
        """

        def work(connection: Connection) -> Job | None:
            turns.lock(connection)
            if holds.is_held(connection, job.gateway):
                return _wait(connection, job, Reason.PAUSED, now + HELD, now=now)
            before, free_at = 0, None
            if at_once is not None:
                before, free_at = turns.jobs_before(connection, job, now=now, most=at_once)
                if before >= at_once:
                    due_at = free_at or now + SOFT_DEADLINE
                    return _wait(connection, job, Reason.AT_ONCE, due_at, now=now)
            leaving = moves.submitting(job, now=now)
            self._may_leave(leaving)
            saved = save(connection, job, leaving, now=now)
            if saved is not None and at_once is not None and before + 1 < at_once:
                turns.call_next(connection, job, now=now)
            return saved

        return await self._left(job, await self._database.run(work), now=now)

    def _may_leave(self, after: Job) -> None:
        """Raise `Unwritten` before a POST if the database file is gone.

        The row would be lost with the file, and the next start would repeat the POST.
        """
        if after.status is Status.SUBMITTING and self._database.is_gone:
            raise Unwritten("database_gone")

    async def _left(self, before: Job, saved: Job | None, *, now: float) -> Job | None:
        """Check once more, just before the first byte is sent, that the file with the row exists.

        A file that is lost later than this is saved in a copy that has this row. Requeues the job
        and raises `Unwritten` if the file is gone.
        """
        if saved is None or saved.status is not Status.SUBMITTING:
            return saved
        try:
            await self._database.must_be_there()
        except Unwritten:
            back = moves.requeued(saved, due_at=now, attempts=before.attempts, reason=before.reason)
            await self._database.run(lambda connection: save(connection, saved, back, now=now))
            raise
        return saved

    async def accept(
        self,
        job_id: str,
        gateway_id: str,
        *,
        sources: tuple[str, ...] = (),
        cost: Cost | None = None,
        now: float,
        due_at: float,
    ) -> Job:
        """Mark the job as accepted under this gateway id, if it is submitting or unconfirmed.

        Does nothing if the job has the id already, unless it is unconfirmed. Raises `Broken` if
        there is no such job, or if it is in another state.
        """

        def work(connection: Connection) -> Job:
            job = get(connection, job_id, lock=True)
            if job is None:
                raise Broken("job_unknown", job=job_id)
            # A job that a restore made unconfirmed may have its id already: it must still go on.
            if job.gateway_id == gateway_id and job.status is not Status.UNCONFIRMED:
                return job
            after = moves.accepted(
                job, gateway_id, sources=sources, cost=cost, now=now, due_at=due_at
            )
            saved = save(connection, job, after, now=now)
            if saved is None:
                raise Broken("job_changed", job=job_id)
            return saved

        return await self._database.run(work)

    async def expire_claims(self, *, now: float) -> int:
        """Expire all claims on jobs at the start of the service, and return their number.

        No other process runs then, so the claims are those of processes that have died.
        """
        return await claims.expire(self._database, jobs, now=now)

    async def usage(self, address: Address, person_id: str, limits: Limits, *, now: float) -> Usage:
        """Return today's usage by this person, the place's community and the purse of `limits`."""
        asked = address, person_id, limits, now
        found = await self._database.read(lambda it: known(it, *asked))
        if found is not None:
            return found
        return await self._database.run(lambda it: usage(it, *asked))

    async def has_ordered(self, platform: str, person_id: str) -> bool:
        theirs = sa.and_(jobs.c.platform == platform, jobs.c.person == person_id)
        return bool(await self._database.value(sa.select(sa.exists().where(theirs))))

    async def recent(self, platform: str, person_id: str, *, most: int) -> list[Job]:
        return await self._database.rows(_own(platform, person_id).limit(most), job_of)

    async def made(self, platform: str, person_id: str, *, most: int, skip: int) -> list[Job]:
        had = sa.or_(jobs.c.video.is_not(None), jobs.c.video_gone_at.is_not(None))
        query = _own(platform, person_id).where(had)
        return await self._database.rows(query.limit(most).offset(skip), job_of)

    async def ahead(self, job: Job) -> int | None:
        if job.status is not Status.QUEUED or job.reason is not Reason.AT_ONCE:
            return None
        return await self._database.read(partial(turns.ahead, job=job))

    async def waiting(self, address: Address) -> list[Job]:
        """Return the queued jobs of a community, or of a private channel; the oldest first."""
        here = jobs.c.community == address.community
        if address.community is None:
            channel = jobs.c.order_data["call", "address", "channel"].as_string()
            here = sa.and_(jobs.c.community.is_(None), channel == address.channel)
        query = (
            sa.select(jobs)
            .where(jobs.c.platform == address.platform, here)
            .where(jobs.c.status == QUEUED, jobs.c.due_at.is_not(None))
            .order_by(jobs.c.created_at)
        )
        return await self._database.rows(query, job_of)

    async def durations(self, model: str) -> list[MadeVideo]:
        columns = jobs.c.seconds, jobs.c.gateway, jobs.c.made_after
        quality = jobs.c.request_data["quality"].as_string()
        latest = (
            sa.select(*columns, quality.label("quality"))
            .add_columns((jobs.c.completed_at - jobs.c.submitted_at).label("until"))
            .where(jobs.c.model == model, jobs.c.made_after.is_not(None))
            .order_by(jobs.c.completed_at.desc())
            .limit(_SAMPLES)
        )
        return await self._database.rows(latest, partial(_made, model))


def _made(model: str, row: RowMapping) -> MadeVideo:
    key = Key(model, row["seconds"], row["gateway"], row["quality"])
    return MadeVideo(key, Took(row["made_after"], row["until"]))


def _wait(
    connection: Connection, job: Job, reason: Reason, due_at: float, *, now: float
) -> Job | None:
    waiting = moves.requeued(job, due_at=due_at, attempts=job.attempts, reason=reason)
    return save(connection, job, waiting, now=now)


def _groups(statuses: Sequence[Status]) -> list[sa.ColumnElement[bool]]:
    return [jobs.c.status == SPELT[status] for status in statuses]


@cache
def _claim(statuses: tuple[Status, ...], *, but: bool) -> ReturningUpdate[Any]:
    return claims.take(jobs, _groups(statuses), but=but, **_TAKEN)


@cache
def _claim_by_turn(*, many: bool, but: bool) -> ReturningUpdate[Any]:
    (queued,) = _groups([Status.QUEUED])
    return claims.take_by_turn(jobs, queued, turn=_TURN, many=many, but=but, **_TAKEN)


@cache
def _next_due(statuses: tuple[Status, ...], *, but: bool, is_sqlite: bool) -> sa.Select[Any]:
    return claims.next_due(jobs, _groups(statuses), but=but, is_sqlite=is_sqlite)


def _take_by_turn(connection: Connection, hand: Mapping[str, Any]) -> list[RowMapping]:
    """Claim due queued jobs, and return them in the order of their turns.

    Many jobs with early turns may not be due yet. So a few due jobs are found by their due time and
    then sorted; many due jobs are read in the order of their turns.
    """
    due = connection.scalar(_QUEUED_DUE, hand) or 0
    if not due:
        return []
    claim = _claim_by_turn(many=due > claims.FEW, but="but" in hand)
    rows = connection.execute(claim, hand).mappings()
    return sorted(rows, key=lambda row: (row["turn"], row["created_at"]))


_TURN = (jobs.c.turn, jobs.c.created_at)
_TAKEN = {
    "version": jobs.c.version + 1,
    "crashes": jobs.c.crashes + sa.case((jobs.c.claimed_until.is_(None), 0), else_=1),
}
_QUEUED_DUE = claims.due_up_to(jobs, *_groups([Status.QUEUED]), most=claims.FEW + 1)


def _own(platform: str, person_id: str) -> sa.Select[Any]:
    own = sa.and_(jobs.c.platform == platform, jobs.c.person == person_id)
    return sa.select(jobs).where(own).order_by(jobs.c.created_at.desc())
