"""The `posts` table: what is still to be said, and what stands. One transaction per method."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core import moves
from bot.core.errors import Broken
from bot.core.jobs import Job, Status
from bot.core.posts import ALL_KINDS, Form, Post, PostKind, looks
from bot.store.database import Database, insert
from bot.store.rows import job_of, post_of, saved_values
from bot.store.tables import jobs, posts

_INSTANT = 0.001
"""Seconds: the least that tells two due times of a post apart."""


async def owe(connection: AsyncConnection, job: Job, due: Mapping[PostKind, float]) -> None:
    """Add the posts that a change of `job` owes; one that stands is marked for a change.

    One that was never sent keeps its own due time: the command's answer may still become the card.
    One that is being said right now gets a new due time: what is said was read before this change.
    """
    for kind, due_at in due.items():
        row = insert(connection, posts).values(
            job_id=job.id,
            platform=job.order.call.address.platform,
            kind=kind.value,
            due_at=due_at,
            attempts=0,
            direct=False,
        )
        held = posts.c.claimed_until.is_not(None)
        anew = sa.case((posts.c.due_at >= due_at, posts.c.due_at + _INSTANT), else_=due_at)
        stands = posts.c.message_id.is_not(None)
        sooner = sa.case((posts.c.due_at < due_at, posts.c.due_at), else_=due_at)
        await connection.execute(
            row.on_conflict_do_update(
                index_elements=[posts.c.job_id, posts.c.kind],
                set_={"due_at": sa.case((held, anew), (stands, sooner), else_=posts.c.due_at)},
            )
        )


class Posts:
    """Claims and outcomes of posts."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        free = sa.or_(posts.c.claimed_until.is_(None), posts.c.claimed_until <= now)
        chosen = (
            sa.select(posts.c.id)
            .where(posts.c.due_at <= now, *_of(platforms, kinds), free, posts.c.id.not_in(but))
            .order_by(posts.c.due_at)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte()
        )
        claimed = (
            sa.update(posts)
            .where(posts.c.id.in_(sa.select(chosen.c.id)))
            # Counted before the work: a message that kills the process is not tried for ever.
            .values(
                claimed_until=until,
                version=posts.c.version + 1,
                attempts=posts.c.attempts + 1,
            )
            .returning(*posts.c)
        )

        async def work(connection: AsyncConnection) -> list[Post]:
            rows = await connection.execute(claimed)
            taken = [post_of(row) for row in rows.mappings()]
            return sorted(taken, key=lambda post: (post.due_at, post.id))

        return await self._database.run(work)

    async def renew(self, ids: Collection[int], *, until: float) -> None:
        """Let the claims on these posts last until then; one that was let go stays so."""
        held = sa.and_(posts.c.id.in_(ids), posts.c.claimed_until.is_not(None))

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(sa.update(posts).where(held).values(claimed_until=until))

        await self._database.run(work)

    async def release(self, post: Post) -> None:
        """Give a claim back unused; nothing happens if somebody else has taken the post since."""
        await self._change(post, claimed_until=None)

    async def next_due(
        self,
        platforms: Sequence[str],
        kinds: Sequence[PostKind] = ALL_KINDS,
        *,
        but: Collection[int] = (),
    ) -> float | None:
        """When the earliest post, but none of `but`, can be claimed."""
        later = sa.func.max if self._database.is_sqlite else sa.func.greatest
        when = later(posts.c.due_at, sa.func.coalesce(posts.c.claimed_until, 0.0))
        soonest = sa.select(sa.func.min(when)).where(
            posts.c.due_at.is_not(None), *_of(platforms, kinds), posts.c.id.not_in(but)
        )

        async def work(connection: AsyncConnection) -> float | None:
            due: float | None = await connection.scalar(soonest)
            return due

        return await self._database.run(work)

    async def get(self, job_id: str, kind: str) -> Post | None:
        """The post of this kind about that job."""
        query = sa.select(posts).where(posts.c.job_id == job_id, posts.c.kind == kind)

        async def work(connection: AsyncConnection) -> Post | None:
            row = (await connection.execute(query)).mappings().first()
            return post_of(row) if row else None

        return await self._database.run(work)

    async def about(self, platform: str, chat: str, message_id: str) -> str | None:
        """The id of the job that our message is about; a chat is all of its topics."""
        there = sa.or_(posts.c.channel_id == chat, posts.c.channel_id.like(f"{chat}/%"))
        query = sa.select(posts.c.job_id).where(
            posts.c.platform == platform, posts.c.message_id == message_id, there
        )

        async def work(connection: AsyncConnection) -> str | None:
            job_id: str | None = await connection.scalar(query)
            return job_id

        return await self._database.run(work)

    async def sending(self, post: Post, form: Form, *, now: float) -> Post | None:
        """Remember, before the first byte, that a message of this form is on its way.

        None if the claim had run out and somebody else took the post.
        """
        begun = post.sending_at if post.form is form and post.sending_at else now
        return await self._change(post, form=form.value, sending_at=begun)

    async def unsent(self, post: Post) -> None:
        """Surely nothing was said: forget that a send was begun."""
        await self._change(post, sending_at=None)

    async def fall(self, post: Post, form: Form | None, *, direct: bool) -> None:
        """A definite no: the next rung, with no send under way; the same rung keeps its tries."""
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
    ) -> None:
        """It stands, whoever has the claim by now: what people see is not taken back.

        A result's job moves to `delivered` in the same transaction. `again_at`: when it has to be
        brought up to date even if nothing else happens.
        """
        due_at = _unless_newer(post, again_at)

        async def work(connection: AsyncConnection) -> None:
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
                await _deliver(connection, post.job_id, now=now)

        await self._database.run(work)

    async def put_off(self, post: Post, *, due_at: float | None, tried: bool = True) -> None:
        """Try again then; None parks it: kept, listed, no longer tried by itself.

        A due time newer than the claim stays. `tried`: whether this counts as a try.
        """
        attempts = post.attempts if tried else post.attempts - 1
        later = _unless_newer(post, due_at)
        await self._change(post, due_at=later, claimed_until=None, attempts=attempts)

    async def posted(self, shown: Job, message_id: str, channel_id: str) -> None:
        """The command's own answer, showing the job as it was then, became its card."""

        async def work(connection: AsyncConnection) -> None:
            # Locked: a change that is just being written must see the message, or we the change.
            moved_on = looks(await _locked(connection, shown.id)) != looks(shown)
            await connection.execute(
                sa.update(posts)
                .where(posts.c.job_id == shown.id, posts.c.kind == PostKind.CARD.value)
                .where(posts.c.message_id.is_(None))
                .values(
                    message_id=message_id,
                    channel_id=channel_id,
                    due_at=0.0 if moved_on else None,
                )
            )

        await self._database.run(work)

    async def expire_claims(self, *, now: float) -> int:
        """At the start of the only process: every older claim belongs to the dead."""
        expired = sa.update(posts).where(posts.c.claimed_until > now).values(claimed_until=now)

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(expired)).rowcount

        return await self._database.run(work)

    async def _change(self, post: Post, **values: object) -> Post | None:
        """Behind the fence of the claim: None if it was given back, or somebody else's since."""
        held = sa.and_(
            posts.c.id == post.id,
            posts.c.version == post.version,
            posts.c.claimed_until.is_not(None),
        )
        change = sa.update(posts).where(held).values(values).returning(*posts.c)

        async def work(connection: AsyncConnection) -> Post | None:
            row = (await connection.execute(change)).mappings().first()
            return post_of(row) if row else None

        return await self._database.run(work)


def _unless_newer(post: Post, due_at: float | None) -> sa.ColumnElement[float | None]:
    """`due_at`, unless something new became due while the post was in somebody's hands."""
    return sa.case((posts.c.due_at == post.due_at, due_at), else_=posts.c.due_at)


def _of(
    platforms: Sequence[str], kinds: Sequence[PostKind]
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return posts.c.platform.in_(platforms), posts.c.kind.in_([kind.value for kind in kinds])


async def _deliver(connection: AsyncConnection, job_id: str, *, now: float) -> None:
    job = await _locked(connection, job_id)
    if job.status is not Status.COMPLETED:
        return
    after = moves.timed(job, moves.delivered(job, now=now), now=now)
    await connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id)
        .values(saved_values(job, replace(after, version=job.version + 1)))
    )
    await owe(connection, after, {PostKind.CARD: now})


async def _locked(connection: AsyncConnection, job_id: str) -> Job:
    rows = await connection.execute(sa.select(jobs).where(jobs.c.id == job_id).with_for_update())
    row = rows.mappings().first()
    if row is None:
        raise Broken("job_unknown", job=job_id)
    return job_of(row)
