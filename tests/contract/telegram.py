"""Telegram for the contract tests; the other networks are in `places` and `scenes`."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.core.orders import Address, Person, Picture
from bot.platforms.telegram.client import TelegramOptions, TelegramPlatform
from bot.simulator.profiles import DOCUMENTED, Profile
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from bot.store.communities import Communities
from bot.store.handles import Handles
from bot.store.posts import Posts
from tests.contract.places import Place, finished, order
from tests.contract.rows import no_still, nowhere
from tests.contract.scenes import File, Listed, Said, Scene, is_over
from tests.databases import open_rows
from tests.e2e.telegram import Hall, is_card
from tests.e2e.world import WAIT
from tests.fakes.clock import FakeClock
from tests.fakes.telegram import FakeTelegram, Item, Message
from tests.fakes.telegram import Person as Somebody


class TelegramPlace(Place):
    """A place on the fake Bot API server."""

    fake: FakeTelegram
    ann: Somebody

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Place]:
        clock = FakeClock()
        async with (
            FakeTelegram(clock=clock.now) as fake,
            open_rows(folder) as database,
        ):

            @asynccontextmanager
            async def stored(_key: str) -> AsyncIterator[Path]:
                yield folder / "nothing"

            ann = fake.person("Ann", started=True)
            asked = await ann.says("/video a cat")
            settings = TelegramOptions(token=fake.token, api_url=fake.api_url)
            platform = TelegramPlatform(
                settings,
                posts=Posts(database),
                handles=Handles(database, settings.account),
                communities=Communities(database),
                stored=stored,
                small_still=no_still,
                link=lambda _: None,
                ways=nowhere,
                clock=clock,
            )
            platform.supervisor.up()
            where = Address(platform="telegram", channel=str(ann.id), message=str(asked.id))
            wish = order(where, Person(id=str(ann.id), name="Ann"))
            async with platform:
                place = cls(platform, finished(wish, clock.now()), folder)
                place.fake, place.ann = fake, ann
                yield place
            fake.check()

    def _message(self, message_id: str) -> Message:
        return next(each for each in self._posts() if str(each.id) == message_id)

    def _posts(self) -> list[Message]:
        return self.fake.posts(self.ann.private)

    def shown(self) -> list[str]:
        return [str(each.id) for each in self._posts()]

    def words(self, message_id: str) -> str:
        message = self._message(message_id)
        return message.text + json.dumps(message.markup)

    def attached(self, message_id: str) -> list[bytes]:
        media = self._message(message_id).media
        return [media.content] if media else []

    async def picture(self, content: bytes) -> Picture:
        sent = await self.ann.sends_document(content, "cat.png")
        assert sent.media is not None
        return Picture(source=sent.media.file.id, filename="cat.png", size=len(content))

    def lose(self, picture: Picture) -> None:
        file = self.fake.files.find(picture.source or "")
        assert file is not None
        file.is_lost = True


class TelegramScene:
    """A scene on the fake Telegram."""

    def __init__(self, hall: Hall) -> None:
        self.simulator = hall.simulator
        self._hall = hall
        self._club = hall.telegram.supergroup("club", hall.telegram.person("owner"), hall.ann)
        self._people = {"ann": hall.ann, "bob": hall.telegram.person("bob", started=True)}
        self._club.members[self._people["bob"]] = self._club.members[hall.ann]
        self._asked: dict[str, Message] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, renderer: Renderer, *, profile: Profile = DOCUMENTED, **settings: Any
    ) -> AsyncIterator[Scene]:
        simulator = Simulator(profile=profile, render_time=0.2, renderer=renderer)
        async with FakeTelegram() as telegram, simulator.serve() as url:
            hall = Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=folder)
            async with hall.app(**settings):
                yield cls(hall)
            telegram.check()

    async def ask(self, who: str, prompt: str, *, event: str = "1") -> None:
        if event in self._asked:
            self._hall.telegram.updates.repeat(self._asked[event])
            return
        command = f"/video@{self._hall.telegram.bot.username} {prompt}"
        self._asked[event] = await self._people[who].says(command, chat=self._club)

    async def order(self, who: str, command: str, words: str, files: Sequence[File]) -> str | None:
        """Send the files with the command as their caption, in private: the answers come there.

        Return the text of a refusal. An accepted order has no answer but its card.
        """
        person = self._people[who]
        before = len(self._hall.telegram.posts(person.private))
        caption = f"/{command} {words}"
        if not files:
            await person.says(caption)
        elif files[0].is_video:
            await person.sends_video(files[0].content, caption=caption)
        else:
            first, *others = files
            items = [Item(content=first.content, caption=caption)]
            await person.sends_album([*items, *(Item(content=it.content) for it in others)])
        while len(posts := self._hall.telegram.posts(person.private)) == before:
            await self._hall.telegram.next("message", timeout=WAIT)
        answer = posts[before]
        return None if is_card(answer) or answer.media else answer.text

    async def press(self, who: str, said: Said, button: str) -> str | None:
        pressed = await self._people[who].presses(self._message(said.id), button)
        answers = await pressed.answered(timeout=WAIT)
        return answers.text or None

    async def command(self, who: str, name: str) -> Listed:
        person = self._people[who]
        before = len(self._hall.telegram.posts(person.private))
        await person.says(f"/{name}")
        async with asyncio.timeout(WAIT):
            while len(posts := self._hall.telegram.posts(person.private)) == before:
                await self._hall.telegram.next("message", timeout=WAIT)
        return _listed(posts[-1])

    async def turn(self, who: str, listed: Listed, button: str) -> Listed:
        person, message = self._people[who], listed.message
        await (await person.presses(message, button)).answered(timeout=WAIT)
        (now,) = [
            each for each in self._hall.telegram.posts(person.private) if each.id == message.id
        ]
        return _listed(now)

    def said(self) -> list[Said]:
        return [_said(each) for each in self._hall.telegram.posts(self._club)]

    async def until(self, count: int) -> list[Said]:
        while len(self.said()) < count:
            await self._hall.telegram.next("message", timeout=WAIT)
        return self.said()

    async def until_over(self, jobs: int = 1) -> list[Said]:
        while not is_over(self.said(), jobs):
            await self._hall.telegram.next("delete", timeout=WAIT)
        return self.said()

    async def until_card(self, words: str) -> Said:
        while True:
            for each in self.said():
                if words in each.text:
                    return each
            await self._hall.telegram.next("edit", timeout=WAIT)

    def _message(self, message_id: str) -> Message:
        return next(
            each for each in self._hall.telegram.posts(self._club) if str(each.id) == message_id
        )


def _said(message: Message) -> Said:
    return Said(
        id=str(message.id),
        reply_to=str(message.reply_to) if message.reply_to else None,
        text=message.text,
        buttons=tuple(each["text"] for each in message.buttons),
        has_video=message.media is not None,
        is_card=is_card(message)
        or message.text.startswith(("Done", "Cancelled", "This order did not")),
        pings=sum(each["type"] == "text_mention" for each in message.entities),
    )


def _listed(message: Message) -> Listed:
    text = message.text.encode("utf-16-le")
    for each in sorted(message.entities, key=lambda it: it["offset"], reverse=True):
        if each["type"] == "date_time":
            begin, end = 2 * each["offset"], 2 * (each["offset"] + each["length"])
            text = text[:begin] + "⏱".encode("utf-16-le") + text[end:]
    lines = tuple(line.removeprefix("• ") for line in text.decode("utf-16-le").splitlines())
    return Listed(lines, tuple(each["text"] for each in message.buttons), message)
