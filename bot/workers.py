"""The loops that take due rows: one per group of a job's states, and three for what is to be said.

What a step does stands in the core; here stands how long a claim lasts and who wakes whom.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from bot.core.jobs import Job, Status
from bot.core.notices import Notice
from bot.core.ports import Clock, Jobs, Notices, Posts
from bot.core.posting import Posting
from bot.core.posts import Post, PostKind
from bot.core.steps import Steps
from bot.core.telling import TELL_TIME, Telling
from bot.core.wake import Wake
from bot.core.worker import Worker
from bot.gateways import videos_api
from bot.media.studio import SHRINK_TIMEOUT

CLAIMS: Mapping[tuple[Status, ...], float] = {
    (Status.QUEUED,): videos_api.POST_TIME + 100.0,
    (Status.SUBMITTING, Status.IN_PROGRESS): 120.0,
    (Status.COMPLETED,): videos_api.CONTENT_TIME + 300.0,
}
"""Seconds that a claim lasts: longer than anything a step of these states may take.

One worker each, so that slow POSTs hold up neither looks nor downloads.
"""
POST_CLAIM = 2 * SHRINK_TIMEOUT
"""Seconds for getting a message ready, which may mean to shrink a video."""

KINDS = ((PostKind.CARD, PostKind.FAILURE), (PostKind.RESULT,))
"""One worker each: words never wait for videos that are being uploaded."""

GRACE = 75.0
"""Seconds that a POST or a download under way may take after a stop; then its row goes on alone."""


@dataclass(frozen=True, slots=True)
class Bells:
    """What wakes the workers before their rows are due."""

    each_job: Mapping[tuple[Status, ...], Wake]
    each_post: Mapping[tuple[PostKind, ...], Wake]
    notices: Wake
    jobs: Wake
    """Rings all of `each_job`."""
    posts: Wake
    """Rings all of `each_post`, and the notices."""

    @classmethod
    def new(cls) -> Self:
        """One for each loop."""
        jobs = {statuses: Wake() for statuses in CLAIMS}
        posts: dict[tuple[PostKind, ...], Wake] = {kinds: Wake() for kinds in KINDS}
        notices = Wake()
        return cls(
            each_job=jobs,
            each_post=posts,
            notices=notices,
            jobs=Wake(*jobs.values()),
            posts=Wake(*posts.values(), notices),
        )

    @property
    def both(self) -> Wake:
        """For presses: a cancelled job owes its card, a deleted one its message's removal."""
        return Wake(self.jobs, self.posts)


def loops(
    jobs: Jobs,
    steps: Steps,
    posts: Posts,
    posting: Posting,
    notices: Notices,
    telling: Telling,
    platforms: Sequence[str],
    clock: Clock,
    bells: Bells,
) -> Iterator[Coroutine[Any, Any, None]]:
    """All of them; those that say things come first, so that they end last."""
    for kinds, bell in bells.each_post.items():
        yield _post_worker(posts, kinds, posting, platforms, clock, bell).run()
    yield _notice_worker(notices, telling, platforms, clock, bells.notices).run()
    for statuses, bell in bells.each_job.items():
        yield _job_worker(jobs, statuses, steps, clock, bell).run()


def _job_worker(
    jobs: Jobs, statuses: tuple[Status, ...], steps: Steps, clock: Clock, bell: Wake
) -> Worker[Job]:
    """Takes jobs in these states a step further."""

    async def claim(most: int) -> list[Job]:
        now = clock.now()
        return await jobs.claim(statuses, now=now, until=now + CLAIMS[statuses], most=most)

    async def next_due() -> float | None:
        return await jobs.next_due(statuses)

    return Worker(
        name=statuses[-1],
        claim=claim,
        step=steps.take,
        next_due=next_due,
        clock=clock,
        wake=bell,
        grace=GRACE,
    )


def _post_worker(
    posts: Posts,
    kinds: tuple[PostKind, ...],
    posting: Posting,
    platforms: Sequence[str],
    clock: Clock,
    bell: Wake,
) -> Worker[Post]:
    """Says what is owed of these kinds on these platforms."""

    async def claim(most: int) -> list[Post]:
        now = clock.now()
        return await posts.claim(platforms, kinds, now=now, until=now + POST_CLAIM, most=most)

    async def next_due() -> float | None:
        return await posts.next_due(platforms, kinds)

    return Worker(
        name=f"posts.{kinds[0]}",
        claim=claim,
        step=posting.take,
        next_due=next_due,
        clock=clock,
        wake=bell,
    )


def _notice_worker(
    notices: Notices, telling: Telling, platforms: Sequence[str], clock: Clock, bell: Wake
) -> Worker[Notice]:
    """Tells operators on these platforms what they are to know."""

    async def claim(most: int) -> list[Notice]:
        now = clock.now()
        return await notices.claim(platforms, now=now, until=now + 2 * TELL_TIME, most=most)

    async def next_due() -> float | None:
        return await notices.next_due(platforms)

    return Worker(
        name="notices",
        claim=claim,
        step=telling.take,
        next_due=next_due,
        clock=clock,
        wake=bell,
    )


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """`work` as a task beside the context; if it fails, so does the context, with its error."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as failed:
        first: BaseException = failed
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
