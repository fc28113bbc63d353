"""The loops that claim due rows and take their steps: jobs, posts, notices, reports, probes.

The steps are in the core. This module adds the claims of rows and the bells between the loops.
"""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from bot.core.bells import Bells
from bot.core.causes import Report
from bot.core.context import PAUSE
from bot.core.conversions import AT_ONCE
from bot.core.jobs import CLAIM, Job, Status
from bot.core.notices import Notice, Paused
from bot.core.ports import Clock, Jobs, Pauses, Posts
from bot.core.posting import Posting
from bot.core.posts import Post, PostKind
from bot.core.steps.jobs import Steps
from bot.core.steps.polling import Polling
from bot.core.steps.probing import Probing
from bot.core.steps.reporting import Reporting
from bot.core.steps.telling import Telling
from bot.core.wake import UNKNOWN, Wake
from bot.core.worker import MOST_STEPS, Worker
from bot.parts import Parts
from bot.store.parts import Store

SLOTS = {Status.CONVERTING: AT_ONCE}
"""The most steps of a state that run at once, for states with a limit of their own."""
GRACE = 35.0
"""Seconds that a running POST or download may take after a stop. The next start resumes the row."""
WORDS_GRACE = 8.0
"""Seconds that a message that is being sent may take after a stop."""

Loop = Coroutine[Any, Any, None]


# --- rows and their claims -----------------------------------------------------------------------


Row = TypeVar("Row", Job, Post)
Key = TypeVar("Key", str, int)
Id = TypeVar("Id", contravariant=True)


class Claim(Protocol[Row, Id]):
    """A function that claims due rows of a table for one loop."""

    def __call__(
        self, *, now: float, until: float, most: int, but: Collection[Id]
    ) -> Awaitable[list[Row]]: ...


class NextDue(Protocol[Id]):
    """A function that returns when the next row can be claimed; None if there is no row."""

    def __call__(self, *, but: Collection[Id]) -> Awaitable[float | None]: ...


class Renew(Protocol[Id]):
    """A function that extends claims."""

    def __call__(self, ids: Collection[Id], *, until: float) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRows(Generic[Row, Key]):
    """The jobs or posts of one loop. `held`: ids of the rows that this process works on.

    A row in `held` is never claimed, even if its claim has expired. For example, the POST of a
    `submitting` row may still run in the loop that claimed the row as `queued`.
    """

    claimed: Claim[Row, Key]
    due: NextDue[Key]
    renewed: Renew[Key]
    released: Callable[[Row], Awaitable[None]]
    id_of: Callable[[Row], Key]
    clock: Clock
    held: set[Key] = field(default_factory=set)
    taken: Callable[[Row], None] = lambda _: None
    freed: Callable[[Row], float] = lambda _: UNKNOWN

    async def claim(self, most: int) -> list[Row]:
        """Claim due rows and add them to `held`."""
        now = self.clock.now()
        rows = await self.claimed(now=now, until=now + CLAIM, most=most, but=self.held)
        for row in rows:
            self.hold(row)
        return rows

    def hold(self, row: Row) -> None:
        """Note that this loop works on a claimed row."""
        self.held.add(self.id_of(row))
        self.taken(row)

    async def next_due(self) -> float | None:
        """Return when the next row outside `held` can be claimed."""
        return await self.due(but=self.held)

    async def renew(self, held: Sequence[Row]) -> None:
        """Extend the claims on these rows."""
        await self.renewed([self.id_of(row) for row in held], until=self.clock.now() + CLAIM)

    async def release(self, row: Row) -> None:
        """Release an unused claim."""
        await self.released(row)

    def let_go(self, row: Row) -> float:
        """Note that the row's step is over."""
        self.held.discard(self.id_of(row))
        return self.freed(row)


def job_rows(
    jobs: Jobs, statuses: Sequence[Status], clock: Clock, held: set[str], bells: Bells
) -> HeldRows[Job, str]:
    """Return the rows of jobs in these states. All loops of jobs share `held`."""
    return HeldRows(
        claimed=partial(jobs.claim, statuses),
        due=partial(jobs.next_due, statuses),
        renewed=jobs.renew,
        released=jobs.release,
        id_of=lambda job: job.id,
        clock=clock,
        held=held,
        taken=bells.take,
        freed=bells.let_go,
    )


def interrupted_rows(
    store: Store, clock: Clock, held: set[str], bells: Bells
) -> HeldRows[Job, str]:
    """Return the rows of `in_progress` jobs that a dead process had claimed.

    Such a job may be what killed the process.
    """
    return replace(
        job_rows(store.jobs, [Status.IN_PROGRESS], clock, held, bells),
        claimed=store.polls.claim_interrupted,
        due=store.polls.next_interrupted,
    )


def post_rows(
    posts: Posts, platforms: Sequence[str], kinds: Sequence[PostKind], clock: Clock
) -> HeldRows[Post, int]:
    """Return the rows of posts of these kinds on these platforms."""
    return HeldRows(
        claimed=partial(posts.claim, platforms, kinds),
        due=partial(posts.next_due, platforms, kinds),
        renewed=posts.renew,
        released=posts.release,
        id_of=lambda post: post.id,
        clock=clock,
    )


News = TypeVar("News", Notice, Report)


class Owed(Protocol[News]):
    """A table of messages to owners."""

    async def claim(
        self, platforms: Sequence[str], *, now: float, until: float, most: int
    ) -> list[News]: ...

    async def next_due(self, platforms: Sequence[str]) -> float | None: ...

    async def put_off(self, row: News, /, *, due_at: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedRows(Generic[News]):
    """Notices or reports on these platforms. Sending one ends well before its claim expires."""

    owed: Owed[News]
    platforms: Sequence[str]
    clock: Clock

    async def claim(self, most: int) -> list[News]:
        """Claim due rows."""
        now = self.clock.now()
        return await self.owed.claim(self.platforms, now=now, until=now + CLAIM, most=most)

    async def next_due(self) -> float | None:
        """Return when the next row can be claimed."""
        return await self.owed.next_due(self.platforms)

    async def renew(self, held: Sequence[News]) -> None:
        """Do nothing: a claim outlasts its step."""

    async def release(self, row: News) -> None:
        """Postpone the row. Its message may have been sent, so it is not sent again at once."""
        await self.owed.put_off(row, due_at=self.clock.now() + CLAIM)

    def hold(self, _row: News, /) -> None:
        """Do nothing: the claims are in the database alone, and no list of them is kept here."""

    def let_go(self, _row: News, /) -> float:
        """Return `UNKNOWN`: only the row in the database says when it is due again."""
        return UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRows:
    """The paused gateways. A claim only postpones the next probe; it needs no release."""

    pauses: Pauses
    clock: Clock

    async def claim(self, most: int) -> list[Paused]:
        """Claim the gateways that are due for a probe."""
        now = self.clock.now()
        return await self.pauses.claim(now=now, until=now + PAUSE, most=most)

    async def next_due(self) -> float | None:
        """Return when the next gateway is due for a probe."""
        return await self.pauses.next_due()

    async def renew(self, held: Sequence[Paused]) -> None:
        """Do nothing: a claim outlasts its step."""

    async def release(self, row: Paused) -> None:
        """Do nothing: the gateway becomes due again by itself."""

    def hold(self, _row: Paused, /) -> None:
        """Do nothing: the claims are in the database alone, and no list of them is kept here."""

    def let_go(self, _row: Paused, /) -> float:
        """Return `UNKNOWN`: only the row in the database says when it is due again."""
        return UNKNOWN


# --- loops ---------------------------------------------------------------------------------------


def job_loops(
    store: Store, steps: Steps, polling: Polling, probing: Probing, clock: Clock, bells: Bells
) -> Iterator[Loop]:
    """Yield the loops that take the steps of jobs, and the loop that probes paused gateways."""
    held: set[str] = set()
    for statuses, bell in bells.each_job.items():
        if statuses == (Status.IN_PROGRESS,):
            continue
        yield Worker(
            name=statuses[-1],
            rows=job_rows(store.jobs, statuses, clock, held, bells),
            step=steps.take,
            clock=clock,
            wake=bell,
            handed_on=bells.jobs_on[statuses],
            slots=SLOTS.get(statuses[-1], MOST_STEPS),
            grace=GRACE,
        ).run()
    yield polling.run()
    yield Worker(
        name="interrupted",
        rows=interrupted_rows(store, clock, held, bells),
        step=steps.take,
        clock=clock,
        wake=Wake(),
        grace=GRACE,
    ).run()
    yield Worker(
        name="probes",
        rows=PauseRows(pauses=store.pauses, clock=clock),
        step=probing.take,
        clock=clock,
        wake=Wake(),
        grace=0.0,
    ).run()


def word_loops(
    store: Store, posting: Posting, platforms: Sequence[str], clock: Clock, bells: Bells
) -> Iterator[Loop]:
    """Yield the loops that send posts on these platforms."""
    for kinds, bell in bells.each_post.items():
        yield Worker(
            name=f"posts.{kinds[0]}",
            rows=post_rows(store.posts, platforms, kinds, clock),
            step=posting.take,
            clock=clock,
            wake=bell,
            handed_on=bells.posts_on[kinds],
            grace=WORDS_GRACE,
        ).run()


def owner_loops(parts: Parts, telling: Telling, reporting: Reporting) -> Iterator[Loop]:
    """Yield the loops that send notices and reports to owners."""
    store, clock, platforms = parts.store, parts.clock, list(parts.telling)
    yield Worker(
        name="notices",
        rows=OwedRows(owed=store.notices, platforms=platforms, clock=clock),
        step=telling.take,
        clock=clock,
        wake=parts.bells.notices,
        grace=WORDS_GRACE,
    ).run()
    yield Worker(
        name="reports",
        rows=OwedRows(owed=store.causes, platforms=platforms, clock=clock),
        step=reporting.take,
        clock=clock,
        wake=parts.bells.reports,
        grace=WORDS_GRACE,
    ).run()


@asynccontextmanager
async def running(*work: Loop) -> AsyncIterator[None]:
    """Run `work` as tasks while the context lasts. If a task fails, the context raises its error.

    At the end all tasks are cancelled together, so they shut down in parallel.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as failed:
        first: BaseException = failed
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
