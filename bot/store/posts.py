"""The `posts` table: what is still to be said, and what stands. One transaction per method."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.core import moves
from bot.core.errors import Broken
from bot.core.jobs import Job, Status
from bot.core.posts import ALL_KINDS, Form, Post, PostKind, looks
from bot.store import claims
from bot.store.database import Part
from bot.store.rows import job_of, post_of, saved_values
from bot.store.statements import insert, one
from bot.store.tables import jobs, posts

_INSTANT = 0.001
"""Seconds: the least that tells two due times of a post apart."""
_TAKEN = {
    "version": posts.c.version + 1,
    # Counted before the work: a message that kills the process is not tried for ever.
    "attempts": posts.c.attempts + 1,
}
"""A claim changes these as well."""


async def owe(connection: AsyncConnection, job: Job, due: Mapping[PostKind, float]) -> None:
    """Add the posts that a change of `job` owes; one that stands is marked for a change.

    One that was never sent keeps its own due time: the command's answer may still become the card.
    One that is being said right now gets a new due time: what is said was read before this change.
    """
    for kind, due_at in due.items():
        # The channel never sees what is for the person alone, not even as a first try.
        direct = job.private and kind is not PostKind.CARD
        row = insert(connection, posts).values(
            job_id=job.id,
            platform=job.order.call.address.platform,
            kind=kind.value,
            due_at=due_at,
            attempts=0,
            direct=direct,
        )
        await connection.execute(_once(row, due_at))


async def owe_cards(connection: AsyncConnection, ids: Collection[str], *, due_at: float) -> None:
    """The same for the cards of those of these jobs that are being made, at one time."""
    theirs = sa.select(
        jobs.c.id,
        jobs.c.platform,
        sa.literal(PostKind.CARD.value),
        sa.literal(due_at),
        sa.literal(0),
        sa.false(),
    ).where(jobs.c.id.in_(ids), jobs.c.status == Status.IN_PROGRESS.value)
    columns = ["job_id", "platform", "kind", "due_at", "attempts", "direct"]
    row = insert(connection, posts).from_select(columns, theirs, include_defaults=False)
    await connection.execute(_once(row, due_at))


async def claim_one(
    connection: AsyncConnection, job_id: str, kind: PostKind, *, now: float, until: float
) -> Post | None:
    """Claim the post if it is due and nobody has it."""
    free = sa.and_(
        posts.c.job_id == job_id,
        posts.c.kind == kind.value,
        posts.c.due_at <= now,
        posts.c.claimed_until.is_(None),
    )
    claim = sa.update(posts).where(free).values(claimed_until=until, **_TAKEN).returning(*posts.c)
    return await one(connection, claim, post_of)


def _once(row: sqlite.Insert | postgresql.Insert, due_at: float) -> sa.Insert:
    return row.on_conflict_do_update(
        index_elements=[posts.c.job_id, posts.c.kind], set_={"due_at": _due_once_more(due_at)}
    )


def _due_once_more(due_at: float) -> sa.Case[Any]:
    held = posts.c.claimed_until.is_not(None)
    anew = sa.case((posts.c.due_at >= due_at, posts.c.due_at + _INSTANT), else_=due_at)
    stands = posts.c.message_id.is_not(None)
    sooner = sa.case((posts.c.due_at < due_at, posts.c.due_at), else_=due_at)
    return sa.case((held, anew), (stands, sooner), else_=posts.c.due_at)


class Posts(Part):
    """Implements the core's `ports.Posts`."""

    async def claim(
        self,
        platforms: Sequence[str],
        kinds: Sequence[PostKind] = ALL_KINDS,
        *,
        now: float,
        until: float,
        most: int,
        but: Collection[int] = (),
    ) -> list[Post]:
        """Take up to `most` due posts of these platforms and kinds, but none of `but`."""
        claim = _claim(tuple(platforms), tuple(kinds), but=bool(but))
        hand = claims.hand(now=now, until=until, most=most, but=but)
        taken = await self._database.rows(claim, post_of, hand)
        return sorted(taken, key=lambda post: (post.due_at, post.id))

    async def renew(self, ids: Collection[int], *, until: float) -> None:
        await claims.renew(self._database, posts, ids, until=until)

    async def release(self, post: Post) -> None:
        await self._change(post, claimed_until=None)

    async def next_due(
        self,
        platforms: Sequence[str],
        kinds: Sequence[PostKind] = ALL_KINDS,
        *,
        but: Collection[int] = (),
    ) -> float | None:
        """When the earliest post, but none of `but`, can be claimed."""
        is_sqlite, given = self._database.is_sqlite, (tuple(platforms), tuple(kinds))
        query = _next_due(*given, but=bool(but), is_sqlite=is_sqlite)
        return await self._database.value(query, claims.others(but))

    async def get(self, job_id: str, kind: str) -> Post | None:
        """The post of this kind about that job."""
        query = sa.select(posts).where(posts.c.job_id == job_id, posts.c.kind == kind)
        return await self._database.one(query, post_of)

    async def about(self, platform: str, chat: str, message_id: str) -> str | None:
        there = sa.or_(posts.c.channel_id == chat, posts.c.channel_id.like(f"{chat}/%"))
        query = sa.select(posts.c.job_id).where(
            posts.c.platform == platform, posts.c.message_id == message_id, there
        )
        return await self._database.value(query)

    async def sending(self, post: Post, form: Form, *, now: float) -> Post | None:
        begun = post.sending_at if post.form is form and post.sending_at else now
        return await self._change(post, form=form.value, sending_at=begun)

    async def unsent(self, post: Post) -> None:
        await self._change(post, sending_at=None)

    async def fall(self, post: Post, form: Form | None, *, direct: bool) -> None:
        same = (post.form, post.direct) == (form, direct)
        await self._change(
            post,
            form=form.value if form else None,
            direct=direct,
            sending_at=None,
            attempts=post.attempts if same else 0,
            claimed_until=None,
        )

    async def sent(
        self,
        post: Post,
        message_id: str,
        channel_id: str,
        *,
        now: float,
        again_at: float | None = None,
        until: float | None = None,
    ) -> Post | None:
        """It stands, whoever has the claim by now: what people see is not taken back."""
        # Somebody else took it meanwhile, and may have given it up: looked at once more.
        lost = posts.c.version != post.version
        due_at = sa.case((lost, now), else_=_unless_newer(post, again_at))

        async def work(connection: AsyncConnection) -> Post | None:
            # Locked first, as by whoever changes a job and what it owes.
            job = await _locked(connection, post.job_id)
            await connection.execute(
                sa.update(posts)
                .where(posts.c.id == post.id)
                .values(
                    message_id=message_id,
                    channel_id=channel_id,
                    sending_at=None,
                    claimed_until=None,
                    attempts=0,
                    due_at=due_at,
                )
            )
            if post.kind is PostKind.RESULT:
                await _deliver(connection, job, now=now)
            if post.kind is PostKind.CARD:
                return None
            await _outdate(connection, post, job, now=now)
            if until is None:
                return None
            return await claim_one(connection, job.id, PostKind.CARD, now=now, until=until)

        return await self._database.run(work)

    async def put_off(self, post: Post, *, due_at: float | None, tried: bool = True) -> None:
        """Try again then; None parks it: kept, listed, no longer tried by itself.

        A due time newer than the claim stays. `tried`: whether this counts as a try.
        """
        attempts = post.attempts if tried else post.attempts - 1
        later = _unless_newer(post, due_at)
        await self._change(post, due_at=later, claimed_until=None, attempts=attempts)

    async def posted(
        self,
        shown: Job,
        message_id: str,
        channel_id: str,
        *,
        now: float | None = None,
        until: float | None = None,
    ) -> Job | None:
        async def work(connection: AsyncConnection) -> Job | None:
            # Locked: a change that is just being written must see the message, or we the change.
            job = await _locked(connection, shown.id)
            # Of one that is over the end may be told already: then its card goes.
            moved_on = job.is_final or looks(job) != looks(shown)
            await connection.execute(
                sa.update(posts)
                .where(posts.c.job_id == shown.id, posts.c.kind == PostKind.CARD.value)
                .where(posts.c.message_id.is_(None))
                .values(
                    message_id=message_id, channel_id=channel_id, due_at=0.0 if moved_on else None
                )
            )
            if now is None:
                return None
            return await _leave(connection, job, now=now, until=until)

        return await self._database.run(work)

    async def expire_claims(self, *, now: float) -> int:
        """At the start of the only process: every older claim belongs to the dead."""
        return await claims.expire(self._database, posts, now=now)

    async def _change(self, post: Post, **values: object) -> Post | None:
        """Behind the fence of the claim: None if it was given back, or somebody else's since."""
        held = sa.and_(
            posts.c.id == post.id,
            posts.c.version == post.version,
            posts.c.claimed_until.is_not(None),
        )
        change = sa.update(posts).where(held).values(values).returning(*posts.c)
        return await self._database.one(change, post_of)


def _unless_newer(post: Post, due_at: float | None) -> sa.ColumnElement[float | None]:
    """`due_at`, unless something new became due while the post was in somebody's hands."""
    return sa.case((posts.c.due_at == post.due_at, due_at), else_=posts.c.due_at)


def _of(platforms: Iterable[str], kinds: Iterable[PostKind]) -> list[sa.ColumnElement[bool]]:
    """One group for each kind of each platform."""
    return [
        sa.and_(posts.c.platform == platform, posts.c.kind == kind.value)
        for platform, kind in product(platforms, kinds)
    ] or [sa.false()]


@cache
def _claim(
    platforms: tuple[str, ...], kinds: tuple[PostKind, ...], *, but: bool
) -> ReturningUpdate[Any]:
    return claims.take(
        posts,
        _of(platforms, kinds),
        but=but,
        **_TAKEN,
    )


@cache
def _next_due(
    platforms: tuple[str, ...], kinds: tuple[PostKind, ...], *, but: bool, is_sqlite: bool
) -> sa.Select[Any]:
    return claims.next_due(posts, _of(platforms, kinds), but=but, is_sqlite=is_sqlite)


async def _leave(
    connection: AsyncConnection, job: Job, *, now: float, until: float | None
) -> Job | None:
    """Let an order go that waits for nothing but its answer."""
    if not moves.awaits_answer(job):
        return None
    left = replace(job, due_at=now, claimed_until=until, version=job.version + 1)
    changed = saved_values(job, left)
    await connection.execute(sa.update(jobs).where(jobs.c.id == job.id).values(changed))
    return left


async def _deliver(connection: AsyncConnection, job: Job, *, now: float) -> None:
    if job.status is not Status.COMPLETED:
        return
    after = moves.timed(job, moves.delivered(job, now=now), now=now)
    await connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job.id)
        .values(saved_values(job, replace(after, version=job.version + 1)))
    )


async def _outdate(connection: AsyncConnection, end: Post, job: Job, *, now: float) -> None:
    """All that was said of a job before its end is due; tries of edits are none of removing it."""
    others = posts.c.kind.not_in([end.kind.value, PostKind.RESULT.value])
    earlier = sa.update(posts).where(posts.c.job_id == job.id, others)
    await connection.execute(earlier.values(attempts=0, due_at=_due_once_more(now)))


async def _locked(connection: AsyncConnection, job_id: str) -> Job:
    query = sa.select(jobs).where(jobs.c.id == job_id).with_for_update()
    job = await one(connection, query, job_of)
    if job is None:
        raise Broken("job_unknown", job=job_id)
    return job
