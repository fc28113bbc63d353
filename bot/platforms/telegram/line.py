"""Requests to Telegram for one bot account: applies the rate limits and translates errors.

Every request about a chat passes through here.
"""

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
"""Timeout in seconds of each request that uploads no file."""
SHOWN = 4.5
"""Seconds between two chat actions "sending a video": apps show each for five seconds."""

MOST_SHOWN = 10_000
"""Most messages whose content is remembered; those unchanged for longest are dropped first."""

log = get_logger()

Answer = TypeVar("Answer")
Send = Callable[[int, int | None, bool], Awaitable[Message]]
"""A function that sends a message to a chat and topic, as a reply or not."""


class Communities(Protocol):
    """The stored ids of groups: Telegram gives a group a new id when it becomes a supergroup."""

    async def move(self, platform: str, old: str, new: str) -> None: ...

    async def current(self, platform: str, community: str) -> str: ...

    async def ids(self, platform: str, community: str) -> list[str]: ...


class Line:
    """Sends requests to Telegram for one bot account."""

    def __init__(self, bot: Bot, *, communities: Communities, clock: Clock) -> None:
        self.bot = bot
        self.pace = Pace(clock)
        self._communities = communities
        self._clock = clock
        self._shown: OrderedDict[tuple[int, int], str] = OrderedDict()
        """The known content of messages of ours (`Rendered.mark`), by chat and message id."""

    async def ask(self, chat: int, call: Awaitable[Answer]) -> Answer:
        """Await a request, translate its errors, and note a rate-limit pause that Telegram demands.

        Raises `Temporary` after it stored the new id of a group that moved.
        """
        try:
            with self._heard(chat):
                return await call
        except Moved as moved:
            await self.move(chat, moved.chat)
            raise Temporary("telegram_moved", retry_after=1.0, unsent=True) from None

    async def move(self, old: int, new: int) -> None:
        """Store that a group has a new id."""
        await self._communities.move(NAME, str(old), str(new))
        log.info("telegram.group_moved")

    async def current(self, chat: int) -> int:
        """Return the current id of a chat. Only groups (negative ids) can get a new one."""
        return chat if chat > 0 else int(await self._communities.current(NAME, str(chat)))

    async def has_moved(self, chat: int) -> bool:
        """Whether a chat has had another id before."""
        return len(await self._communities.ids(NAME, str(chat))) > 1

    async def insist(self, channel: str, turn: Turn, send: Send) -> Message:
        """Send a message; if Telegram refuses the reply or the topic, send it again without.

        That is safe: after either refusal nothing was posted.
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
        """Send one text message when the rate limit allows it.

        Raises `MaybeSent` (a `Refused`) if the outcome is unknown: retrying might post the message
        any number of times.
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
        """Send one text message at once, as a reply to the message `target` unless it is None."""
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
        """Whether the message already shows this look, so that an edit is unnecessary."""
        return self._shown.get((chat, message_id)) == rendered.mark

    def forget(self, chat: int, message_id: int) -> None:
        """Drop the remembered content of a message that is about to change or go."""
        self._shown.pop((chat, message_id), None)

    def _stands(self, chat: int, message_id: int, rendered: Rendered) -> None:
        """Remember the content of a message of ours."""
        self._shown[chat, message_id] = rendered.mark
        self._shown.move_to_end((chat, message_id))
        if len(self._shown) > MOST_SHOWN:
            self._shown.popitem(last=False)

    async def edit(self, chat: int, message_id: int, rendered: Rendered) -> None:
        """Edit the text of a message of ours. Telegram's answer that nothing changed is success."""
        self.forget(chat, message_id)  # until Telegram confirms the edit
        with suppress(Unchanged):
            edit = self.bot.edit_message_text(
                chat_id=chat, message_id=message_id, request_timeout=CALL, **rendered.words
            )
            await self.ask(chat, edit)
        self._stands(chat, message_id, rendered)

    async def react(self, chat: int, message_id: int, sign: str) -> None:
        """Set a reaction on a message; errors are only logged."""
        signs: list[ReactionTypeUnion] = [ReactionTypeEmoji(emoji=sign)]
        await self._try(
            chat, SetMessageReaction(chat_id=chat, message_id=message_id, reaction=signs)
        )

    @asynccontextmanager
    async def uploading(self, chat: int, topic: int | None) -> AsyncIterator[None]:
        """Show the chat action "sending a video" while the block runs."""
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
        """Send an optional request and return whether it succeeded; errors are only logged.

        Nothing is sent while Telegram demands a pause in the chat.
        """
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
        """Translate errors, and note a rate-limit pause that Telegram demands."""
        try:
            with translation():
                yield
        except Busy as error:
            if error.retry_after:
                self.pace.pause(chat, error.retry_after)
            raise


def reply(message_id: int | None) -> ReplyParameters | None:
    """Return the parameters of a reply to this message, or None for the ids 0 and None.

    If the message is gone, Telegram sends ours without the reply.
    """
    if not message_id:
        return None
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True)
