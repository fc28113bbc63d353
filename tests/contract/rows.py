"""Sample jobs, and a store for tests with short helper methods."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core import moves
from bot.core.jobs import Job, Reason, Status, Video
from bot.core.orders import Address, Call, Kind, Order, Person, VideoRequest
from bot.core.posts import CARD_GRACE, Post, PostKind
from bot.core.quotas import Limits, Usage
from bot.core.replies import Ways
from bot.core.wishes import Wish
from bot.store.database import Database
from bot.store.jobs import Jobs
from bot.store.notices import Notices
from bot.store.pauses import Pauses
from bot.store.places import Places
from bot.store.posts import Posts
from bot.store.settings import StoredValues

NOON = 1_768_478_400.0
"""15 January 2026, 12:00 UTC, in Unix seconds."""
FREE = Limits(person_videos=None, person_at_once=None, community_videos=None, purse_videos=None)
"""No limits at all."""
PRICE = 700_000
VIDEO = Video(key="videos/ab/abc.mp4", size=9, width=640, height=360, seconds=5.0)
RAW = replace(VIDEO, key="originals/a.mkv", plays=False)

_numbers = count(1)


def a_job(
    *,
    id_: str | None = None,
    event: str | None = None,
    person: str = "ada",
    community: str | None = "club",
    platform: str = "discord",
    gateway: str = "main",
    now: float = NOON,
) -> Job:
    """Return a new order of one five-second video."""
    id_ = id_ or f"job{next(_numbers):05}"
    return Job(
        id=id_,
        order=Order(
            call=Call(
                event_id=event or f"event of {id_}",
                address=Address(platform=platform, channel="lounge", community=community),
                person=Person(id=person, name=person.title()),
                locale="en",
            ),
            wish=Wish(prompt="a cat on the moon"),
        ),
        request=VideoRequest(
            model="wan2.5-t2v-preview",
            kind=Kind.TEXT,
            prompt="a cat on the moon",
            seconds=5,
            size="1280*720",
            dialect="new-api",
            family="wan-2.5",
            label="Wan 2.5",
        ),
        gateway=gateway,
        base_url="https://gateway.example",
        created_at=now,
        due_at=now,
        quota_cost=1,
        spend_cost=PRICE,
    )


async def nowhere(_: Job, _direct: bool) -> Ways:
    """Offer no ways to go on."""
    return ()


@asynccontextmanager
async def no_still(_key: str, _side: int) -> AsyncIterator[Path]:
    """Find no stills."""
    yield Path()


class Store:
    """The parts of the store, and helper methods for tests."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = Jobs(database)
        self.posts = Posts(database)
        self.settings = StoredValues(database)
        self.pauses = Pauses(database)
        self.notices = Notices(database)
        self.places = Places(database)

    async def admitted(self, job: Job | None = None, limits: Limits = FREE) -> Job:
        """Admit the job at the moment it was created, and return it."""
        job = job or a_job()
        card_at = job.created_at + CARD_GRACE
        return await self.jobs.admit(job, limits, now=job.created_at, card_at=card_at)

    async def moved(self, before: Job, after: Job, *, now: float = NOON) -> Job:
        """Save a move of the job, and return the job after it. The save must succeed."""
        saved = await self.jobs.save(before, after, now=now)
        assert saved is not None
        return saved

    async def in_state(self, status: Status, job: Job | None = None) -> Job:
        """Return a job that came to `status` by the usual moves."""
        row = await self.admitted(job)
        if status is Status.CANCELLED:
            return await self.moved(row, moves.cancelled(row, Reason.BY_PERSON))
        if status is Status.FAILED:
            return await self.moved(row, moves.failed(row, Reason.REFUSED, charged=False))
        for step in _ROAD[: _ROAD.index(_BESIDE.get(status, status))]:
            row = await self._stepped(row, step)
        if status is Status.UNCONFIRMED:
            row = await self.moved(row, moves.unconfirmed(row, detail=None))
        if status is Status.CONVERTING:
            row = await self.moved(row, moves.converting(row, RAW, now=row.created_at))
        return row

    async def _stepped(self, row: Job, step: Status) -> Job:
        now = row.created_at
        match step:
            case Status.QUEUED:
                after = moves.submitting(row, now=now)
            case Status.SUBMITTING:
                after = moves.accepted(row, f"gateway {row.id}", now=now, due_at=now)
            case Status.IN_PROGRESS:
                after = moves.completed(row, now=now, sources=())
            case _:
                after = moves.delivered(moves.stored(row, VIDEO), now=now)
        return await self.moved(row, after)

    async def usage(self, job: Job, *, limits: Limits = FREE, now: float = NOON) -> Usage:
        """Return the usage of the person and the community of `job`."""
        order = job.order
        return await self.jobs.usage(order.call.address, order.call.person.id, limits, now=now)

    async def claimed(self, *statuses: Status, now: float = NOON, most: int = 100) -> list[str]:
        """Claim rows for a minute and return their ids."""
        asked = statuses or (Status.QUEUED,)
        rows = await self.jobs.claim(asked, now=now, until=now + 60, most=most)
        return [row.id for row in rows]

    async def post(self, job: Job, kind: PostKind) -> Post | None:
        """Return the post of this kind if it is due or was sent, else None."""
        return await self.posts.get(job.id, kind.value)

    async def claimed_post(self, *, now: float, platform: str = "discord") -> Post:
        """Claim and return the only post that is due."""
        (post,) = await self.posts.claim([platform], now=now, until=now + 60, most=10)
        return post

    async def due_posts(self, *, now: float) -> list[tuple[str, PostKind]]:
        """Claim the due posts for no time at all, and return their job ids and kinds."""
        posts = await self.posts.claim(["discord"], now=now, until=now, most=100)
        return [(post.job_id, post.kind) for post in posts]


_ROAD = (
    Status.QUEUED,
    Status.SUBMITTING,
    Status.IN_PROGRESS,
    Status.COMPLETED,
    Status.DELIVERED,
)
_BESIDE = {
    Status.UNCONFIRMED: Status.SUBMITTING,
    Status.CONVERTING: Status.COMPLETED,
}
"""States beside the usual moves → the state from which they are reached."""


def silent(job: Job) -> Job:
    """Return the job with *Don't post* pressed."""
    return replace(job, silent=True)


async def nothing_noted(_job_id: str, _at: float) -> None:
    """A journal of deletions that ignores its entries."""


def somebody_waits(connection: Connection) -> None:
    """Wait until another transaction waits for a lock of PostgreSQL."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    limit = time.monotonic() + 60
    while not connection.scalar(waiting):
        assert time.monotonic() < limit
