"""The steps that download a job's pictures, video and sound, check and store fitted copies."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core import moves
from bot.core.context import StepContext
from bot.core.errors import (
    BotError,
    Broken,
    FileMissing,
    MovesAlready,
    PictureGone,
    Refused,
    StorageAway,
    Temporary,
    about,
)
from bot.core.jobs import HARD_DEADLINE, Job, Reason
from bot.core.orders import (
    PICTURE_BYTES,
    SOUND_BYTES,
    VIDEO,
    VIDEO_BYTES,
    Clip,
    Given,
    Order,
    Picture,
    Still,
)
from bot.core.platforms import Fetches
from bot.core.ports import Media
from bot.core.steps.submission import Submission

PICTURE_TRIES = 5
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
    (Reason.GIVEN_BAD, "video_format"): Reason.GIVEN_UNKNOWN,
    (Reason.GIVEN_BAD, "video_too_large"): Reason.GIVEN_HEAVY,
    (Reason.GIVEN_BAD, "video_short"): Reason.GIVEN_SHORT,
    (Reason.GIVEN_BAD, "video_long"): Reason.GIVEN_LONG,
    (Reason.GIVEN_BAD, "video_demanding"): Reason.GIVEN_DEMANDING,
    (Reason.GIVEN_BAD, "video_stays_large"): Reason.PICTURE_TOO_LARGE,
}
"""(Reason, error code) → the reason that names the broken limit. Others mean a damaged file."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Downloads and stores the files of orders."""

    context: StepContext
    submission: Submission
    platforms: Mapping[str, Fetches]
    media: Media

    async def fetch_pictures(self, job: Job) -> None:
        """Download all missing pictures of the job and store fitted copies."""
        job = await self.submission.bounded(job)
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

    async def fetch_sound(self, job: Job) -> None:
        """Download the job's sound and store a copy.

        This is a separate step, so the pictures stay stored if it fails.
        """
        job = await self.submission.bounded(job)
        sound, fit = job.order.sound, job.request.sound_fit
        if sound is None or fit is None:
            raise Broken("no_fit", job=job.id)
        try:
            async with self.media.scratch() as directory:
                platform = self.platforms[job.order.call.address.platform]
                async with self._raw(sound, platform, directory / "sound") as raw:
                    kept = await self.media.keep_sound(raw, fit)
        except BotError as problem:
            await self._not_fetched(job, problem, gone=Reason.SOUND_GONE, bad=Reason.SOUND_BAD)
        else:
            await self._fetched(job, moves.measured(job, sound.kept(kept)), [kept.key])

    async def fetch_video(self, job: Job) -> None:
        """Download the video that the order is made from, or take ours, and store a copy."""
        job = await self.submission.bounded(job)
        video, fit = job.order.video, job.request.video_fit
        if video is None or fit is None:
            raise Broken("no_fit", job=job.id)
        try:
            async with self.media.scratch() as directory:
                platform = self.platforms[job.order.call.address.platform]
                async with self._raw(video, platform, directory / "video") as raw:
                    copy = await self.media.keep_given(raw, fit)
        except BotError as problem:
            await self._not_fetched(job, problem, gone=Reason.GIVEN_GONE, bad=Reason.GIVEN_BAD)
        else:
            await self._fetched(job, moves.given(job, video.kept(copy, fit)), [copy.key])

    async def _fetched(self, job: Job, after: Job, kept: list[str]) -> None:
        fresh = replace(after, claimed_until=None, attempts=0, crashes=0)
        if await self.context.save(job, fresh) is None:
            for key in kept:
                await self.media.delete(key)

    async def _not_fetched(self, job: Job, problem: BotError, *, gone: Reason, bad: Reason) -> None:
        """Fail the job if `problem` is a `Refused`, else retry later.

        Retries end after `PICTURE_TRIES`, and for errors of our storage at `HARD_DEADLINE`. The
        reason is `gone` if the file no longer exists or can't be downloaded for now, else `bad`.
        """
        if isinstance(problem, Refused):
            is_gone = isinstance(problem, PictureGone)
        else:
            ours = isinstance(problem, StorageAway)
            patient = ours and not self.context.is_past(HARD_DEADLINE, job.created_at)
            if patient or job.attempts + 1 < PICTURE_TRIES:
                await self.context.again(job, base=2.0, most=60.0)
                return
            is_gone = isinstance(problem, Temporary)
        reason = gone if is_gone else _BROKEN_LIMITS.get((bad, problem.code), bad)
        marked = _pointed_out(job, problem)
        await self.context.save(
            job, moves.failed(marked, reason, charged=False, detail=str(problem))
        )

    async def _with_pictures(self, job: Job) -> tuple[Order, list[Still]]:
        fit = job.request.fit
        if fit is None:
            raise Broken("no_fit", job=job.id)
        wanted = [each for each in job.order.pictures if each.key is None]
        platform = self.platforms[job.order.call.address.platform]
        async with self.media.scratch() as directory, AsyncExitStack() as stack:
            raw = []
            for number, each in enumerate(wanted, 1):
                with about(number, len(wanted)):
                    found = self._raw(each, platform, directory / str(number))
                    raw.append(await stack.enter_async_context(found))
            kept = await self.media.keep_pictures(raw, fit)
        copies = iter(kept)
        pictures = [
            each if each.key else each.kept(next(copies), fit) for each in job.order.pictures
        ]
        return replace(job.order, pictures=tuple(pictures)), kept

    @asynccontextmanager
    async def _raw(self, given: Given, platform: Fetches, into: Path) -> AsyncIterator[Path]:
        """Provide a file: our own copy, a frame of our own video, or a download to `into`.

        Raises `Refused` if the file is gone.
        """
        copy = given.copy_of if isinstance(given, Picture) else given.key
        copy = given.video_of or copy if isinstance(given, Clip) else copy
        with _gone_if_missing():
            if copy:
                async with self.media.file(copy) as ours:
                    yield ours
            elif isinstance(given, Picture) and given.last_of:
                async with self.media.last_frame(given.last_of) as frame:
                    yield frame
            else:
                await platform.fetch(given, into, most=_most(given))
                yield into


def _most(given: Given) -> int:
    if isinstance(given, Picture):
        return PICTURE_BYTES
    return VIDEO_BYTES if isinstance(given, Clip) else SOUND_BYTES


def _pointed_out(job: Job, problem: BotError) -> Job:
    """Return the job with the picture marked that `problem` is about."""
    wanted = [at for at, each in enumerate(job.order.pictures) if each.key is None]
    first = 1 if len(wanted) == 1 else None
    number = problem.which[0] if problem.which else first
    bad = wanted[number - 1] if number else None
    kind = VIDEO if isinstance(problem, MovesAlready) else problem.values.get("kind")
    pictures = [
        replace(each, is_bad=at == bad, kind=str(kind) if kind and at == bad else None)
        for at, each in enumerate(job.order.pictures)
    ]
    return replace(job, order=replace(job.order, pictures=tuple(pictures)))


@contextmanager
def _gone_if_missing() -> Iterator[None]:
    """Raise `PictureGone`, as networks do, for a file that is missing from our storage."""
    try:
        yield
    except FileMissing as missing:
        raise PictureGone() from missing
