"""The `posts` table: messages about jobs, to send or in chat. One transaction per method."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningUpdate

from bot.core import moves
from bot.core.errors import Broken
from bot.core.jobs import Job, Status
from bot.core.posts import ALL_KINDS, Form, Post, PostKind, appearance
from bot.store import claims
from bot.store.database import Part
from bot.store.rows import by_id, job_of, post_of, saved_values
from bot.store.statements import Said, execute, insert, once, one, upserting
from bot.store.tables import jobs, posts

_INSTANT = 0.001
"""Seconds by which a changed due time of a post differs at least."""
_TAKEN = {
    "version": posts.c.version + 1,
    # Counted before the work, so a message that crashes the process is not retried for ever.
    "attempts": posts.c.attempts + 1,
}
"""Columns that a claim changes besides `claimed_until`."""


def owe(connection: Connection, job: Job, due: Mapping[PostKind, float]) -> None:
    """Add the posts that a change of `job` makes due; mark a post that is in chat for an edit.

    A post that was never sent keeps its due time: the command's answer may still become the card.
    A post that is being sent now gets a new due time: its sender read the job before this change.
    """
    for kind, due_at in due.items():
        # Posts of a private job, except its card, go to the person directly, never to the channel.
        direct = job.private and kind is not PostKind.CARD
        owed = (job.id, job.order.call.address.platform, kind.value, due_at, direct)
        execute(connection, _owed(*owed, is_sqlite=connection.dialect.name == "sqlite"))


@once
def _owed(
    job_id: str, platform: str, kind: str, due_at: float, direct: bool, *, is_sqlite: bool
) -> sa.Insert:
    whose = {"job_id": job_id, "platform": platform, "kind": kind}
    row = upserting(posts, is_sqlite=is_sqlite).values(
        **whose, due_at=due_at, attempts=0, direct=direct
    )
    return _or_mark(row, sa.type_coerce(due_at, sa.Double))


def owe_cards(connection: Connection, ids: Collection[str], *, due_at: float) -> None:
    """Make the cards of these jobs due at `due_at`. Jobs that are not in progress are skipped."""
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
    connection.execute(_or_mark(row, due_at))


def claim_one(
    connection: Connection, job_id: str, kind: PostKind, *, now: float, until: float
) -> Post | None:
    """Claim the post if it is due and not claimed. Return the post, or None."""
    return one(connection, _claim_one(job_id, kind.value, now, until), post_of)


@once
def _claim_one(job_id: str, kind: str, now: float, until: float) -> ReturningUpdate[Any]:
    due = (posts.c.due_at <= now, posts.c.claimed_until.is_(None))
    free = sa.update(posts).where(posts.c.job_id == job_id, posts.c.kind == kind, *due)
    return free.values(claimed_until=until, **_TAKEN).returning(*posts.c)


def _or_mark(
    row: sqlite.Insert | postgresql.Insert, due_at: float | sa.ColumnElement[float]
) -> sa.Insert:
    """Insert the row; if there is one already, make the existing row due again."""
    return row.on_conflict_do_update(
        index_elements=[posts.c.job_id, posts.c.kind], set_={"due_at": _due_once_more(due_at)}
    )


def _due_once_more(due_at: float | sa.ColumnElement[float]) -> sa.Case[Any]:
    held = posts.c.claimed_until.is_not(None)
    anew = sa.case((posts.c.due_at >= due_at, posts.c.due_at + _INSTANT), else_=due_at)
    stands = posts.c.message_id.is_not(None)
    sooner = sa.case((posts.c.due_at < due_at, posts.c.due_at), else_=due_at)
    return sa.case((held, anew), (stands, sooner), else_=posts.c.due_at)


class Posts(Part):
    """Implements the core's `ports.Posts`: reads and writes the `posts` table."""

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
        """Claim up to `most` due posts of these platforms and kinds, but none of `but`."""
        claim = _claim(tuple(platforms), tuple(kinds), but=bool(but))
        hand = claims.hand(now=now, until=until, most=most, but=but)
        taken = await self._database.rows(Said(claim, hand), post_of)
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
        """Return when the next post, but none of `but`, can be claimed, or None."""
        is_sqlite, given = self._database.is_sqlite, (tuple(platforms), tuple(kinds))
        query = _next_due(*given, but=bool(but), is_sqlite=is_sqlite)
        return await self._database.value(Said(query, claims.others(but)))

    async def get(self, job_id: str, kind: str) -> Post | None:
        """Return the post of this kind about the job, or None."""
        return await self._database.one(_about(job_id, kind), post_of)

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
        """Record that the post is in chat, even if another worker has the claim by now.

        A result makes its job delivered, and earlier posts about the job due for removal.
        `again_at`: when the post is due again. `until`: claim the job's card until then, and return
        the card if it was due.
        """

        def work(connection: Connection) -> Post | None:
            # The job is locked before its posts, as in every change of a job, to avoid deadlocks.
            job = _locked(connection, post.job_id)
            claim = (post.id, post.version, post.due_at)
            execute(connection, _stands(*claim, message_id, channel_id, now, again_at))
            if post.kind is PostKind.RESULT:
                _deliver(connection, job, now=now)
            if post.kind is PostKind.CARD:
                return None
            _outdate(connection, post, job, now=now)
            if until is None:
                return None
            return claim_one(connection, job.id, PostKind.CARD, now=now, until=until)

        return await self._database.run(work)

    async def put_off(self, post: Post, *, due_at: float | None, tried: bool = True) -> None:
        """Postpone the post until `due_at`. None parks the post: its row is kept and not retried.

        A due time that was set after the claim stays. `tried`: whether this counts as a try.
        """
        attempts = post.attempts if tried else post.attempts - 1
        await self._database.write(_put_off(post.id, post.version, post.due_at, due_at, attempts))

    async def posted(
        self,
        shown: Job,
        message_id: str,
        channel_id: str,
        *,
        now: float | None = None,
        until: float | None = None,
    ) -> Job | None:
        def work(connection: Connection) -> Job | None:
            # The lock orders this and a concurrent change of the job: the later one sees the other.
            job = _locked(connection, shown.id)
            # The end of a finished job may be in chat already: then the card must be removed.
            moved_on = job.is_final or appearance(job) != appearance(shown)
            due_at = 0.0 if moved_on else None
            execute(connection, _card(shown.id, message_id, channel_id, due_at))
            if now is None:
                return None
            return _leave(connection, job, now=now, until=until)

        return await self._database.run(work)

    async def expire_claims(self, *, now: float) -> int:
        """Expire all claims on posts at the start of the service, and return their number.

        No other process runs then, so the claims are those of processes that have died.
        """
        return await claims.expire(self._database, posts, now=now)

    async def _change(self, post: Post, **values: object) -> Post | None:
        """Change the post if its claim still holds. Return None if the claim was lost."""
        change, held = _held(post.id, post.version)
        return await self._database.one(Said(change, {**values, **held}), post_of)


@once
def _about(job_id: str, kind: str) -> sa.Select[Any]:
    return sa.select(posts).where(posts.c.job_id == job_id, posts.c.kind == kind)


@once
def _held(post_id: int, version: int) -> ReturningUpdate[Any]:
    """Build an update of a post that its worker has claimed; the values name its columns."""
    return _in_hand(post_id, version).returning(*posts.c)


@once
def _put_off(
    post_id: int, version: int, was_due_at: float | None, due_at: float | None, attempts: int
) -> sa.Update:
    later = _unless_newer(was_due_at, due_at)
    return _in_hand(post_id, version).values(due_at=later, claimed_until=None, attempts=attempts)


@once
def _stands(
    post_id: int,
    version: int,
    was_due_at: float | None,
    message_id: str,
    channel_id: str,
    now: float,
    again_at: float | None,
) -> sa.Update:
    # Another worker claimed the post meanwhile and may have parked it: make it due once more.
    lost = (posts.c.version != version, sa.type_coerce(now, sa.Double))
    return (
        sa.update(posts)
        .where(posts.c.id == post_id)
        .values(
            message_id=message_id,
            channel_id=channel_id,
            sending_at=None,
            claimed_until=None,
            attempts=0,
            due_at=sa.case(lost, else_=_unless_newer(was_due_at, again_at)),
        )
    )


@once
def _card(job_id: str, message_id: str, channel_id: str, due_at: float | None) -> sa.Update:
    """Record the message of a job's card, if the card had none before."""
    card = (posts.c.job_id == job_id, posts.c.kind == PostKind.CARD.value)
    unsent = sa.update(posts).where(*card, posts.c.message_id.is_(None))
    return unsent.values(message_id=message_id, channel_id=channel_id, due_at=due_at)


def _in_hand(post_id: int, version: int) -> sa.Update:
    is_held = posts.c.claimed_until.is_not(None)
    return sa.update(posts).where(posts.c.id == post_id, posts.c.version == version, is_held)


def _unless_newer(was_due_at: float | None, due_at: float | None) -> sa.ColumnElement[float | None]:
    """Return `due_at`, or the row's due time if that changed after the claim."""
    then = sa.type_coerce(due_at, sa.Double)
    same = posts.c.due_at.is_not_distinct_from(sa.type_coerce(was_due_at, sa.Double))
    return sa.case((same, then), else_=posts.c.due_at)


def _of(platforms: Iterable[str], kinds: Iterable[PostKind]) -> list[sa.ColumnElement[bool]]:
    """Return one group of rows for each platform and kind."""
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


def _leave(connection: Connection, job: Job, *, now: float, until: float | None) -> Job | None:
    """Make a job due that waited only for the answer to its command.

    `until`: claim the job until then. Return the changed job, or None if it did not wait.
    """
    if not moves.awaits_answer(job):
        return None
    left = replace(job, due_at=now, claimed_until=until, version=job.version + 1)
    _write(connection, job, left)
    return left


def _deliver(connection: Connection, job: Job, *, now: float) -> None:
    if job.status is not Status.COMPLETED:
        return
    after = moves.timed(job, moves.delivered(job, now=now), now=now)
    _write(connection, job, replace(after, version=job.version + 1))


def _write(connection: Connection, job: Job, after: Job) -> None:
    """Write the changed columns of a job whose row is locked."""
    change, named = _named(job.id)
    connection.execute(change, {**saved_values(job, after), **named})


@once
def _named(job_id: str) -> sa.Update:
    return sa.update(jobs).where(jobs.c.id == job_id)


def _outdate(connection: Connection, end: Post, job: Job, *, now: float) -> None:
    """Make all earlier posts about a job due for removal. Tries of their edits no longer count."""
    execute(connection, _others_are_due(job.id, end.kind.value, now))


@once
def _others_are_due(job_id: str, kind: str, now: float) -> sa.Update:
    others = posts.c.kind.not_in([kind, PostKind.RESULT.value])
    due_at = _due_once_more(sa.type_coerce(now, sa.Double))
    earlier = sa.update(posts).where(posts.c.job_id == job_id, others)
    return earlier.values(attempts=0, due_at=due_at)


def _locked(connection: Connection, job_id: str) -> Job:
    job = one(connection, by_id(job_id, lock=True), job_of)
    if job is None:
        raise Broken("job_unknown", job=job_id)
    return job
