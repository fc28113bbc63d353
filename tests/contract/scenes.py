"""One scene per chat network: the whole service with people, as the contract sees it."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from bot.simulator.profiles import DOCUMENTED, Profile
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.contract.places import WAIT
from tests.e2e.house import House
from tests.e2e.world import World
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord import Message as DiscordMessage


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
    """The number of people whom the message mentions."""


@dataclass(frozen=True)
class Listed:
    """A list, as its person alone sees it.

    A time is shown as `⏱`, and the chosen value is marked.
    """

    lines: tuple[str, ...]
    buttons: tuple[str, ...]
    message: Any = field(compare=False, repr=False)
    """The network's own message object."""


@dataclass(frozen=True)
class File:
    """A file that a person sends."""

    name: str
    content: bytes

    @property
    def is_video(self) -> bool:
        return self.name.endswith(".mp4")


class Opens(Protocol):
    """A function that opens a scene, with a gateway of this profile and more settings."""

    def __call__(
        self, folder: Path, renderer: Renderer, *, profile: Profile = ..., **settings: Any
    ) -> AbstractAsyncContextManager["Scene"]: ...


class Scene(Protocol):
    """People on one network, with the whole service behind it."""

    simulator: Simulator

    async def ask(self, who: str, prompt: str, *, event: str = "1") -> None:
        """Use /video. The same `event` again is a repeated delivery of the first call."""

    async def order(self, who: str, command: str, words: str, files: Sequence[File]) -> str | None:
        """Use a command that takes files, and return what this person alone is told, or None."""

    async def press(self, who: str, said: Said, button: str) -> str | None:
        """Press a button, and return what this person alone is told, or None."""

    async def command(self, who: str, name: str) -> Listed:
        """Type the command where nobody else reads along, and return the list that answers it."""

    async def turn(self, who: str, listed: Listed, button: str) -> Listed:
        """Press a button of a list, and return the list that replaces it."""

    def said(self) -> list[Said]:
        """Return the bot's messages, in order."""

    async def until(self, count: int) -> list[Said]:
        """Wait until the bot has sent `count` messages."""

    async def until_over(self, jobs: int = 1) -> list[Said]:
        """Wait until `jobs` jobs are over: one message each, and no card."""

    async def until_card(self, words: str) -> Said:
        """Wait until one of the bot's messages contains `words`, and return it."""


def is_over(said: Sequence[Said], jobs: int) -> bool:
    """Whether the messages are the final messages of `jobs` jobs, and nothing else."""
    return len(said) == jobs and not any(each.is_card for each in said)


class PlaygroundScene:
    """A scene in the room, over its own socket."""

    def __init__(
        self,
        simulator: Simulator,
        socket: aiohttp.ClientWebSocketResponse,
        session: aiohttp.ClientSession,
        where: str,
    ) -> None:
        self.simulator = simulator
        self._socket = socket
        self._session = session
        self._where = where
        self._messages: dict[str, dict[str, Any]] = {}
        self._heard: dict[str, dict[str, Any]] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, renderer: Renderer, *, profile: Profile = DOCUMENTED, **settings: Any
    ) -> AsyncIterator[Scene]:
        simulator = Simulator(profile=profile, render_time=0.2, renderer=renderer)
        async with simulator.serve() as url:
            house = House(simulator=simulator, gateway_url=url, folder=folder)
            nine = {"LIMITS__PERSON_AT_ONCE": "9", "LIMITS__PERSON_VIDEOS_PER_DAY": "9"}
            async with house.open(**nine | settings) as where, aiohttp.ClientSession() as session:
                origin = "/".join(where.split("/")[:3])
                async with session.ws_connect(
                    f"{where}socket", headers={"Origin": origin}
                ) as socket:
                    yield cls(simulator, socket, session, where)

    async def ask(self, who: str, prompt: str, *, event: str = "1") -> None:
        await self._do(event, who, do="say", command="video", text=prompt)

    async def order(self, who: str, command: str, words: str, files: Sequence[File]) -> str | None:
        pictures = [await self._upload(each) for each in files if not each.is_video]
        videos = [await self._upload(each) for each in files if each.is_video]
        given = {"pictures": pictures, **({"video": videos[0]} if videos else {})}
        wish = {"do": "say", "command": command, "text": words, **given}
        heard = await self._do(self._next(), who, **wish)
        return _flat(heard["notice"]["text"]) if "notice" in heard else None

    async def _upload(self, file: File) -> str:
        kind = "videos" if file.is_video else "pictures"
        headers = {"Origin": "/".join(self._where.split("/")[:3])}
        url = f"{self._where}{kind}?name={file.name}"
        async with self._session.post(url, data=BytesIO(file.content), headers=headers) as answer:
            return str((await answer.json())["name"])

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

    async def _do(self, event: str, who: str, **wish: Any) -> dict[str, Any]:
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
    """Return the pieces as one text; a piece that is no text becomes `sign`."""
    return "".join(each if isinstance(each, str) else sign for each in pieces)


def _listed_in_the_room(notice: dict[str, Any]) -> Listed:
    lines = tuple(_flat(each, "⏱") for each in (notice["text"], *notice["facts"]))
    buttons = [_marked(each["label"], chosen=each["chosen"]) for each in notice["buttons"]]
    return Listed(lines, tuple(buttons), notice)


class DiscordScene:
    """A scene on the fake Discord."""

    def __init__(self, world: World) -> None:
        self.simulator = world.simulator
        self._world = world
        self._people = {name: world.discord.person(name) for name in ("ann", "bob")}
        self._asked: set[str] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, renderer: Renderer, *, profile: Profile = DOCUMENTED, **settings: Any
    ) -> AsyncIterator[Scene]:
        simulator = Simulator(profile=profile, render_time=0.2, renderer=renderer)
        async with FakeDiscord() as discord, simulator.serve() as url:
            world = World(discord=discord, simulator=simulator, gateway_url=url, folder=folder)
            async with world.app(**settings):
                yield cls(world)

    async def ask(self, who: str, prompt: str, *, event: str = "1") -> None:
        if event in self._asked:
            self._deliver_again()
            return
        asked = await self._people[who].slash("video", prompt=prompt)
        self._asked.add(event)
        await asked.answered()

    async def order(self, who: str, command: str, words: str, files: Sequence[File]) -> str | None:
        person = self._people[who]
        asked = await person.slash(command)
        answer = await asked.answered(timeout=WAIT)
        if answer.message is None:
            store = self._world.discord.attachment
            given = [store(each.content, each.name, ephemeral=True) for each in files]
            sent = await person.submit_modal(asked, {0: given, 1: words})
            answer = await sent.answered(timeout=WAIT)
        return answer.message.content if answer.ephemeral and answer.message else None

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
        """Deliver the event once more, as after a RESUME."""
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
    """Return the choices of the message's menus by label: the menu and the value of each."""
    menus = [each for row in message.components for each in row["components"] if "options" in each]
    return {
        it["label"]: (each["custom_id"], it["value"]) for each in menus for it in each["options"]
    }


def _marked(label: str, *, chosen: bool) -> str:
    """Return the label as `Listed` shows it."""
    return f"• {label}" if chosen else label
