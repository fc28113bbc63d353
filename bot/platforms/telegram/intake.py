"""Answers besides cards and videos: drafts, questions, one plain sentence.

An update is handled again until it is done, so everything here may happen twice. A taken order
is answered by its rows: Telegram waits for nobody, so the card is a post like any other.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiogram.types import ForceReply, Message

from bot.core import replies
from bot.core.answers import Told
from bot.core.door import Door, shown
from bot.core.errors import MaybeSent, Refused, Temporary
from bot.core.orders import Order
from bot.core.ports import Clock
from bot.core.replies import Reply, Text
from bot.log import get_logger
from bot.platforms.telegram import drafts, messages
from bot.platforms.telegram.client import TelegramPlatform
from bot.platforms.telegram.drafts import Drafts
from bot.platforms.telegram.reading import (
    NAME,
    channel_of,
    event_of,
    is_private,
    locale_of,
    speaker_of,
)

CONFIRMED = 3
"""Tries of a confirmation."""
LONGEST_WAIT = 60.0
"""Seconds before the next of them: a place of the inbox is held meanwhile."""
MOST_ANSWERS = 4
"""Answers to one person in a group within `ANSWERED` seconds: all there share its pace, and cards
and others' answers need some of it too. Unsaid answers undo nothing."""
ANSWERED = 60.0
UNSAID, DONE = "🤷", "👌"
"""Signs on a message that gets no answer in words: it was heard, or what it asks for was done."""

log = get_logger()


class Intake:
    """The services behind commands and presses, and their answers."""

    def __init__(
        self, platform: TelegramPlatform, *, door: Door, drafts: Drafts, clock: Clock, currency: str
    ) -> None:
        self.platform = platform
        self.line = platform.line
        self.door = door
        self.service = door.service
        self.clock = clock
        self.posts = door.listings.posts
        self.drafts = drafts
        self._currency = currency
        self._answers: dict[tuple[int, str, str], float] = {}
        """When somebody was answered in a group first, by the group, the speaker and the event."""

    async def draft(self, order: Order) -> None:
        """Show what would be made of it. Nothing is billed before somebody says so."""
        address = order.call.address
        self.service.check_authors(order.files, order.call.person)
        await self.service.access.check(order.call.person, address)
        catalog = (await self.service.accounts.terms(address)).catalog
        liked, _ = await self.service.preferring.filled(order, catalog)
        # The card shows them: a choice that is given up there does not come back with *Go*.
        order = replace(liked, is_whole=True)
        draft_id = drafts.id_of(order)
        rendered = await self.rendered_draft(order, draft_id)
        await self.drafts.put(draft_id, order, now=self.clock.now())
        asked = address.message
        await self.line.say(address.channel, rendered, reply_to=int(asked) if asked else None)

    async def rendered_draft(
        self, order: Order, draft_id: str, *, menu: str | None = None, without: Sequence[str] = ()
    ) -> messages.Rendered:
        """The card of a draft as it is now."""
        left, _ = await self.service.left(order.call.address, order.call.person)
        terms = await self.service.accounts.terms(order.call.address)
        catalog, currency = terms.catalog, self._currency
        return drafts.rendered(
            catalog, order, draft_id, left=left, currency=currency, menu=menu, without=without
        )

    async def ask_words(self, order: Order, question: Text, *, reply_to: int) -> None:
        """Ask for the words of an order, and remember it by the question's own number."""
        said = Reply(text=question)
        rendered = messages.notice(said, order.call.locale, name=order.call.person.name)
        asked = await self.line.say(
            order.call.address.channel,
            rendered,
            reply_to=reply_to,
            # Only for whom it names, or whose message it replies to.
            reply_markup=ForceReply(selective=True),
        )
        key = question_key(asked.chat.id, asked.message_id)
        await self.drafts.put(key, order, now=self.clock.now())

    async def tell(self, message: Message, text: Text, *, sign: str = UNSAID) -> None:
        """One sentence in reply."""
        await self.say(message, Reply(text=text), sign=sign)

    async def draw(self, message: Message, told: Told) -> None:
        """A listing in reply, or a word that it is done."""
        if told.is_done:
            await self.confirm(message, told.reply.text)
            return
        locale, alone = locale_of(message.from_user), is_private(message.chat)
        await self.answer(message, messages.listing(told.reply, locale, alone=alone))

    async def confirm(self, message: Message, text: Text) -> None:
        """The same for what is done and must not be done again, so it waits here for its turn; not
        for ever: if it does not arrive, so be it."""
        for _ in range(CONFIRMED):
            try:
                await self.tell(message, text, sign=DONE)
            except Temporary as error:
                log.info("telegram.unanswered", code=error.code)
                await self.clock.sleep(min(error.retry_after or 1.0, LONGEST_WAIT))
            else:
                return

    async def say(self, message: Message, reply: Reply, *, sign: str = UNSAID) -> None:
        """Words in reply to a message; a sign where nobody may speak."""
        rendered = messages.notice(reply, locale_of(message.from_user))
        try:
            await self.answer(message, rendered, sign=sign)
        except Refused as refused:
            log.info("telegram.unanswered", code=refused.code)
            if not isinstance(refused, MaybeSent):
                await self._react(message, sign)

    async def answer(
        self, message: Message, rendered: messages.Rendered, *, sign: str = UNSAID, **more: Any
    ) -> None:
        """In reply to a message; a sign where its person is answered too often there."""
        if await self.may_answer(message, sign=sign):
            channel, number = channel_of(message), message.message_id
            if (topic := message.direct_messages_topic) is not None:
                more["direct_messages_topic_id"] = topic.topic_id  # to reach whoever wrote
            await self.line.say(channel, rendered, reply_to=number, **more)

    async def may_answer(self, message: Message, *, sign: str = UNSAID) -> bool:
        """Whether there is room for words; else it gets a sign: nothing is met with silence."""
        if self._has_room(message):
            return True
        log.info("telegram.unanswered", code="too_often")
        await self._react(message, sign)
        return False

    async def _react(self, message: Message, sign: str) -> None:
        if message.message_id:
            await self.line.react(message.chat.id, message.message_id, sign)

    def _has_room(self, message: Message) -> bool:
        """Whether one more answer leaves the group its pace; that to the same message is no more.

        Older answers are forgotten: the table is as long as a minute.
        """
        if is_private(message.chat):
            return True
        now, chat, speaker = self.clock.steady(), message.chat.id, speaker_of(message)
        recent = {key: at for key, at in self._answers.items() if now - at < ANSWERED}
        self._answers = recent
        key = (chat, speaker, event_of(message))
        had = sum(each[:2] == key[:2] for each in recent)
        if key not in recent and had >= MOST_ANSWERS:
            return False
        recent.setdefault(key, now)
        return True

    async def refuse(self, message: Message, problem: Exception) -> None:
        """Say what stands in the way. A fault that time heals is tried again, unsaid."""
        if isinstance(problem, Temporary):
            raise problem
        await self.say(message, replies.error(shown(problem, platform=NAME)))


def question_key(chat: int, message_id: int) -> str:
    """Under which a question of ours is remembered among the drafts."""
    return f"asked:{chat}:{message_id}"
