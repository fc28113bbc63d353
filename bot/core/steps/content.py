"""The steps that download a finished video and convert one that does not play everywhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from bot.core import fetching, moves
from bot.core.context import StepContext
from bot.core.conversions import Conversions
from bot.core.errors import BotError, Broken, FileMissing, Temporary
from bot.core.jobs import LAST_DEADLINE, MOST_CRASHES, Job, Reason, Video
from bot.core.outcomes import Locked, Trouble, Unusable, kind_of
from bot.core.ports import Gateway, Media
from bot.core.posts import EDIT_PACE
from bot.core.steps.clearing import with_copy
from bot.core.steps.probing import PROBE_TIME, ask
from bot.log import get_logger

CONTENT_PATIENCE = 2 * 3600.0
"""Seconds after completion in which we retry a download although the gateway says it has none."""
CONTENT_PACE = 60.0
"""The most seconds between two tries to download a video."""
CONTENT_TRIES = 3
"""Tries after which a file that can't be used counts as final."""
CONVERT_PAUSE = 5.0
CONVERT_TRIES = 5
"""Failed conversions after which the original is posted."""

SOON = EDIT_PACE
"""Seconds for a download to end before the row and the card say that the download runs."""

log = get_logger()

Got = Video | Locked | Trouble | Unusable


@dataclass(frozen=True, slots=True)
class Content:
    """Downloads and converts the videos of jobs. `soon`: see `SOON`."""

    context: StepContext
    media: Media
    conversions: Conversions
    soon: float = SOON

    async def fetch(self, job: Job) -> None:
        """Download the job's video and save the outcome."""
        if await self.context.gateway(job) is not None and job.gateway_id is not None:
            await self.settle(job, await self._fetched(job))

    @asynccontextmanager
    async def coming(self, job: Job) -> AsyncIterator[asyncio.Task[Got]]:
        """Start the download and wait up to `SOON` for it; it is cancelled with the context."""
        coming = asyncio.create_task(self._fetched(job))
        try:
            await asyncio.wait([coming], timeout=self.soon)
            yield coming
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    async def keep_soon(self, job: Job, made: Job, coming: asyncio.Task[Got]) -> bool:
        """Save the video of a job that was found made, if it is here and needs no conversion.

        Returns whether it was saved.
        """
        if not coming.done() or coming.exception() is not None or made.silent:
            return False
        got = coming.result()
        if not isinstance(got, Video) or not got.plays:
            return False
        await self._keep(job, moves.stored(made, got))
        return True

    async def settle(self, job: Job, got: Got) -> None:
        """Save the outcome of a download."""
        match got:
            case Video(plays=True):
                await self._keep(job, moves.stored(job, got))
            case Video():
                await self._keep(job, moves.converting(job, got, now=self.context.clock.now()))
            case Locked(detail=detail):
                await self._content_locked(job, self.context.gateways[job.gateway], detail)
            case Unusable(reason, detail):
                await self._content_unusable(job, reason, detail)
            case Trouble(detail, _, definite):
                await self._content_trouble(job, detail, definite=definite)

    async def _fetched(self, job: Job) -> Got:
        gateway, prompt = self.context.gateways[job.gateway], job.request.written
        return await fetching.fetch_video(
            gateway, self.media, job.gateway_id or "", job.sources, prompt=prompt
        )

    async def convert(self, job: Job) -> None:
        """Convert the job's original. If that keeps failing, the original is posted."""
        unconverted = job.unconverted
        if unconverted is None:
            raise Broken("nothing_to_convert", job=job.id)
        if job.crashes >= MOST_CRASHES or job.attempts >= CONVERT_TRIES:
            log.error("conversion.given_up", job=job.id, crashes=job.crashes, tries=job.attempts)
            await self._keep(job, moves.stored(job, unconverted))
            return
        await self.conversions.begun(job)
        self.context.bells.cards.ring()
        began = self.context.clock.steady()
        try:
            video = await self.media.convert(unconverted)
        except BotError as error:
            log.warning("conversion.failed", job=job.id, code=error.code)
            if isinstance(error, FileMissing):
                await self.context.save(job, moves.unfetched(job, now=self.context.clock.now()))
            else:
                await self.context.again(job, base=CONVERT_PAUSE, most=CONTENT_PACE)
        else:
            if video.plays:
                await self.conversions.ended(unconverted, self.context.clock.steady() - began)
            await self._keep(job, moves.stored(job, video))

    async def _keep(self, job: Job, after: Job) -> None:
        after = with_copy(after, self.context.gateways.get(job.gateway))
        if after.silent and after.video:
            after = moves.delivered(after, now=self.context.clock.now())
        if await self.context.keep(job, after) is None:
            had = job.unconverted.keys if job.unconverted else ()
            kept = after.video or after.unconverted
            for key in set(kept.keys if kept else ()).difference(had):
                await self.media.delete(key)

    async def clear(self, job: Job) -> None:
        """Delete the stored response that was the video itself, once the job doesn't need it."""
        keys = fetching.received_in(job.sources)
        row = await self.context.jobs.get(job.id) if keys else None
        if row is None or not (row.video or row.unconverted or row.is_final):
            return
        for key in keys:
            with suppress(Temporary):  # a file left in the storage must not fail this job
                await self.media.delete(key)

    async def _content_unusable(self, job: Job, reason: Reason, detail: str) -> None:
        """Count an unusable video in the row, with the reason; fail the job at `CONTENT_TRIES`."""
        tries = 1 + (job.attempts if job.reason else 0)
        log.warning(
            "content.unusable", job=job.id, reason=reason, tries=tries, what=kind_of(detail)
        )
        if tries >= CONTENT_TRIES:
            await self.context.save(job, moves.failed(job, reason, charged=True, detail=detail))
            return
        tried = replace(job, attempts=tries, reason=reason, detail=detail)
        await self.context.put_off(tried, CONTENT_PACE, was=job)

    async def _content_locked(self, job: Job, gateway: Gateway, detail: str) -> None:
        """Pause the gateway only if a free request with its key is refused as well.

        A job begins at most one pause: if its gateway works for others later, the fault is this
        job's.
        """
        probe = await ask(gateway, patience=PROBE_TIME)
        is_locked = isinstance(probe, Locked)
        if isinstance(probe, Locked) and not job.attempts:
            await self.context.pause(job, probe)
        await self._content_trouble(job, detail, definite=not is_locked)

    async def _content_trouble(self, job: Job, detail: str, *, definite: bool) -> None:
        """Retry later, a refusal until `CONTENT_PATIENCE`, an outage until `LAST_DEADLINE`."""
        if definite and job.reason is Reason.WITHHELD:
            await self._content_unusable(job, job.reason, detail)
            return
        log.warning("content.failed", job=job.id, what=kind_of(detail), attempts=job.attempts)
        patience = CONTENT_PATIENCE if definite else LAST_DEADLINE
        if self.context.is_past(patience, job.completed_at):
            gone = moves.failed(job, Reason.CONTENT_GONE, charged=True, detail=detail)
            await self.context.save(job, gone)
        elif job.reason:
            # An outage between unusable answers leaves their count as it is.
            await self.context.put_off(job, CONTENT_PACE)
        else:
            step = min(self.context.step(job), CONTENT_PACE)
            await self.context.again(job, base=step, most=CONTENT_PACE)
