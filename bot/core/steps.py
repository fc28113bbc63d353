"""One step of a job: what to do next is read off its row, and what happened is written there.

Nothing is remembered between steps, so the process may die anywhere.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from bot.core import fetching, moves, schedule
from bot.core.alone import Alone
from bot.core.content import Content
from bot.core.desk import PAUSE, Desk
from bot.core.errors import BotError, Broken, Refused, Temporary, about
from bot.core.jobs import (
    HARD_DEADLINE,
    LAST_DEADLINE,
    MOST_CRASHES,
    UNNAMED,
    Job,
    Reason,
    Status,
)
from bot.core.notices import about_shape, about_word
from bot.core.orders import PICTURE_BYTES, SOUND_BYTES, VIDEO, Order, Picture, Sound, Still
from bot.core.outcomes import Done, Failed, Locked, Missing, Running, Trouble
from bot.core.ports import Gateway, Media, Platform
from bot.core.submission import Submission
from bot.log import get_logger

PICTURE_TRIES = 5
AWHILE = 2.0
"""Seconds until a step comes again that may not begin beside others."""
CARE = 30.0
"""Seconds that a suspect step waits, with all that is finished and paid for behind it."""
_EVEN_SO = frozenset({Status.SUBMITTING, Status.CONVERTING})
"""States whose steps see to that themselves."""
LOST_AFTER = 600.0
LOST_TRIES = 5
"""A gateway that does not know an id is believed after this time and this many looks."""
_BROKEN_LIMITS = {
    (Reason.PICTURE_BAD, "picture_format"): Reason.PICTURE_UNKNOWN,
    (Reason.PICTURE_BAD, "picture_kind"): Reason.PICTURE_UNKNOWN,
    (Reason.PICTURE_BAD, "moves_already"): Reason.PICTURE_UNKNOWN,
    (Reason.PICTURE_BAD, "picture_too_large"): Reason.PICTURE_HEAVY,
    (Reason.PICTURE_BAD, "picture_too_many_pixels"): Reason.PICTURE_VAST,
    (Reason.PICTURE_BAD, "picture_demanding"): Reason.PICTURE_DEMANDING,
    (Reason.PICTURE_BAD, "picture_stays_large"): Reason.PICTURE_TOO_LARGE,
    (Reason.SOUND_BAD, "sound_format"): Reason.SOUND_UNKNOWN,
    (Reason.SOUND_BAD, "sound_short"): Reason.SOUND_SHORT,
    (Reason.SOUND_BAD, "sound_demanding"): Reason.SOUND_DEMANDING,
    (Reason.SOUND_BAD, "sound_stays_large"): Reason.PICTURE_TOO_LARGE,
    (Reason.SOUND_BAD, "sound_too_large"): Reason.SOUND_HEAVY,
}
"""People learn which limit a file breaks; all else that is wrong with one is told as damaged."""

log = get_logger()


class Steps:
    """Takes claimed jobs one step further."""

    def __init__(
        self,
        desk: Desk,
        *,
        submission: Submission,
        content: Content,
        platforms: Mapping[str, Platform],
        media: Media,
    ) -> None:
        self._desk = desk
        self._submission = submission
        self._content = content
        self._platforms = platforms
        self._media = media
        self._files = Alone(desk.clock.steady)

    async def take(self, job: Job) -> None:
        """Do whatever is next for `job`, which the caller has claimed."""
        try:
            if job.status is Status.QUEUED and (job.pictures_missing or job.sound_missing):
                await self._take_file(job)
            elif job.crashes >= MOST_CRASHES and job.status not in _EVEN_SO:
                log.error("job.put_aside", job=job.id, status=job.status, crashes=job.crashes)
                await self._desk.put_off(job, schedule.spread(CARE, by=job.id))
            else:
                await self._take(job)
                await self._content.clear(job)
        except asyncio.CancelledError:
            # Told to stop: the next process need not wait for our claim, nor think that we died.
            with suppress(Exception):  # a database that takes nothing does not hold the end up
                await self._desk.jobs.release(job)
            raise
        except Exception:
            log.exception("step.failed", job=job.id, status=job.status)
            await self._desk.again(job, base=10.0, most=60.0)

    async def _take(self, job: Job) -> None:
        match job.status:
            case Status.QUEUED if job.pictures_missing:
                await self._fetch_pictures(job)
            case Status.QUEUED if job.sound_missing:
                await self._fetch_sound(job)
            case Status.QUEUED:
                await self._submission.submit(job)
            case Status.SUBMITTING:
                await self._submission.take_up(job)
            case Status.IN_PROGRESS:
                await self._look(job)
            case Status.COMPLETED if job.video is None:
                await self._content.fetch(job)
            case Status.CONVERTING:
                await self._content.convert(job)
            case _:
                await self._desk.save(job, replace(job, due_at=None, claimed_until=None))

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

    # --- pictures and sounds -------------------------------------------------------------------

    async def _fetch_pictures(self, job: Job) -> None:
        job = await self._submission.bounded(job)
        try:
            order, kept = await self._with_pictures(job)
        except BotError as problem:
            await self._not_fetched(job, problem, gone=Reason.PICTURE_GONE, bad=Reason.PICTURE_BAD)
        else:
            await self._fetched(
                job,
                replace(job, order=order),
                [key for copy in kept for key in (copy.key, copy.whole)],
            )

    async def _fetch_sound(self, job: Job) -> None:
        """A step of its own: the pictures are kept, whatever comes of it."""
        job = await self._submission.bounded(job)
        sound, fit = job.order.sound, job.request.sound_fit
        if sound is None or fit is None:
            raise Broken("no_fit", job=job.id)
        try:
            async with self._media.scratch() as directory:
                platform = self._platforms[job.order.call.address.platform]
                async with self._heard(sound, platform, directory / "sound") as raw:
                    kept = await self._media.keep_sound(raw, fit)
        except BotError as problem:
            await self._not_fetched(job, problem, gone=Reason.SOUND_GONE, bad=Reason.SOUND_BAD)
        else:
            await self._fetched(job, moves.measured(job, sound.kept(kept)), [kept.key])

    async def _fetched(self, job: Job, after: Job, kept: list[str]) -> None:
        fresh = replace(after, claimed_until=None, attempts=0, crashes=0)
        if await self._desk.save(job, fresh) is None:
            for key in kept:
                await self._media.delete(key)

    async def _not_fetched(self, job: Job, problem: BotError, *, gone: Reason, bad: Reason) -> None:
        """A definite no ends the job; anything else after some tries, our own disk after a day."""
        if isinstance(problem, Refused):
            is_gone = problem.code == "picture_gone"
        else:
            ours = problem.code == "storage_unavailable"
            patient = ours and not self._desk.is_past(HARD_DEADLINE, job.created_at)
            if patient or job.attempts + 1 < PICTURE_TRIES:
                await self._desk.again(job, base=2.0, most=60.0)
                return
            is_gone = isinstance(problem, Temporary)
        reason = gone if is_gone else _BROKEN_LIMITS.get((bad, problem.code), bad)
        told = _pointed_out(job, problem)
        await self._desk.save(job, moves.failed(told, reason, charged=False, detail=str(problem)))

    async def _with_pictures(self, job: Job) -> tuple[Order, list[Still]]:
        fit = job.request.fit
        if fit is None:
            raise Broken("no_fit", job=job.id)
        wanted = [each for each in job.order.pictures if each.key is None]
        platform = self._platforms[job.order.call.address.platform]
        async with self._media.scratch() as directory, AsyncExitStack() as stack:
            raw = []
            for number, each in enumerate(wanted, 1):
                with about(number, len(wanted)):
                    found = self._raw(each, platform, directory / str(number))
                    raw.append(await stack.enter_async_context(found))
            kept = await self._media.keep_pictures(raw, fit)
        copies = iter(kept)
        pictures = [
            each if each.key else each.kept(next(copies), fit) for each in job.order.pictures
        ]
        return replace(job.order, pictures=tuple(pictures)), kept

    @asynccontextmanager
    async def _raw(self, picture: Picture, platform: Platform, into: Path) -> AsyncIterator[Path]:
        """The given picture, or one of our own. Raises `Refused` if it is gone."""
        with _gone_if_missing():
            if picture.copy_of:
                async with self._media.file(picture.copy_of) as copy:
                    yield copy
            elif picture.last_of:
                async with self._media.last_frame(picture.last_of) as frame:
                    yield frame
            else:
                await platform.fetch(picture, into, most=PICTURE_BYTES)
                yield into

    @asynccontextmanager
    async def _heard(self, sound: Sound, platform: Platform, into: Path) -> AsyncIterator[Path]:
        """The given sound, or our copy for another model. Raises `Refused` if it is gone."""
        with _gone_if_missing():
            if sound.key:
                async with self._media.file(sound.key) as copy:
                    yield copy
            else:
                await platform.fetch(sound, into, most=SOUND_BYTES)
                yield into

    # --- waiting -------------------------------------------------------------------------------

    async def _look(self, job: Job) -> None:
        gateway = await self._desk.gateway(job)
        if gateway is None or job.gateway_id is None:
            return
        asked_at = self._desk.clock.now()
        prompt = job.request.written
        look = await fetching.look(gateway, job.gateway_id, job.sources, prompt=prompt)
        if isinstance(look, Running | Done | Failed) and job.gateway_id != UNNAMED:
            # Of a video without an id nobody was asked: that says nothing of its gateway.
            await self._desk.works(job, asked_at=asked_at)
        if isinstance(look, Done):
            now = self._desk.clock.now()
            done = moves.completed(job, now=now, sources=look.sources, withheld=look.withheld)
            await self._desk.save(job, done)
        elif isinstance(look, Failed):
            charged = look.charged or not gateway.refunds_failed
            failed = moves.failed(job, look.reason, charged=charged, detail=look.detail)
            await self._desk.save(job, failed)
        elif self._desk.is_past(LAST_DEADLINE, job.submitted_at):
            await self._desk.save(job, moves.failed(job, Reason.TIMED_OUT, charged=True))
        else:
            await self._look_later(job, look, gateway)

    async def _look_later(
        self, job: Job, look: Running | Missing | Locked | Trouble, gateway: Gateway
    ) -> None:
        match look:
            case Running(progress, at_least, unknown, shape):
                if unknown:
                    await self._desk.remark(job, about_word(unknown), unknown)
                elif shape:
                    await self._desk.remark(job, about_shape(shape), shape)
                wait = max(at_least or 0.0, await self._desk.next_look(job))
                # Gateways let it fall, jump and stand at 100 early: people see it rise.
                risen = max(job.progress, min(progress or 0, 99))
                await self._desk.put_off(replace(job, progress=risen, attempts=0), wait, was=job)
            case Missing():
                await self._missing(job)
            case Locked():
                await self._desk.pause(job, look)
                await self._desk.put_off(job, PAUSE)
            case Trouble(detail, retry_after):
                log.warning("look.failed", job=job.id, what=_kind(detail))
                pace = await self._desk.next_look(job, least=min(60.0, 4 * gateway.poll_step))
                await self._desk.put_off(job, max(pace, retry_after or 0.0))

    async def _missing(self, job: Job) -> None:
        misses = job.attempts + 1
        if self._desk.elapsed(job) >= LOST_AFTER and misses >= LOST_TRIES:
            log.error("job.lost", job=job.id, gateway=job.gateway)
            await self._desk.save(job, moves.failed(job, Reason.LOST, charged=True))
            return
        # A fresh job may be unknown for seconds; later, a gateway being redeployed for minutes.
        pace = LOST_AFTER / (LOST_TRIES - 1) if misses > 1 else 0.0
        wait = max(await self._desk.next_look(job), pace)
        await self._desk.put_off(replace(job, attempts=misses), wait, was=job)


def _pointed_out(job: Job, problem: BotError) -> Job:
    """The job with the one of its pictures marked that the problem is about."""
    wanted = [at for at, each in enumerate(job.order.pictures) if each.key is None]
    first = 1 if len(wanted) == 1 else None
    number = problem.which[0] if problem.which else first
    bad = wanted[number - 1] if number else None
    kind = VIDEO if problem.code == "moves_already" else problem.values.get("kind")
    pictures = [
        replace(each, is_bad=at == bad, kind=str(kind) if kind and at == bad else None)
        for at, each in enumerate(job.order.pictures)
    ]
    return replace(job, order=replace(job.order, pictures=tuple(pictures)))


@contextmanager
def _gone_if_missing() -> Iterator[None]:
    """A file missing from our storage is as gone as one that a platform lost."""
    try:
        yield
    except Broken as broken:
        if broken.code == "file_missing":
            raise Refused("picture_gone") from broken
        raise


def _kind(detail: str) -> str:
    """The kind of a gateway's words, for the log: the words may quote the prompt."""
    return detail.partition(":")[0]
