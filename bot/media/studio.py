"""Prepares pictures, sounds and videos: the implementation of the core's `Media`.

A `Studio` owns the worker processes, the storage and the scratch directory, and never blocks the
event loop: decoding runs in a worker, disk operations run in a thread.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from errno import EXDEV
from pathlib import Path
from typing import Self

from bot.core.clips import VideoCopy, VideoFit
from bot.core.conversions import MOST_SECONDS
from bot.core.errors import BotError, Broken, Refused, StorageAway, Temporary, WorkerTooSlow, about
from bot.core.jobs import Original, Video
from bot.core.orders import Fit, Recording, SoundFit, Still
from bot.log import get_logger
from bot.media import tasks
from bot.media.facts import Probe
from bot.media.judging import Verdict, Way, judge
from bot.media.storage import Storage, new_key, sync, video_key
from bot.media.workers import Workers

PICTURE_TIMEOUT = 60.0
SOUND_TIMEOUT = 30.0
GIVEN_TIMEOUT = 120.0
PROBE_TIMEOUT = 60.0
EXAMINE_TIMEOUT = 90.0
SHRINK_TIMEOUT = 600.0
"""Timeouts in seconds; a worker that takes longer is killed."""
SHRINK_PAUSE = 20.0
"""Seconds until the next try if another video is being shrunk."""
FORGOTTEN_AFTER = 24 * 3600.0
"""Age in seconds of a scratch directory that can only belong to a killed process."""

log = get_logger()


class Studio:
    """Implements `bot.core.ports.Media` over a data directory and a storage URL."""

    def __init__(
        self,
        data: Path,
        *,
        storage_url: str | None = None,
        workers: int = 3,
        patience: float = MOST_SECONDS,
        picture_patience: float = PICTURE_TIMEOUT,
    ) -> None:
        """Without `storage_url` the files are kept in `data/media`.

        `workers` is the number of worker processes. With three, two may be busy for minutes, with
        a conversion and with shrinking a video, and one is free for quick work. `patience` is the
        timeout of one try to convert a video, `picture_patience` that of fitting a picture, both
        in seconds.
        """
        self._scratch = data / "scratch"
        self._received = data / "received"
        """The folder of complete videos that came as responses and are not in the storage yet."""
        self._url = storage_url or str(data / "media")
        self._workers = Workers(workers)
        self._shrinking = asyncio.Lock()
        self._patience = patience
        self._picture_patience = picture_patience

    async def __aenter__(self) -> Self:
        self.storage = await asyncio.to_thread(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.close()

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Path]:
        folder = await asyncio.to_thread(tempfile.mkdtemp, dir=self._scratch)
        try:
            yield Path(folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def keep_pictures(self, sources: Sequence[Path], fit: Fit) -> list[Still]:
        """Check, orient, fit and re-encode all pictures, or none. Raises `Refused`.

        All get the size of the first picture, unless each keeps its own shape. If one of them has
        too many bytes at that size, all are made smaller.
        """
        kept: list[Still] = []
        size = None
        try:
            for number, source in enumerate(sources, 1):
                with about(number, len(sources)):
                    still, size = await self._keep_picture(
                        source, fit if fit.is_own else _sized(fit, size)
                    )
                kept.append(still)
        except BaseException as error:
            for key in (each for still in kept for each in (still.key, still.whole)):
                await self.delete(key)
            smaller = _smaller(fit, size)
            if smaller is None or getattr(error, "code", "") != "picture_stays_large":
                raise
        else:
            return kept
        return await self.keep_pictures(sources, smaller)

    async def keep_sound(self, source: Path, fit: SoundFit) -> Recording:
        key = new_key("sounds", "mp3")
        async with self.scratch() as folder:
            fitted = folder / "sound.mp3"
            with _demanding("sound_demanding"):
                seconds = await self._workers.run(
                    tasks.fit_sound, source, fit, fitted, timeout=SOUND_TIMEOUT
                )
            size = await self.storage.take(key, fitted)
        return Recording(key=key, size=size, seconds=seconds)

    async def keep_given(self, source: Path, fit: VideoFit) -> VideoCopy:
        key = new_key("given", "mp4")
        async with self.scratch() as folder:
            fitted = folder / "video.mp4"
            with _demanding("video_demanding"):
                made = await self._workers.run(
                    tasks.fit_video, source, fit, fitted, timeout=GIVEN_TIMEOUT
                )
            size = await self.storage.take(key, fitted)
        return VideoCopy(
            key=key, size=size, seconds=made.seconds, width=made.width, height=made.height
        )

    async def keep_video(self, source: Path) -> Video:
        """Check and store a video with a thumbnail; remux it if only its container is a problem.

        `source` and its folder may be changed. A video whose pictures must be encoded again is
        stored as it came: it counts as not playable until `convert` has run. Raises `Broken`:
        `not_a_video`, `video_damaged`, `video_truncated`, or a worker's own failure.
        """
        examined = await self._workers.run(tasks.examine, source, timeout=EXAMINE_TIMEOUT)
        verdict, suffix = judge(examined.seen), examined.suffix
        if verdict.way is Way.AS_IT_IS:
            return await self._keep_video(source, examined.clip, suffix)
        if not verdict.pictures and (video := await self._remuxed(source, suffix, verdict)):
            return video
        stored = await self._store("originals", source, suffix)
        return _video(stored, examined.clip, plays=False)

    async def _remuxed(self, source: Path, suffix: str, verdict: Verdict) -> Video | None:
        """Remux and store a video; None if its pictures must be encoded again after all."""
        async with self.scratch() as folder:
            target, began = folder / "video.mp4", time.monotonic()
            try:
                clip = await self._workers.run(
                    tasks.remux, source, target, verdict, timeout=EXAMINE_TIMEOUT
                )
            except Broken as broken:
                log.info("video.not_remuxed", code=broken.code, why=verdict.reasons)
                return None
            _log_converted(verdict.way, verdict.reasons, began)
            original = await self._store("originals", source, suffix)
            try:
                kept = await self._keep_video(target, clip, "mp4")
            except BaseException:
                with suppress(Temporary):
                    await self.delete(original.key)
                raise
        return replace(kept, converted=original, reencoded=verdict.way is Way.REENCODED)

    async def convert(self, video: Video) -> Video:
        """Convert a stored video so that it plays everywhere; the original is kept.

        If a worker fails, by timeout, memory or a crash, the conversion is tried once more with
        less work. If that fails too, return the same video, with a thumbnail if possible. Raises
        `Temporary`, or `Broken("file_missing")`.
        """
        async with self.file(video.key) as source, self.scratch() as folder:
            target = folder / "video.mp4"
            for convert in (tasks.convert, tasks.convert_sparingly):
                began = time.monotonic()
                try:
                    clip, why = await self._workers.run(
                        convert, source, target, timeout=self._patience
                    )
                except Broken as broken:
                    log.warning(
                        "video.not_converted", code=broken.code, key=video.key, by=convert.__name__
                    )
                    continue
                _log_converted(Way.REENCODED, why, began, width=clip.width, height=clip.height)
                kept = await self._keep_video(target, clip, "mp4")
                return replace(kept, converted=video.original, reencoded=True)
            thumbnail = await self._keep_thumbnail(source, folder / "still.jpg")
            return replace(video, thumbnail=thumbnail)

    async def _keep_video(self, file: Path, clip: Probe, suffix: str) -> Video:
        stored = await self._store("videos", file, suffix)
        thumbnail = await self._keep_thumbnail(file, file.with_name("still.jpg"))
        return replace(_video(stored, clip), thumbnail=thumbnail)

    async def _store(self, kind: str, file: Path, suffix: str) -> Original:
        key = new_key(kind, suffix)
        return Original(key=key, size=await self.storage.take(key, file))

    async def receive(self, source: Path, name: str) -> str:
        """Store a video as it came and return its key; `received` finds it by `name` from then on.

        Raises `Temporary` if the storage is away. The video is not lost then: the same call again
        continues.
        """
        key, file = video_key(name), self.receiving(name)
        try:
            await asyncio.to_thread(_receive, source, file)
        except OSError as error:
            raise StorageAway(key=key) from error
        if await asyncio.to_thread(file.exists) or not await self.storage.exists(key):
            await self.storage.take(key, file)
            with suppress(OSError):
                await asyncio.to_thread(file.unlink)
        return key

    async def received(self, name: str) -> str | None:
        """Return the key of the video received as `name`, also by an earlier process; else None."""
        key, file = video_key(name), self.receiving(name)
        if await asyncio.to_thread(file.exists):
            return await self.receive(file, name)
        return key if await self.storage.exists(key) else None

    def receiving(self, name: str) -> Path:
        """Return the path of the video of this name until the storage has it."""
        return self._received / Path(video_key(name)).name

    @asynccontextmanager
    async def file(self, key: str) -> AsyncIterator[Path]:
        """Yield a stored object as a local file, as long as the context lasts."""
        async with self.storage.file(key) as path:
            yield path

    @asynccontextmanager
    async def shrink(self, key: str, *, most_bytes: int) -> AsyncIterator[Path]:
        """Yield a copy of a stored video in at most `most_bytes`, as long as the context lasts.

        Only one video shrinks at a time: it takes long, and pictures need a worker meanwhile.
        Raises `Temporary` while another one shrinks, or `Broken("cannot_shrink")` if the result
        would be unwatchable.
        """
        async with self.file(key) as source, self.scratch() as folder:
            target = folder / "video.mp4"
            if self._shrinking.locked():
                # A post that waited here would occupy a slot that other posts can use.
                raise Temporary("shrinking", retry_after=SHRINK_PAUSE, unsent=True)
            async with self._shrinking:
                await self._workers.run(
                    tasks.shrink, source, target, most_bytes, timeout=SHRINK_TIMEOUT
                )
            yield target

    @asynccontextmanager
    async def last_frame(self, key: str) -> AsyncIterator[Path]:
        """Yield the last frame of a stored video as a picture, as long as the context lasts."""
        async with self.file(key) as source, self.scratch() as folder:
            frame = folder / "frame.png"
            await self._workers.run(tasks.take_last_frame, source, frame, timeout=PROBE_TIMEOUT)
            yield frame

    @asynccontextmanager
    async def viewable(self, source: Path) -> AsyncIterator[Path]:
        """Yield a picture in a form that browsers show, as long as the context lasts.

        Raises `Refused`.
        """
        async with self.scratch() as folder:
            shown = folder / "shown.jpg"
            with _demanding("picture_demanding"):
                await self._workers.run(tasks.show, source, shown, timeout=self._picture_patience)
            yield shown

    @asynccontextmanager
    async def small_still(self, key: str, side: int) -> AsyncIterator[Path]:
        """Yield a stored still, its sides at most `side` pixels, as long as the context lasts."""
        async with self.file(key) as source, self.scratch() as folder:
            target = folder / "still.jpg"
            await self._workers.run(
                tasks.shrink_still, source, side, target, timeout=PICTURE_TIMEOUT
            )
            yield target

    async def delete(self, key: str) -> None:
        await self.storage.delete(key)

    async def _keep_picture(self, source: Path, fit: Fit) -> tuple[Still, tuple[int, int]]:
        key, whole = new_key("pictures", "jpg"), new_key("originals", "jpg")
        async with self.scratch() as folder:
            files = folder / "picture.jpg", folder / "whole.jpg"
            with _demanding("picture_demanding"):
                fitted, (width, height) = await self._workers.run(
                    tasks.fit_pictures, source, fit, *files, timeout=self._picture_patience
                )
            for name, file in zip((key, whole), files, strict=True):
                await self.storage.take(name, file)
        return Still(key=key, whole=whole, width=width, height=height), fitted

    async def _keep_thumbnail(self, source: Path, still: Path) -> str | None:
        """Store a thumbnail and return its key; None if that fails: the video is posted anyway."""
        key = new_key("thumbnails", "jpg")
        try:
            await self._workers.run(tasks.take_thumbnail, source, still, timeout=PROBE_TIMEOUT)
            await self.storage.take(key, still)
        except BotError:
            return None
        return key

    def _open(self) -> Storage:
        for folder in (self._scratch, self._received):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in self._scratch.iterdir():
            with suppress(FileNotFoundError):
                if folder.stat().st_mtime < time.time() - FORGOTTEN_AFTER:
                    shutil.rmtree(folder, ignore_errors=True)
        return Storage(self._url, scratch=self._scratch)


def _video(stored: Original, clip: Probe, *, plays: bool = True) -> Video:
    return Video(
        key=stored.key,
        size=stored.size,
        width=clip.width,
        height=clip.height,
        seconds=clip.seconds,
        plays=plays,
    )


def _log_converted(way: Way, why: tuple[str, ...], began: float, **size: int) -> None:
    seconds = round(time.monotonic() - began, 1)
    log.info("video.converted", way=way, why=why, seconds=seconds, **size)


@contextmanager
def _demanding(code: str) -> Iterator[None]:
    """Raise `Refused(code)` for a timeout: the file is not damaged, but a retry would not help."""
    try:
        yield
    except WorkerTooSlow as slow:
        raise Refused(code) from slow


def _receive(source: Path, into: Path) -> None:
    """Move a file to `into` atomically, also from another disk."""
    if source == into or not source.exists():
        return
    sync(source)
    try:
        source.replace(into)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        part = into.with_suffix(".part")  # the scratch directory is on another disk
        shutil.copyfile(source, part)
        sync(part)
        part.replace(into)
    sync(into.parent)


def _sized(fit: Fit, size: tuple[int, int] | None) -> Fit:
    return fit if size is None else replace(fit, width=size[0], height=size[1])


def _smaller(fit: Fit, size: tuple[int, int] | None) -> Fit | None:
    """Return a fit with 0.8 times that size for the next try; None if that is not allowed."""
    side = 0 if size is None else round(max(size) * 0.8)
    is_exact = fit.width is not None and fit.height is not None
    # A picture that keeps its own shape was made as small as possible, and `size` is another's.
    return None if is_exact or fit.is_own or side < fit.least_side else replace(fit, most_side=side)
