"""One step of a job: which one is next is read off its row."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from bot.core import failures, moves, schedule
from bot.core.alone import Alone
from bot.core.desk import Desk
from bot.core.errors import Unwritten
from bot.core.jobs import CLAIM, MOST_CRASHES, Job, Reason, Status
from bot.core.outcomes import Polled
from bot.core.platforms import Fetches
from bot.core.ports import Media
from bot.core.steps.content import Content
from bot.core.steps.inputs import Inputs
from bot.core.steps.submission import Submission
from bot.core.steps.waiting import Waiting
from bot.log import get_logger

AWHILE = 2.0
"""Seconds until a step comes again that may not begin beside others."""
CARE = 30.0
"""Seconds that a suspect step waits, with all that is finished and paid for behind it."""
_EVEN_SO = frozenset({Status.SUBMITTING, Status.CONVERTING})
"""States whose steps see to that themselves."""
log = get_logger()


class Steps:
    """Takes claimed jobs one step further."""

    def __init__(
        self,
        desk: Desk,
        *,
        submission: Submission,
        content: Content,
        platforms: Mapping[str, Fetches],
        media: Media,
    ) -> None:
        self._desk = desk
        self._inputs = Inputs(desk, submission=submission, platforms=platforms, media=media)
        self._submission = submission
        self._waiting = Waiting(desk)
        self._content = content
        self._files = Alone(desk.clock.steady)

    async def take(self, job: Job) -> None:
        """Do whatever is next for `job`, which the caller has claimed."""
        async with self._written_down(job):
            if job.status is Status.QUEUED and (job.pictures_missing or job.sound_missing):
                await self._take_file(job)
            elif job.crashes >= MOST_CRASHES and job.status not in _EVEN_SO:
                log.error("job.put_aside", job=job.id, status=job.status, crashes=job.crashes)
                await self._desk.put_off(job, schedule.spread(CARE, by=job.id))
            else:
                await self._take(job)
                await self._content.clear(job)

    async def polled(self, job: Job, poll: Polled, *, asked_at: float) -> None:
        """Do what follows from a look that was taken."""
        async with self._written_down(job):
            await self._waiting.judge(job, poll, asked_at=asked_at)
            await self._content.clear(job)

    @asynccontextmanager
    async def _written_down(self, job: Job) -> AsyncIterator[None]:
        """A step of `job`, whose end is written down whatever it is."""
        try:
            yield
        except asyncio.CancelledError:
            # Told to stop: the next process need not wait for our claim, nor think that we died.
            with suppress(Exception):  # a database that takes nothing does not hold the end up
                await self._desk.jobs.release(job)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            failures.record("step.failed", error, job=job.id, status=job.status)
            await self._desk.again(job, base=10.0, most=60.0)

    async def _take(self, job: Job) -> None:
        match job.status:
            case Status.QUEUED if job.pictures_missing:
                await self._inputs.fetch_pictures(job)
            case Status.QUEUED if job.sound_missing:
                await self._inputs.fetch_sound(job)
            case Status.QUEUED:
                await self._submission.submit(job)
            case Status.SUBMITTING:
                await self._submission.take_up(job)
            case Status.IN_PROGRESS if made := self._desk.found(job):
                await self._bring(job, made)
            case Status.IN_PROGRESS:
                await self._waiting.poll(job)
            case Status.COMPLETED if job.video is None:
                await self._content.fetch(job)
            case Status.CONVERTING:
                await self._content.convert(job)
            case _:
                await self._desk.save(job, replace(job, due_at=None, claimed_until=None))

    async def _bring(self, job: Job, made: Job) -> None:
        """One write tells that it is made and that its video is here, if that comes soon."""
        async with self._content.coming(made) as coming:
            try:
                if await self._content.keep_soon(job, made, coming):
                    return
                until = self._desk.clock.now() + CLAIM
                written = await self._desk.save(job, replace(made, claimed_until=until))
            except Unwritten:
                # Nor was its file kept, where a disk is full: that is the next step's.
                await self._desk.insist(job, lambda: self._desk.save(job, made))
                return
            if written is not None:
                async with self._written_down(written):
                    await self._content.settle(written, await coming)

    async def _take_file(self, job: Job) -> None:
        """A stranger's file may be what the process dies of, and it is not paid for yet.

        A file in hand at three deaths in a row may still be innocent, as whoever restarts us in a
        hurry shows. So it is tried by itself, and only one that kills us then is given up.
        """
        if job.crashes > MOST_CRASHES:
            log.error("job.deadly", job=job.id, crashes=job.crashes)
            reason = Reason.PICTURE_BAD if job.pictures_missing else Reason.SOUND_BAD
            bad = moves.failed(job, reason, charged=False, detail="deadly file")
            await self._desk.save(job, bad)
            return
        suspect = job.crashes == MOST_CRASHES
        with self._files.alone() if suspect else self._files.beside() as may:
            if may:
                await self._take(job)
            else:
                await self._desk.turn_away(job, AWHILE)
