"""One account's line to Telegram: every request passes here, at its pace, with our own errors."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Protocol, TypeVar

from aiogram import Bot
from aiogram.methods import SendChatAction, SetMessageReaction, TelegramMethod
from aiogram.types import Message, ReactionTypeEmoji, ReactionTypeUnion, ReplyParameters

from bot.core.errors import BotError, MaybeSent, Refused, ReplyGone, Temporary, TopicGone, Unchanged
from bot.core.ports import Clock
from bot.log import get_logger
from bot.platforms.telegram.errors import Busy, Moved, translation
from bot.platforms.telegram.messages import Rendered
from bot.platforms.telegram.pace import Pace, Turn
from bot.platforms.telegram.reading import NAME, chat_and_topic

CALL = 30
"""Seconds for everything that carries no file."""
SHOWN = 4.5
"""Seconds after which "is sending a video" has to be said again: people see it for five."""

MOST_SHOWN = 10_000
"""Messages whose words are remembered; the longest quiet are forgotten."""

log = get_logger()

Answer = TypeVar("Answer")
Send = Callable[[int, int | None, bool], Awaitable[Message]]
"""Says it in this chat and topic, as a reply or not."""


class Communities(Protocol):
    """The groups' ids, stored."""

    async def move(self, platform: str, old: str, new: str) -> None: ...

    async def current(self, platform: str, community: str) -> str: ...

    async def ids(self, platform: str, community: str) -> list[str]: ...


class Line:
    """Asks Telegram for things."""

    def __init__(self, bot: Bot, *, communities: Communities, clock: Clock) -> None:
        self.bot = bot
        self.pace = Pace(clock)
        self._communities = communities
        self._clock = clock
        self._shown: OrderedDict[tuple[int, int], str] = OrderedDict()
        """The content of messages of ours, as far as is known."""

    async def ask(self, chat: int, call: Awaitable[Answer]) -> Answer:
        """Around every request: errors are ours, and a pause that is asked for is kept."""
        try:
            with self._heard(chat):
                return await call
        except Moved as moved:
            await self.move(chat, moved.chat)
            raise Temporary("telegram_moved", retry_after=1.0, unsent=True) from None

    async def move(self, old: int, new: int) -> None:
        """A group has another id from now on."""
        await self._communities.move(NAME, str(old), str(new))
        log.info("telegram.group_moved")

    async def current(self, chat: int) -> int:
        """The id that a chat has by now: only groups ever get another."""
        return chat if chat > 0 else int(await self._communities.current(NAME, str(chat)))

    async def has_moved(self, chat: int) -> bool:
        """Whether it had another id once."""
        return len(await self._communities.ids(NAME, str(chat))) > 1

    async def insist(self, channel: str, turn: Turn, send: Send) -> Message:
        """Where Telegram refuses the reply or the topic, at once again without it.

        Both are definite: nothing was posted.
        """
        (chat, topic), replying = chat_and_topic(channel), True
        while True:
            await self.pace.turn(chat, turn)
            try:
                return await self.ask(chat, send(chat, topic, replying))
            except Refused as refused:
                if isinstance(refused, ReplyGone) and replying:
                    replying = False
                elif isinstance(refused, TopicGone) and topic is not None:
                    topic, replying = None, False
                else:
                    raise

    async def say(
        self, channel: str, rendered: Rendered, *, reply_to: int | None = None, **more: Any
    ) -> Message:
        """One message of words, when it is its turn.

        One whose sending has an unknown end is `Refused`: to say it again could go on for ever.
        """

        def send(chat: int, topic: int | None, replying: bool) -> Awaitable[Message]:
            return self.send(chat, topic, reply_to if replying else None, rendered, **more)

        try:
            return await self.insist(channel, Turn.ANSWER, send)
        except Temporary as error:
            if error.unsent:
                raise
            raise MaybeSent() from None

    async def send(
        self, chat: int, topic: int | None, target: int | None, rendered: Rendered, **more: Any
    ) -> Message:
        """One message of words, at once; in reply to `target` if there is one."""
        sent = await self.bot.send_message(
            chat,
            message_thread_id=topic,
            reply_parameters=reply(target),
            request_timeout=CALL,
            **rendered.words | more,
        )
        self._stands(sent.chat.id, sent.message_id, rendered)
        return sent

    def is_shown(self, chat: int, message_id: int, rendered: Rendered) -> bool:
        """Whether that message says this already: then an edit is no news and takes no turn."""
        return self._shown.get((chat, message_id)) == rendered.mark

    def forget(self, chat: int, message_id: int) -> None:
        """It says something else from now on, or nothing."""
        self._shown.pop((chat, message_id), None)

    def _stands(self, chat: int, message_id: int, rendered: Rendered) -> None:
        """Remember what a message of ours says."""
        self._shown[chat, message_id] = rendered.mark
        self._shown.move_to_end((chat, message_id))
        if len(self._shown) > MOST_SHOWN:
            self._shown.popitem(last=False)

    async def edit(self, chat: int, message_id: int, rendered: Rendered) -> None:
        """Other words for a message of ours; the same ones are no error."""
        self.forget(chat, message_id)  # until Telegram says yes
        with suppress(Unchanged):
            edit = self.bot.edit_message_text(
                chat_id=chat, message_id=message_id, request_timeout=CALL, **rendered.words
            )
            await self.ask(chat, edit)
        self._stands(chat, message_id, rendered)

    async def react(self, chat: int, message_id: int, sign: str) -> None:
        """A sign on somebody's message; best effort."""
        signs: list[ReactionTypeUnion] = [ReactionTypeEmoji(emoji=sign)]
        await self._try(
            chat, SetMessageReaction(chat_id=chat, message_id=message_id, reaction=signs)
        )

    @asynccontextmanager
    async def uploading(self, chat: int, topic: int | None) -> AsyncIterator[None]:
        """Let people see that a video is on its way."""
        task = asyncio.create_task(self._act(chat, topic))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _act(self, chat: int, topic: int | None) -> None:
        act = SendChatAction(chat_id=chat, action="upload_video", message_thread_id=topic)
        while await self._try(chat, act):
            await self._clock.sleep(SHOWN)

    async def _try(self, chat: int, call: TelegramMethod[bool]) -> bool:
        """Best effort; not even asked while Telegram wants silence there."""
        try:
            self.pace.heed(chat)
            with self._heard(chat):
                await self.bot(call, request_timeout=CALL)
        except (BotError, Moved) as error:
            log.info("telegram.not_shown", error=type(error).__name__)
            return False
        return True

    @contextmanager
    def _heard(self, chat: int) -> Iterator[None]:
        """Errors are ours, and a pause that is asked for is kept."""
        try:
            with translation():
                yield
        except Busy as error:
            if error.retry_after:
                self.pace.pause(chat, error.retry_after)
            raise


def reply(message_id: int | None) -> ReplyParameters | None:
    """In reply to this message, as long as it is there; 0 is none."""
    if not message_id:
        return None
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True)
