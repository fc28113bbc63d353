"""`FakeTelegram`: one local port that is all of Telegram to the bot, and the hands of the test.

Put together here, from the world, the desk, the updates and the webhook; nothing is decided here.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, overload

from aiohttp import web

from tests.fakes.streams import Stream

from .account import Account
from .callback import Callback
from .calls import Call
from .desk import LOCAL_UPLOAD_LIMIT, StepContext, leak_finder
from .editing import Editing
from .faults import Faults, Hold
from .files import Download, Files
from .model import Chat, ChatType, Json, Membership, Message, Topic, User
from .person import Person
from .rates import Rates
from .sending import Sending
from .updates import Poll, Update, Updates
from .webhook import Delivery, Webhook
from .world import Action, Quirks, World

MethodName = Literal[
    "getMe",
    "getChat",
    "getChatMember",
    "getFile",
    "getUserProfilePhotos",
    "setMyCommands",
    "getMyCommands",
    "deleteMyCommands",
    "setWebhook",
    "deleteWebhook",
    "getWebhookInfo",
    "sendMessage",
    "sendVideo",
    "sendDocument",
    "sendPhoto",
    "sendChatAction",
    "editMessageText",
    "editMessageCaption",
    "editMessageMedia",
    "editMessageReplyMarkup",
    "deleteMessage",
    "setMessageReaction",
    "answerCallbackQuery",
]


def _any(_: Any) -> bool:
    return True


class FakeTelegram:
    """Use as `async with FakeTelegram() as telegram`.

    A bot, in this process or another, gets `api_url` and `token`; it may die and come back at any
    moment. `clock` gives unix seconds and rules dates, the 24 hours of updates, links, floods and
    rates; a long poll ends by an update, by `updates.end_poll`, or when its time is really up.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.time, local: Path | None = None
    ) -> None:
        """`local` is the folder of a Bot API server of one's own that runs with --local."""
        self.world = World(clock=clock)
        self.rates = Rates(clock=clock)
        self.webhook = Webhook(self.world.updates, clock=clock)
        self._account = Account(self.world)
        self.desk = StepContext(
            self.world,
            [
                *self._account.methods(),
                *self.updates.methods(),
                *self.webhook.methods(),
                *self.files.methods(),
                *Sending(self.world, self.rates).methods(),
                *Editing(self.world, self.rates).methods(),
            ],
        )
        if local is not None:
            self.files.local = local / self.token  # so the real one names it
            self.desk.upload_limit = LOCAL_UPLOAD_LIMIT
        self._streams: dict[str, Stream[Any]] = {
            "message": self.world.posted,
            "edit": self.world.edited,
            "delete": self.world.removed,
            "reaction": self.world.reacted,
            "callback": self.world.answered,
            "action": self.world.acted,
            "update": self.updates.added,
            "delivery": self.webhook.delivered,
        }
        self._base = ""
        self._runner = self._build()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.faults.clear()
        await self.webhook.stop()
        self.updates.end_poll()
        await self._runner.cleanup()
        if error is None and self.desk.crashes:
            raise self.desk.crashes[0]

    # ---- where the bot finds it

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.world.token

    @property
    def api_url(self) -> str:
        """The address before /bot<token>/, as https://api.telegram.org is."""
        return self._base

    # ---- who and what there is

    @property
    def bot(self) -> User:
        """The bot's account."""
        return self.world.bot

    def person(
        self,
        name: str,
        *,
        username: str = "",
        language_code: str | None = "en",
        started: bool = False,
    ) -> Person:
        """Somebody. Until this person has `started`, the bot can't write to them first."""
        person = Person(
            id=self.world.new_user_id(),
            first_name=name,
            username=username,
            language_code=language_code,
            world=self.world,
        )
        self.world.add_user(person)
        person.private.was_started = started
        return person

    def group(self, title: str, *members: User, bot: Membership = Membership.MEMBER) -> Chat:
        """A small group; the first of its members owns it."""
        return self._chat(ChatType.GROUP, title, members, bot)

    def supergroup(
        self,
        title: str,
        *members: User,
        is_forum: bool = False,
        bot: Membership = Membership.MEMBER,
    ) -> Chat:
        """A large group; the first of its members owns it."""
        chat = self._chat(ChatType.SUPERGROUP, title, members, bot)
        chat.is_forum = is_forum
        return chat

    def channel(
        self, title: str, *members: User, bot: Membership = Membership.ADMINISTRATOR
    ) -> Chat:
        """A channel; the first of its members owns it."""
        return self._chat(ChatType.CHANNEL, title, members, bot)

    def topic(self, chat: Chat, name: str) -> Topic:
        """A topic of a forum, or of a private chat. The bot is not told."""
        if not (chat.is_forum or chat.is_private):
            raise LookupError(f"{chat} has no topics")
        return self.world.add_topic(chat, name, next(iter(chat.members), chat.person))

    def promote(self, chat: Chat, user: User) -> None:
        """Make somebody an admin. The bot is not told."""
        chat.members[user] = Membership.ADMINISTRATOR

    def migrate(self, group: Chat) -> Chat:
        """Turn a group into a supergroup with a new id; both chats say so."""
        return self.world.migrate(group)

    def give_picture(self, content: bytes) -> None:
        """Give the bot a picture of its own, as BotFather does."""
        self._account.picture = self.files.store_photo(content)

    # ---- what happened

    @property
    def calls(self) -> list[Call]:
        """Every call in the order of arrival, except getUpdates: see `updates.polls`."""
        return self.desk.calls

    def calls_of(self, method: str) -> list[Call]:
        """Every call of one method."""
        return [call for call in self.calls if call.method.lower() == method.lower()]

    @property
    def updates(self) -> Updates:
        """The bot's updates, and those it has not confirmed yet."""
        return self.world.updates

    @property
    def downloads(self) -> list[Download]:
        """Every GET of a file's link."""
        return self.files.downloads

    @property
    def actions(self) -> list[Action]:
        """Every "is typing…" of the bot."""
        return self.world.actions

    @property
    def unanswered(self) -> list[Callback]:
        """The pressed buttons that still spin."""
        return [it for it in self.world.callbacks.values() if not it.answers]

    def messages(self, chat: Chat) -> list[Message]:
        """Messages in a chat now, in order; without what Telegram says by itself."""
        standing = [item for item in chat.messages.values() if item.service is None]
        return sorted(standing, key=lambda item: item.id)

    def posts(self, chat: Chat) -> list[Message]:
        """Those of them that the bot wrote."""
        return [item for item in self.messages(chat) if item.author is self.bot]

    def now(self, message: Message) -> Message | None:
        """How a message stands now; None if it is gone."""
        return message.chat.messages.get(message.id)

    def commands(self, scope: str = "default", language: str = "") -> list[Json]:
        """The commands set for a scope, such as "all_private_chats" or "chat -100…"."""
        return self._account.commands.get((scope, language), [])

    def description(self, field: str, language: str = "") -> str:
        """The bot's words about itself: its "description", or its "short_description"."""
        return self._account.descriptions.get((field, language), "")

    def leaks(self, text: str | bytes) -> bool:
        """Whether the token, or its secret half, stands in a text: a log, a row, a request."""
        return leak_finder(self.token)(text)

    def check(self) -> None:
        """Fail if the bot wrote too often, asked for unknown or odd things, or leaked its token."""
        faults = [str(excess) for excess in self.rates.excesses]
        faults += [f"there is no {call.method}" for call in self.desk.unknown]
        faults += self.world.complaints + self.desk.leaks
        assert not faults, "\n".join(faults)

    @overload
    async def next(
        self,
        kind: Literal["message", "edit", "delete", "reaction"],
        where: Callable[[Message], bool] = _any,
        timeout: float = 10,
    ) -> Message: ...

    @overload
    async def next(
        self,
        kind: Literal["callback"],
        where: Callable[[Callback], bool] = _any,
        timeout: float = 10,
    ) -> Callback: ...

    @overload
    async def next(
        self, kind: Literal["action"], where: Callable[[Action], bool] = _any, timeout: float = 10
    ) -> Action: ...

    @overload
    async def next(
        self, kind: Literal["poll"], where: Callable[[Poll], bool] = _any, timeout: float = 10
    ) -> Poll: ...

    @overload
    async def next(
        self, kind: Literal["update"], where: Callable[[Update], bool] = _any, timeout: float = 10
    ) -> Update: ...

    @overload
    async def next(
        self,
        kind: Literal["delivery"],
        where: Callable[[Delivery], bool] = _any,
        timeout: float = 10,
    ) -> Delivery: ...

    @overload
    async def next(
        self, kind: MethodName, where: Callable[[Call], bool] = _any, timeout: float = 10
    ) -> Call: ...

    async def next(
        self, kind: str, where: Callable[[Any], bool] = _any, timeout: float = 10
    ) -> Any:
        """The oldest thing of this kind that happened and was not taken yet.

        "message": the bot made one visible. "edit": it changed one. "delete": one is gone.
        "reaction": it put a reaction under one. "callback": it answered a pressed button. "action":
        it showed that it is busy. "poll": it began a getUpdates. "update": there is something to
        tell it. "delivery": the webhook was tried. The name of a method: a call came to its end.
        """
        if kind == "poll":
            return await self.updates.polled(where, timeout)
        if kind in self._streams:
            return await self._streams[kind].take(where, timeout)
        return await self.desk.answered.take(lambda it: it.method == kind and where(it), timeout)

    # ---- what the test does to it

    @property
    def faults(self) -> Faults:
        """The faults to come; see `faults`."""
        return self.desk.faults

    def hold(self, method: str, *, chat: int | None = None) -> Hold:
        """Stop the next such call when it took effect but is not answered."""
        return self.faults.hold(method, chat=chat)

    def hold_before(self, method: str, *, chat: int | None = None) -> Hold:
        """Stop the next such call when it arrived but had no effect yet."""
        return self.faults.hold_before(method, chat=chat)

    @property
    def files(self) -> Files:
        """The files and their links."""
        return self.world.files

    @property
    def quirks(self) -> Quirks:
        """Telegram's oddities."""
        return self.world.quirks

    def _chat(self, kind: ChatType, title: str, members: tuple[User, ...], bot: Membership) -> Chat:
        chat = self.world.add_chat(kind, title)
        for member in members:
            owner = not chat.members
            chat.members[member] = Membership.CREATOR if owner else Membership.MEMBER
        chat.members[self.bot] = bot
        return chat

    def _build(self) -> web.AppRunner:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/file/bot{token:[^/]+}/{path:.+}", self.desk.serve_file)
        for verb in ("GET", "POST"):
            app.router.add_route(verb, "/bot{token:[^/]+}/{method:[^/]+}", self.desk.serve)
        app.router.add_route("*", "/{path:.*}", self.desk.refuse)
        return web.AppRunner(app, access_log=None, shutdown_timeout=1)
