"""A gateway, a chat and a studio that do what a test scripted, and clocks that a test moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from bot.core.clips import VideoCopy, VideoFit
from bot.core.errors import BotError, Broken, FileMissing, HistoryUnreadable, Temporary
from bot.core.jobs import Job, Status, Video
from bot.core.orders import (
    Address,
    Fit,
    Given,
    Recording,
    SoundFit,
    Still,
    VideoRequest,
)
from bot.core.outcomes import (
    Accepted,
    Creation,
    Done,
    Fetch,
    Fetched,
    Listing,
    Made,
    NoList,
    NotSent,
    Polled,
    Probe,
    Running,
    Trouble,
    Unread,
)
from bot.core.platforms import Can, DirectMessage, Standing
from bot.core.ports import Ready
from bot.core.posts import CARD_GRACE, Form, Post
from bot.core.quotas import Limits
from bot.core.replies import Button, Reply, Text

Outcome = TypeVar("Outcome")
FREE = Limits(person_videos=None, person_at_once=None, community_videos=None, purse_videos=None)
STATES = (
    (Status.QUEUED,),
    (Status.SUBMITTING, Status.IN_PROGRESS),
    (Status.COMPLETED,),
    (Status.CONVERTING,),
)
PLAYS = Video(key="videos/a.mp4", size=9, width=16, height=9, seconds=5.0)
RAW = Video(key="originals/a.mkv", size=9, width=1920, height=1080, seconds=60.0, plays=False)


class HandClock:
    """A clock that moves only when the test moves it."""

    def __init__(self) -> None:
        self.time = self.settled_at = 1_000_000.0
        self.naps = 0
        self.on_nap: Callable[[], Awaitable[object]] | None = None

    def now(self) -> float:
        return self.time

    def steady(self) -> float:
        return self.time

    def settled(self) -> float:
        return self.time - self.settled_at

    async def sleep(self, seconds: float) -> None:
        """Count a nap and call the hook: a step only waits here if the database takes nothing."""
        self.time += seconds
        self.naps += 1
        if self.on_nap:
            await self.on_nap()


class RunningClock(HandClock):
    """A hand clock that also goes on by itself."""

    def now(self) -> float:
        return self.time + time.monotonic()

    def steady(self) -> float:
        return self.now()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScriptedGateway:
    """A gateway that answers with the next outcome of each list, repeats the last, counts POSTs."""

    name = "main"
    base_url = "https://gateway.test"
    account = "main and its key"
    dialect = "new-api"
    poll_step = 10.0
    refunds_failed = True
    own = False

    def __init__(self) -> None:
        self.creations: list[Creation] = [Accepted("v1")]
        self.polls: list[Polled] = [Done()]
        self.probes: list[Probe] = [Trouble("tells nothing")]
        self.fetches: list[Fetch] = [Fetched(9)]
        self.posts = 0
        self.files: list[Path] = []
        """The files of the latest request."""
        self.links: list[tuple[str, ...]] = []
        """The links of each request, whether it was sent or not."""
        self.looked_at: list[float] = []
        self.polled = 0
        self.deleted: list[str] = []
        """The ids of the videos whose deletion was asked for."""
        self.deletions: list[Trouble | None] = [None]
        self.asked: list[str | None] = []
        """Where each download was asked for; None means by our own id."""
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        """A hook that runs between the first byte of the POST and its answer."""
        self.before: Callable[[], Awaitable[object]] | None = None
        """A hook that runs before the first byte of the POST."""

    @asynccontextmanager
    async def ready(
        self,
        request: VideoRequest,
        files: Sequence[Path],
        *,
        links: Sequence[str] = (),
        into: Path | None = None,
    ) -> AsyncIterator[Ready | NotSent]:
        self.links.append(tuple(links))
        self.files = list(files)
        if self.before:
            await self.before()
        outcome = following(self.creations)
        yield outcome if isinstance(outcome, NotSent) else ScriptedPost(self, outcome, into)

    async def listing(self, *, since: float) -> Listing:
        return NoList()

    async def probe(self) -> Probe:
        return following(self.probes)

    async def retrieve(self, gateway_id: str, *, prompt: str = "") -> Polled:
        seen = await self.glance(gateway_id)
        return seen if isinstance(seen, Running) else seen.read(prompt)

    async def glance(self, gateway_id: str) -> Running | Unread:
        self.polled += 1
        poll = following(self.polls)
        if isinstance(poll, Running) and not (poll.unknown or poll.shape):
            return poll
        return Unread(lambda _prompt: poll)

    async def delete(self, gateway_id: str) -> Trouble | None:
        self.deleted.append(gateway_id)
        return following(self.deletions)

    async def content(
        self, gateway_id: str, source: str | None, into: Path, *, prompt: str = ""
    ) -> Fetch:
        self.asked.append(source)
        return following(self.fetches)


@dataclass
class ScriptedPost:
    """A POST that ends with a scripted outcome."""

    gateway: ScriptedGateway
    outcome: Creation
    into: Path | None

    async def send(self) -> Creation:
        self.gateway.posts += 1
        if self.gateway.meanwhile:
            await self.gateway.meanwhile()
        if isinstance(self.outcome, Made) and self.into:
            self.into.write_bytes(b"a video!!")
        return self.outcome


class ScriptedStudio:
    """A studio that keeps no files and remembers their keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: set[str] = set()
        self.receiving: set[str] = set()
        """Names of videos that came as an answer and that the storage has not taken yet."""
        self.fits: list[Fit] = []
        """The fit of the pictures of each call."""
        self.sizes: dict[str, int] = {}
        """Key → bytes of a file, if they are not 9."""
        self.most = 9
        """Bytes of a picture that nothing made smaller."""
        self.bad_picture: BotError | None = None
        self.bad_sound: BotError | None = None
        self.bad_given: BotError | None = None
        self.given: list[tuple[str, VideoFit]] = []
        """The videos of orders that were kept: the file's name, and the requirements."""
        self.given_seconds = 4.2
        """Seconds of every video of an order."""
        self.bad_video: BotError | None = None
        self.unplayable = False
        """Whether a video has to be converted."""
        self.conversions: list[Video | BotError] = []
        """How conversions end: an error for each; an empty list means that they succeed."""
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        """A hook that runs during a conversion."""
        self.bad_videos: list[BotError] = []
        """Errors of the first conversions, each raised once."""
        self.seconds = 7.2
        """Seconds of every sound."""
        self.storage_trouble: list[Exception] = []
        """Errors that `receive` raises, each once."""
        self.shrinks = False
        self.shrinking: list[Temporary] = []
        """Errors that the first calls raise, each once."""

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Path]:
        yield self.folder

    async def keep_pictures(self, sources: Sequence[Path], fit: Fit) -> list[Still]:
        if self.bad_picture:
            raise self.bad_picture
        self.fits.append(fit)
        first = len(self.kept) // 2
        keys = [f"pictures/{first + number}" for number, _ in enumerate(sources)]
        self.kept |= {f"{key}{end}" for key in keys for end in (".jpg", "-whole.jpg")}
        self.sizes |= {f"{key}.jpg": min(self.most, fit.most_bytes) for key in keys}
        return [
            Still(key=f"{key}.jpg", whole=f"{key}-whole.jpg", width=640, height=360) for key in keys
        ]

    async def keep_sound(self, source: Path, fit: SoundFit) -> Recording:
        if self.bad_sound:
            raise self.bad_sound
        self.kept.add("sounds/a.mp3")
        seconds = min(self.seconds, fit.most_seconds)
        return Recording(key="sounds/a.mp3", size=9, seconds=seconds)

    async def keep_given(self, source: Path, fit: VideoFit) -> VideoCopy:
        if self.bad_given:
            raise self.bad_given
        self.given.append((source.name, fit))
        key = f"given/{len(self.given)}.mp4"
        self.kept.add(key)
        fit.check(self.given_seconds)
        return VideoCopy(key=key, size=9, seconds=self.given_seconds, width=1280, height=720)

    async def receive(self, source: Path, name: str) -> str:
        self.receiving.add(name)
        if self.storage_trouble:
            raise self.storage_trouble.pop(0)
        self.kept.add(f"originals/{name}.mp4")
        self.receiving.discard(name)
        return f"originals/{name}.mp4"

    async def received(self, name: str) -> str | None:
        if name in self.receiving:
            return await self.receive(self.folder, name)
        if self.storage_trouble:
            raise self.storage_trouble.pop(0)
        key = f"originals/{name}.mp4"
        return key if key in self.kept else None

    async def keep_video(self, source: Path) -> Video:
        if self.bad_videos:
            raise self.bad_videos.pop(0)
        if self.bad_video:
            raise self.bad_video
        if self.unplayable:
            self.kept.add("originals/a.mkv")
            return RAW
        self.kept.add("videos/a.mp4")
        return PLAYS

    async def convert(self, video: Video) -> Video:
        if self.meanwhile:
            await self.meanwhile()
        end = self.conversions.pop(0) if self.conversions else None
        if isinstance(end, BotError):
            raise end
        if end is None:
            self.kept.add("videos/a.mp4")
        return end or replace(PLAYS, converted=video.original, reencoded=True)

    @asynccontextmanager
    async def file(self, key: str) -> AsyncIterator[Path]:
        if key not in self.kept:
            raise FileMissing(key=key)
        path = self.folder / key
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(self.sizes.get(key, 9)))
        yield path

    @asynccontextmanager
    async def shrink(self, key: str, *, most_bytes: int) -> AsyncIterator[Path]:
        if self.shrinking:
            raise self.shrinking.pop()
        if not self.shrinks:
            raise Broken("cannot_shrink")
        yield self.folder / "small"

    @asynccontextmanager
    async def last_frame(self, key: str) -> AsyncIterator[Path]:
        async with self.file(key) as file:
            yield file

    async def delete(self, key: str) -> None:
        self.kept.discard(key)


class ScriptedChat:
    """A platform that answers each send with the next outcome: an id, or an error."""

    name = "chat"

    def __init__(self) -> None:
        self.can = Can(upload_limit=10**9, card_grace=CARD_GRACE, remembers_nonces=True)
        self.fetches: list[BotError | None] = [None]
        self.sends: list[BotError | None] = [None]
        self.limit = self.can.upload_limit
        self.news: asyncio.Queue[Reply] = asyncio.Queue()
        """An event that is set whenever the chat got a message or an edit."""
        self.said: list[tuple[str, Reply, bool]] = []
        """Nonce, reply and whether a file was attached, for every send that was tried."""
        self.again: list[bool] = []
        """For every send: whether an earlier send of that post had an unknown end."""
        self.edits: list[BotError | None] = [None]
        self.edited: list[Reply] = []
        self.removals: list[BotError | None] = [None]
        self.removed: list[str | None] = []
        self.address: str | None = "https://chat.test"
        """The beginning of the addresses of messages, on networks that have such addresses."""
        self.tells: list[BotError | None] = [None]
        self.told: list[tuple[str, Text]] = []
        """The people whom the platform tried to tell something, with the text."""
        self.buttons: list[tuple[Button, ...]] = []
        """The message ids under which each of these was sent."""
        self.nonces: list[tuple[str, float | None]] = []
        """The nonce of each of these, and when an earlier try of it began."""
        self.retold: list[tuple[str, Reply]] = []
        """The messages that were edited."""
        self.history: dict[str, tuple[str, str]] = {}
        """Kind of post → the message that `find` returns."""
        self.is_readable = True
        """Whether `find` can tell anything."""
        self.searched_since: dict[str, float | None] = {}
        """Kind of post → the time from which on `find` searched for it."""

    async def is_connected(self) -> bool:
        return True

    async def fetch(self, given: Given, into: Path, *, most: int) -> None:
        problem = following(self.fetches)
        if problem:
            raise problem

    async def upload_limit(self, job: Job) -> int:
        return self.limit

    direct_limit = upload_limit

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        self.again.append(False)
        return self._said(post, reply, video)

    async def send_again(
        self, post: Post, job: Job, reply: Reply, *, video: Path | None
    ) -> Standing:
        self.again.append(True)
        return self._said(post, reply, video)

    def _said(self, post: Post, reply: Reply, video: Path | None) -> Standing:
        self.said.append((post.nonce(post.form or Form.TEXT), reply, video is not None))
        self.news.put_nowait(reply)
        problem = following(self.sends)
        if problem:
            raise problem
        return Standing(f"m{len(self.said)}", "private" if post.direct else "hall")

    async def edit(self, post: Post, job: Job, reply: Reply) -> None:
        problem = following(self.edits)
        if problem:
            raise problem
        self.edited.append(reply)
        self.news.put_nowait(reply)

    async def remove(self, message: Standing) -> None:
        self.removed.append(message.message_id)
        problem = following(self.removals)
        if problem:
            raise problem

    def link_to(self, message: Address) -> str | None:
        return self.address and f"{self.address}/{message.channel}/{message.message}"

    async def find(self, post: Post, job: Job) -> Standing | None:
        self.searched_since[post.kind] = post.sending_at
        if not self.is_readable:
            raise HistoryUnreadable()
        found = self.history.get(post.kind)
        return Standing(*found) if found else None

    async def tell(self, message: DirectMessage) -> Standing:
        self.told.append((message.person_id, message.reply.text))
        self.buttons.append(message.reply.buttons)
        self.nonces.append((message.nonce, message.since))
        problem = following(self.tells)
        if problem:
            raise problem
        return Standing(f"t{len(self.told)}", message.person_id)

    async def retell(self, message: Standing, reply: Reply) -> None:
        self.retold.append((message.message_id, reply))


def following(script: list[Outcome]) -> Outcome:
    """Return the next outcome of a script; the last one is repeated."""
    return script.pop(0) if len(script) > 1 else script[0]
