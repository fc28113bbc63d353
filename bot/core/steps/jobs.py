"""One step of a job: chooses the step by the job's row, and handles its errors."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from bot.core import failures, moves, schedule
from bot.core.alone import Alone
from bot.core.context import StepContext
from bot.core.errors import Unwritten
from bot.core.jobs import CLAIM, MOST_CRASHES, Job, Reason, Status
from bot.core.missing import files_missing, pictures_missing, sound_missing, video_missing
from bot.core.outcomes import Polled
from bot.core.platforms import Fetches
from bot.core.ports import Media
from bot.core.steps.content import Content
from bot.core.steps.inputs import Inputs
from bot.core.steps.submission import Submission
from bot.core.steps.waiting import Waiting
from bot.log import get_logger

AWHILE = 2.0
"""Seconds until the next try of a step that may not begin while others run."""
CARE = 30.0
"""Seconds between two tries of a job whose steps crashed the process several times."""
_EVEN_SO = frozenset({Status.SUBMITTING, Status.CONVERTING})
"""States whose steps handle repeated crashes themselves."""
log = get_logger()


class Steps:
    """Takes claimed jobs one step further."""

    def __init__(
        self,
        context: StepContext,
        *,
        submission: Submission,
        content: Content,
        platforms: Mapping[str, Fetches],
        media: Media,
    ) -> None:
        self._context = context
        self._inputs = Inputs(context, submission=submission, platforms=platforms, media=media)
        self._submission = submission
        self._waiting = Waiting(context)
        self._content = content
        self._files = Alone(context.clock.steady)

    async def take(self, job: Job) -> None:
        """Take the next step of `job`, which the caller has claimed."""
        async with self._written_down(job):
            if job.status is Status.QUEUED and files_missing(job):
                await self._take_file(job)
            elif job.crashes >= MOST_CRASHES and job.status not in _EVEN_SO:
                log.error("job.put_aside", job=job.id, status=job.status, crashes=job.crashes)
                await self._context.put_off(job, schedule.spread(CARE, by=job.id))
            else:
                await self._take(job)
                await self._content.clear(job)

    async def polled(self, job: Job, poll: Polled, *, asked_at: float) -> None:
        """Apply the outcome of a poll that was sent at `asked_at`."""
        async with self._written_down(job):
            await self._waiting.judge(job, poll, asked_at=asked_at)
            await self._content.clear(job)

    @asynccontextmanager
    async def _written_down(self, job: Job) -> AsyncIterator[None]:
        """Release the claim or schedule another try if the step in the block raises."""
        try:
            yield
        except asyncio.CancelledError:
            # The process stops: a released claim can be taken at once, and counts as no crash.
            with suppress(Exception):  # a database error must not delay the stop
                await self._context.jobs.release(job)
            raise
        except Exception as error:  # noqa: BLE001 - any error is tried again
            failures.record("step.failed", error, job=job.id, status=job.status)
            await self._context.again(job, base=10.0, most=60.0)

    async def _take(self, job: Job) -> None:
        match job.status:
            case Status.QUEUED if pictures_missing(job):
                await self._inputs.fetch_pictures(job)
            case Status.QUEUED if video_missing(job):
                await self._inputs.fetch_video(job)
            case Status.QUEUED if sound_missing(job):
                await self._inputs.fetch_sound(job)
            case Status.QUEUED:
                await self._submission.submit(job)
            case Status.SUBMITTING:
                await self._submission.take_up(job)
            case Status.IN_PROGRESS if made := self._context.found(job):
                await self._bring(job, made)
            case Status.IN_PROGRESS:
                await self._waiting.poll(job)
            case Status.COMPLETED if job.video is None:
                await self._content.fetch(job)
            case Status.CONVERTING:
                await self._content.convert(job)
            case _:
                await self._context.save(job, replace(job, due_at=None, claimed_until=None))

    async def _bring(self, job: Job, made: Job) -> None:
        """Download the video of a job that was found made.

        If the video arrives soon, one write saves both facts; otherwise `made` is saved first.
        """
        async with self._content.coming(made) as coming:
            try:
                if await self._content.keep_soon(job, made, coming):
                    return
                until = self._context.clock.now() + CLAIM
                written = await self._context.save(job, replace(made, claimed_until=until))
            except Unwritten:
                # On a full disk the video was not kept either: the next step downloads it again.
                await self._context.insist(job, lambda: self._context.save(job, made))
                return
            if written is not None:
                async with self._written_down(written):
                    await self._content.settle(written, await coming)

    async def _take_file(self, job: Job) -> None:
        """Take a step that reads a person's file, which may crash the process.

        A file that was being read at several crashes in a row may still be harmless: the process
        may have been killed for another reason. So the file is tried once more with no other file
        beside it. If the process dies again, the job fails; it is not paid for yet.
        """
        if job.crashes > MOST_CRASHES:
            log.error("job.deadly", job=job.id, crashes=job.crashes)
            bad = moves.failed(job, _bad(job), charged=False, detail="deadly file")
            await self._context.save(job, bad)
            return
        suspect = job.crashes == MOST_CRASHES
        with self._files.alone() if suspect else self._files.beside() as may:
            if may:
                await self._take(job)
            else:
                await self._context.turn_away(job, AWHILE)


def _bad(job: Job) -> Reason:
    """Return the reason for a job whose next file crashes the process."""
    if pictures_missing(job):
        return Reason.PICTURE_BAD
    return Reason.GIVEN_BAD if video_missing(job) else Reason.SOUND_BAD
