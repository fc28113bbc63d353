"""Every chat network as the contract sees it: one place per network, with the same handles.

`Place` is the platform's own side, over the real rows; `Scene` is the whole house, with people.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from bot.core import cards, replies
from bot.core.jobs import Job, Status, Video
from bot.core.orders import Address, Call, Order, Person, Picture
from bot.core.platforms import Edits, Fetches, Platform, Removes, Standing, Tells
from bot.core.posts import Form, Post, PostKind
from bot.core.replies import Reply
from bot.core.wishes import Wish
from bot.platforms.playground.client import PlaygroundPlatform, address
from bot.platforms.playground.room import Message
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.databases import open_rows
from tests.e2e.house import House
from tests.e2e.world import World
from tests.fakes.clock import FakeClock
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord import Message as DiscordMessage
from tests.fakes.discord import Person as DiscordPerson
from tests.unit.core.orders import job
from tests.unit.platforms.discord.conftest import Bot

WAIT = 20.0
VIDEO = Video(key="videos/a.mp4", size=9, width=16, height=9, seconds=5.0)


class Whole(Platform, Edits, Removes, Fetches, Tells, Protocol):
    """The interfaces that all of these networks have."""


@dataclass
class Place:
    """One platform at work, and a finished job of Ann's whose order came from there."""

    platform: Whole
    job: Job
    folder: Path

    def post(self, kind: PostKind = PostKind.RESULT, **changes: Any) -> Post:
        """A claimed post about that job."""
        return replace(
            Post(id=1, job_id=self.job.id, kind=kind, due_at=None, attempts=1), **changes
        )

    def reply(self, kind: PostKind) -> Reply:
        """The core's reply for it."""
        if kind is PostKind.CARD:
            return cards.card(self.job)
        return replies.result(self.job) if kind is PostKind.RESULT else replies.failure(self.job)

    async def send(
        self, kind: PostKind = PostKind.RESULT, *, video: Path | None = None
    ) -> Standing:
        """Say it, as `Posting` does."""
        post = self.post(kind, form=Form.FILE if video else Form.TEXT)
        return await self.platform.send(post, self.job, self.reply(kind), video=video)

    def standing(self, stands: Standing, kind: PostKind = PostKind.RESULT) -> Post:
        """The post once it is known where it stands."""
        message_id, channel_id = stands
        return self.post(kind, message_id=message_id, channel_id=channel_id)

    def file(self, content: bytes = b"0" * VIDEO.size) -> Path:
        """A video to attach."""
        path = self.folder / "video.mp4"
        path.write_bytes(content)
        return path

    def shown(self) -> list[str]:
        """Ids of the bot's messages that stand."""
        raise NotImplementedError

    def words(self, message_id: str) -> str:
        """All that one of them says."""
        raise NotImplementedError

    def told(self) -> list[str]:
        """The bot's words to Ann alone, or, where there are none such, to everybody."""
        return [self.words(message_id) for message_id in self.shown()]

    def attached(self, message_id: str) -> list[bytes]:
        """The files it carries."""
        raise NotImplementedError

    async def picture(self, content: bytes) -> Picture:
        """One that Ann posted."""
        raise NotImplementedError

    def lose(self, picture: Picture) -> None:
        """It is deleted there."""
        raise NotImplementedError


def finished(wish: Order, now: float) -> Job:
    """The job of this wish, about to be posted."""
    return job(order=wish, status=Status.COMPLETED, video=VIDEO, created_at=now)


class DiscordPlace(Place):
    """On the fake Discord."""

    fake: FakeDiscord
    ann: DiscordPerson

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Place]:
        clock = FakeClock()
        async with (
            FakeDiscord(clock=clock.now) as fake,
            open_rows(folder) as database,
        ):
            fake.guild.bot_role.id = fake.guild.id
            ann = fake.person("ann")
            where = Address(
                platform="discord", channel=str(ann.home.id), community=str(fake.guild.id)
            )
            wish = order(where, Person(id=str(ann.id), name="Ann"))
            with fake.redirect_dpy():
                bot = Bot(fake, clock, database)
                async with bot.running():
                    place = cls(bot.platform, finished(wish, clock.now()), folder)
                    place.fake, place.ann = fake, ann
                    yield place
                await fake.disconnected()

    def _message(self, message_id: str) -> DiscordMessage:
        return next(each for each in self.fake.posts() if str(each.id) == message_id)

    def shown(self) -> list[str]:
        return [str(each.id) for each in self.fake.posts()]

    def told(self) -> list[str]:
        return [each.content for each in self.fake.posts(self.ann.dm)]

    def words(self, message_id: str) -> str:
        message = self._message(message_id)
        return message.content + json.dumps(message.embeds, ensure_ascii=False)

    def attached(self, message_id: str) -> list[bytes]:
        return [each.content for each in self._message(message_id).attachments]

    async def picture(self, content: bytes) -> Picture:
        given = self.fake.attachment(content, "cat.png")
        return Picture(source=given.url, filename="cat.png", size=len(content))

    def lose(self, picture: Picture) -> None:
        for attachment in self.fake.world.attachments.values():
            attachment.expired = attachment.url == picture.source


class PlaygroundPlace(Place):
    """In the room."""

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Place]:
        clock = FakeClock()

        @asynccontextmanager
        async def stored(_key: str) -> AsyncIterator[Path]:
            yield folder / "nothing"

        async with PlaygroundPlatform(
            folder / "room", clock=clock, stored=stored, viewable=nullcontext
        ) as platform:
            wish = order(address(), Person(id="ann", name="Ann"))
            yield cls(platform, finished(wish, clock.now()), folder)

    @property
    def _platform(self) -> PlaygroundPlatform:
        assert isinstance(self.platform, PlaygroundPlatform)
        return self.platform

    def _message(self, message_id: str) -> Message:
        found = self._platform.room.get(message_id)
        assert found is not None
        return found

    def shown(self) -> list[str]:
        return [each.id for each in self._platform.room.messages]

    def words(self, message_id: str) -> str:
        return json.dumps(self._message(message_id).look, ensure_ascii=False)

    def attached(self, message_id: str) -> list[bytes]:
        video = self._message(message_id).video
        path = self._platform.files.path(video.name) if video else None
        return [path.read_bytes()] if path else []

    async def picture(self, content: bytes) -> Picture:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        taken = await self._platform.files.take("pictures", chunks(), filename="cat.png")
        return Picture(source=taken.name, filename="cat.png", size=taken.size)

    def lose(self, picture: Picture) -> None:
        path = self._platform.files.path(picture.source or "")
        assert path is not None
        path.unlink()


def order(where: Address, person: Person) -> Order:
    """A plain wish."""
    return Order(
        call=Call(event_id="1", address=where, person=person, locale="en"),
        wish=Wish(prompt="a cat"),
    )


# --- the whole house -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """One of the bot's messages, as everybody sees it."""

    id: str
    reply_to: str | None
    text: str
    buttons: tuple[str, ...]
    has_video: bool
    is_card: bool
    pings: int
    """The number of people whom it calls."""


@dataclass(frozen=True)
class Listed:
    """A list, as its person alone sees it; a time is `⏱`, and the chosen value is marked."""

    lines: tuple[str, ...]
    buttons: tuple[str, ...]
    message: Any = field(compare=False, repr=False)
    """The network's own."""


class Scene(Protocol):
    """People on one network, the whole service behind it."""

    simulator: Simulator

    async def ask(self, who: str, prompt: str, *, event: str = "1") -> None:
        """Use /video; the same event again is a repeated delivery of the first."""

    async def press(self, who: str, said: Said, button: str) -> str | None:
        """Press, and read what this person alone is told, if anything."""

    async def command(self, who: str, name: str) -> Listed:
        """Type the command where nobody else reads along."""

    async def turn(self, who: str, listed: Listed, button: str) -> Listed:
        """Press a button of a list, and read what takes its place."""

    def said(self) -> list[Said]:
        """The bot's messages, in order."""

    async def until(self, count: int) -> list[Said]:
        """Wait until the bot has said that much."""

    async def until_over(self, jobs: int = 1) -> list[Said]:
        """Wait until so many jobs are over: a message each, and no card."""

    async def until_card(self, words: str) -> Said:
        """Wait until one of its messages says so."""


def is_over(said: Sequence[Said], jobs: int) -> bool:
    """Whether these are the ends of so many jobs, and nothing else."""
    return len(said) == jobs and not any(each.is_card for each in said)


class PlaygroundScene:
    """Through the room's own socket."""

    def __init__(self, simulator: Simulator, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.simulator = simulator
        self._socket = socket
        self._messages: dict[str, dict[str, Any]] = {}
        self._heard: dict[str, dict[str, Any]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, renderer: Renderer) -> AsyncIterator[Scene]:
        simulator = Simulator(render_time=0.2, renderer=renderer)
        async with simulator.serve() as url:
            house = House(simulator=simulator, gateway_url=url, folder=folder)
            nine = {"LIMITS__PERSON_AT_ONCE": "9", "LIMITS__PERSON_VIDEOS_PER_DAY": "9"}
            async with house.open(**nine) as where, aiohttp.ClientSession() as session:
                origin = "/".join(where.split("/")[:3])
                async with session.ws_connect(
                    f"{where}socket", headers={"Origin": origin}
                ) as socket:
                    yield cls(simulator, socket)

    async def ask(self, who: str, prompt: str, *, event: str = "1") -> None:
        await self._do(event, who, do="say", command="video", text=prompt)

    async def press(self, who: str, said: Said, button: str) -> str | None:
        heard = await self._press(who, self._messages[said.id]["look"], button)
        return _flat(heard["notice"]["text"]) if "notice" in heard else None

    async def command(self, who: str, name: str) -> Listed:
        heard = await self._do(self._next(), who, do="ask", command=name)
        return _listed_in_the_room(heard["notice"])

    async def turn(self, who: str, listed: Listed, button: str) -> Listed:
        notice = (await self._press(who, listed.message, button))["notice"]
        assert notice["turned"]
        return _listed_in_the_room(notice)

    async def _press(self, who: str, drawn: dict[str, Any], button: str) -> dict[str, Any]:
        (pressed,) = [each for each in drawn["buttons"] if each["label"] == button]
        carried = {name: pressed[name] for name in ("action", "about", "value")}
        return await self._do(self._next(), who, do="press", **carried)

    def _next(self) -> str:
        return f"act{len(self._heard)}"

    def said(self) -> list[Said]:
        return [_said(each) for each in self._messages.values() if "look" in each]

    async def until(self, count: int) -> list[Said]:
        async with asyncio.timeout(WAIT):
            while len(self.said()) < count:
                await self._read()
        return self.said()

    async def until_over(self, jobs: int = 1) -> list[Said]:
        async with asyncio.timeout(WAIT):
            while not is_over(self.said(), jobs):
                await self._read()
        return self.said()

    async def until_card(self, words: str) -> Said:
        async with asyncio.timeout(WAIT):
            while True:
                for each in self.said():
                    if words in each.text:
                        return each
                await self._read()

    async def _do(self, event: str, who: str, **wish: str | None) -> dict[str, Any]:
        nonce = event.rjust(16, "0")
        await self._socket.send_json({"nonce": nonce, "person": who, **wish})
        self._heard.pop(nonce, None)
        async with asyncio.timeout(WAIT):
            while nonce not in self._heard:
                await self._read()
        return self._heard[nonce]

    async def _read(self) -> None:
        told = await self._socket.receive_json()
        match told["type"]:
            case "post" | "edit":
                self._messages[told["message"]["id"]] = told["message"]
            case "delete":
                self._messages.pop(told["message"]["id"])
            case "heard":
                self._heard[told["nonce"]] = told


def _said(message: dict[str, Any]) -> Said:
    look = message["look"]
    return Said(
        id=message["id"],
        reply_to=message.get("reply_to"),
        text=_flat(look["text"]) + "\n" + "\n".join(_flat(each) for each in look["facts"]),
        buttons=tuple(each["label"] for each in look["buttons"]),
        has_video="video" in message,
        is_card=message["about"].startswith("card:"),
        pings=sum("person" in each for each in look["text"] if isinstance(each, dict)),
    )


def _flat(pieces: list[Any], sign: str = "…") -> str:
    return "".join(each if isinstance(each, str) else sign for each in pieces)


def _listed_in_the_room(notice: dict[str, Any]) -> Listed:
    lines = tuple(_flat(each, "⏱") for each in (notice["text"], *notice["facts"]))
    buttons = [_marked(each["label"], chosen=each["chosen"]) for each in notice["buttons"]]
    return Listed(lines, tuple(buttons), notice)


class DiscordScene:
    """Through the fake Discord's people."""

    def __init__(self, world: World) -> None:
        self.simulator = world.simulator
        self._world = world
        self._people = {name: world.discord.person(name) for name in ("ann", "bob")}
        self._asked: set[str] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, renderer: Renderer) -> AsyncIterator[Scene]:
        simulator = Simulator(render_time=0.2, renderer=renderer)
        async with FakeDiscord() as discord, simulator.serve() as url:
            world = World(discord=discord, simulator=simulator, gateway_url=url, folder=folder)
            async with world.app():
                yield cls(world)

    async def ask(self, who: str, prompt: str, *, event: str = "1") -> None:
        if event in self._asked:
            self._deliver_again()
            return
        asked = await self._people[who].slash("video", prompt=prompt)
        self._asked.add(event)
        await asked.answered()

    async def press(self, who: str, said: Said, button: str) -> str | None:
        (message,) = [each for each in self._world.discord.posts() if str(each.id) == said.id]
        answer = await (await self._people[who].press(message, button)).answered()
        return answer.message.content if answer.ephemeral and answer.message else None

    async def command(self, who: str, name: str) -> Listed:
        answer = await (await self._people[who].slash(name)).answered(timeout=WAIT)
        assert answer.ephemeral
        return _listed_on_discord(answer.message)

    async def turn(self, who: str, listed: Listed, button: str) -> Listed:
        person, message = self._people[who], listed.message
        if choice := _choices(message).get(button):
            menu, value = choice
            pressed = await person.choose(message, menu, value)
        else:
            pressed = await person.press(message, button)
        return _listed_on_discord((await pressed.answered(timeout=WAIT)).message)

    def said(self) -> list[Said]:
        return [_read_discord(each) for each in self._world.discord.posts() if not each.ephemeral]

    async def until(self, count: int) -> list[Said]:
        while len(self.said()) < count:
            await self._world.discord.next("message", timeout=WAIT)
        return self.said()

    async def until_over(self, jobs: int = 1) -> list[Said]:
        while not is_over(self.said(), jobs):
            await self._world.discord.next("delete", timeout=WAIT)
        return self.said()

    async def until_card(self, words: str) -> Said:
        async with asyncio.timeout(WAIT):
            while True:
                for each in self.said():
                    if words in each.text:
                        return each
                await self._world.discord.next("edit", timeout=WAIT)

    def _deliver_again(self) -> None:
        """The event once more, as after a RESUME."""
        (session,) = self._world.discord.gateway.live
        session.frames.append(next(e for e in session.frames if "INTERACTION_CREATE" in e))
        session.more.set()


def _read_discord(message: DiscordMessage) -> Said:
    return Said(
        id=str(message.id),
        reply_to=str(message.reference) if message.reference else None,
        text=message.content + "".join(str(each.get("description")) for each in message.embeds),
        buttons=tuple(each["label"] for each in message.buttons),
        has_video=bool(message.attachments),
        is_card=bool(message.embeds),
        pings=len(message.pings),
    )


def _listed_on_discord(message: DiscordMessage | None) -> Listed:
    assert message is not None
    plain = re.sub(r"<t:\d+:\w>", "⏱", message.content.replace("\\", "").replace("\u200b", ""))
    lines = tuple(line.removeprefix("• ") for line in plain.splitlines())
    buttons = [each for row in message.components for each in row["components"]]
    labels = [
        label
        for each in buttons
        for label in (
            [_marked(it["label"], chosen=it.get("default", False)) for it in each["options"]]
            if "options" in each
            else [_marked(each["label"], chosen=each["style"] == 1)]
        )
    ]
    return Listed(lines, tuple(labels), message)


def _choices(message: DiscordMessage) -> dict[str, tuple[str, str]]:
    """The choices of its menus by their labels: the menu and the value of each."""
    menus = [each for row in message.components for each in row["components"] if "options" in each]
    return {
        it["label"]: (each["custom_id"], it["value"]) for each in menus for it in each["options"]
    }


def _marked(label: str, *, chosen: bool) -> str:
    return f"• {label}" if chosen else label
