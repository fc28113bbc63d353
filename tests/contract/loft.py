"""A store with media files beside it and a clock that the test moves."""

import os
from dataclasses import replace
from pathlib import Path

from bot.core import moves
from bot.core.inspection import Inspection
from bot.core.jobs import Job, Original, Video
from bot.core.keeping import DAY, Rules
from bot.core.orders import Clip, Fit, Picture
from bot.core.posts import Form, PostKind
from bot.core.retention import Retention
from bot.core.wishes import WORDS
from bot.media.file_store import FileStore
from bot.media.storage import Storage, new_key
from bot.store.sweeps import Sweeps
from tests.contract.rows import NOON, Store, a_job
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import changed

FIT = Fit(width=640, height=360)
WRITTEN = dict.fromkeys(WORDS, "dogs") | {"prompt": "a cat on the moon"}


class Loft:
    """A store with media files beside it, and a clock."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.clock = FakeClock()
        self.ledger = Sweeps(store.database)
        for each in ("scratch", "received"):
            (folder / each).mkdir()
        self.storage = Storage(str(folder / "media"), scratch=folder / "scratch")

    def file_store(self, owner: str = "me") -> FileStore:
        return FileStore(self.storage, self.folder, owner=owner)

    def retention(self, rules: Rules | None = None, *, owner: str = "me") -> Retention:
        return Retention(
            ledger=self.ledger,
            file_store=self.file_store(owner),
            rules=rules or Rules(),
            clock=self.clock,
        )

    def inspection(self, rules: Rules | None = None) -> Inspection:
        return Inspection(
            ledger=self.ledger,
            file_store=self.file_store(),
            rules=rules or Rules(),
            clock=self.clock,
        )

    async def swept(self, day: float, rules: Rules | None = None) -> None:
        """Run a sweep that many days after noon."""
        await self.clock.advance(NOON + day * DAY - self.clock.now())
        await self.retention(rules).sweep()

    async def file(self, kind: str, suffix: str, *, size: int = 9, at: float = NOON) -> str:
        """Store a file and return its key."""
        key = new_key(kind, suffix)
        await self.put(key, size=size, at=at)
        return key

    async def put(self, key: str, *, size: int = 9, at: float = NOON) -> None:
        source = self.folder / "source"
        source.write_bytes(bytes(size))
        await self.storage.put(key, source)
        os.utime(self.folder / "media" / key, (at, at))

    async def video(self, *, size: int = 9, original: int = 0) -> Video:
        """Store the files of a video, with an original of `original` bytes if that is not 0."""
        converted = None
        if original:
            key = await self.file("originals", "mkv", size=original)
            converted = Original(key=key, size=original)
        return Video(
            key=await self.file("videos", "mp4", size=size),
            size=size,
            width=640,
            height=360,
            seconds=5.0,
            thumbnail=await self.file("thumbnails", "jpg", size=1),
            converted=converted,
        )

    async def picture(self) -> Picture:
        """Return a picture of which we have our own copies."""
        given = Picture(source=None, filename="me at home.png", size=9)
        key, whole = await self.file("pictures", "jpg"), await self.file("originals", "jpg")
        return replace(given, key=key, whole=whole, fit=FIT)

    async def ordered(self, *pictures: Picture, video: Clip | None = None, at: float = NOON) -> Job:
        job = a_job(now=at)
        order = changed(job.order, pictures=pictures, video=video, **WRITTEN)
        parameters = (("size", "1280*720"), ("metadata.negative_prompt", "dogs"))
        request = replace(job.request, parameters=parameters)
        return await self.store.admitted(replace(job, order=order, request=request))

    async def stored(self, job: Job, video: Video, *, at: float, silent: bool = False) -> Job:
        """Give the job its video. The video is due to be posted unless `silent`."""
        moved = self.store.moved
        job = await moved(job, moves.submitting(job, now=at), now=at)
        taken = moves.accepted(job, f"gateway {job.id}", now=at, due_at=at)
        job = await moved(job, replace(taken, silent=silent), now=at)
        job = await moved(job, moves.completed(job, now=at, sources=()), now=at)
        after = moves.stored(job, video)
        return await self.store.moved(
            job, moves.delivered(after, now=at) if silent else after, now=at
        )

    async def posted(
        self, video: Video, *pictures: Picture, at: float = NOON, form: Form = Form.FILE
    ) -> Job:
        job = await self.stored(await self.ordered(*pictures, at=at), video, at=at)
        (post,) = await self.store.posts.claim(
            ["discord"], [PostKind.RESULT], now=at, until=at + 60, most=9
        )
        begun = await self.store.posts.sending(post, form, now=at)
        assert begun is not None
        await self.store.posts.sent(begun, f"message {job.id}", "lounge", now=at)
        return await self.job(job)

    async def job(self, job: Job) -> Job:
        row = await self.store.jobs.get(job.id)
        assert row is not None
        return row

    def there(self, *keys: str | None) -> list[bool]:
        return [(self.folder / "media" / (key or "-")).exists() for key in keys]

    def files(self) -> int:
        return sum(each.is_file() for each in (self.folder / "media").glob("[!o]*/*/*"))


def capped(size: int) -> Rules:
    """Return rules under which only the size of the media makes files go."""
    return Rules(videos=None, inputs=None, words=None, most_bytes=size)
