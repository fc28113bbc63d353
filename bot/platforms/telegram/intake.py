"""Answers other than cards and videos: proposals, questions and plain sentences.

An update is handled again until it is marked as done, so each function here may run twice for the
same update. An accepted order gets no answer from here: its card is a post, sent from its row.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiogram.types import ForceReply, Message

from bot.core import replies
from bot.core.answers import TextAnswer
from bot.core.entry import Entry, shown
from bot.core.errors import MaybeSent, Refused, Temporary
from bot.core.orders import Order
from bot.core.ports import Clock
from bot.core.replies import Reply, Text
from bot.log import get_logger
from bot.platforms.telegram import messages, proposals
from bot.platforms.telegram.client import TelegramPlatform
from bot.platforms.telegram.proposals import Proposals
from bot.platforms.telegram.reading import (
    NAME,
    channel_of,
    event_of,
    is_private,
    locale_of,
    speaker_of,
)

CONFIRMED = 3
"""Most attempts to send a confirmation."""
LONGEST_WAIT = 60.0
"""Most seconds between two attempts. Meanwhile the update occupies one of the inbox's slots."""
MOST_ANSWERS = 4
"""Most answers to one person in a group within `ANSWERED` seconds. All messages of a group share
its rate limit, and cards and answers to other people need a part of it. A command whose answer is
left out still has its effect."""
ANSWERED = 60.0
UNSAID, DONE = "🤷", "👌"
"""Reactions to a message that gets no answer in words: `UNSAID` says that the bot received it,
`DONE` that the bot did what it asks for."""

log = get_logger()


class Intake:
    """Gives commands and button presses the services that they need, and sends their answers."""

    def __init__(
        self,
        platform: TelegramPlatform,
        *,
        entry: Entry,
        proposals: Proposals,
        clock: Clock,
        currency: str,
    ) -> None:
        self.platform = platform
        self.line = platform.line
        self.entry = entry
        self.service = entry.service
        self.clock = clock
        self.posts = entry.listings.posts
        self.proposals = proposals
        self._currency = currency
        self._answers: dict[tuple[int, str, str], float] = {}
        """Time of the first answer to each event in a group, by group, speaker and event."""

    async def propose(self, order: Order) -> None:
        """Store a proposal and show its card. Nothing is ordered before the person confirms it."""
        address = order.call.address
        self.service.check_authors(order.files, order.call.person)
        await self.service.access.check(order.call.person, address)
        catalog = (await self.service.accounts.terms(address)).catalog
        liked, _ = await self.service.preferring.filled(order, catalog)
        # The card shows all choices. `is_whole` keeps defaults from being filled in after *Go*,
        # so that a choice given up on the card doesn't come back.
        order = replace(liked, is_whole=True)
        proposal_id = proposals.id_of(order)
        rendered = await self.rendered_proposal(order, proposal_id)
        await self.proposals.put(proposal_id, order, now=self.clock.now())
        asked = address.message
        await self.line.say(address.channel, rendered, reply_to=int(asked) if asked else None)

    async def rendered_proposal(
        self,
        order: Order,
        proposal_id: str,
        *,
        menu: str | None = None,
        without: Sequence[str] = (),
    ) -> messages.Rendered:
        """Return the current card of a proposal."""
        left, _ = await self.service.left(order.call.address, order.call.person)
        terms = await self.service.accounts.terms(order.call.address)
        catalog, currency = terms.catalog, self._currency
        return proposals.rendered(
            catalog, order, proposal_id, left=left, currency=currency, menu=menu, without=without
        )

    async def ask_words(self, order: Order, question: Text, *, reply_to: int) -> None:
        """Ask for an order's prompt, and store the order under the id of the question's message."""
        said = Reply(text=question)
        rendered = messages.notice(said, order.call.locale, name=order.call.person.name)
        asked = await self.line.say(
            order.call.address.channel,
            rendered,
            reply_to=reply_to,
            # Selective: only the person it mentions or replies to gets the reply field.
            reply_markup=ForceReply(selective=True),
        )
        key = question_key(asked.chat.id, asked.message_id)
        await self.proposals.put(key, order, now=self.clock.now())

    async def tell(self, message: Message, text: Text, *, sign: str = UNSAID) -> None:
        """Reply with one sentence."""
        await self.say(message, Reply(text=text), sign=sign)

    async def draw(self, message: Message, text_answer: TextAnswer) -> None:
        """Reply with a listing, or confirm that a command is done."""
        if text_answer.is_done:
            await self.confirm(message, text_answer.reply.text)
            return
        locale, alone = locale_of(message.from_user), is_private(message.chat)
        await self.answer(message, messages.listing(text_answer.reply, locale, alone=alone))

    async def confirm(self, message: Message, text: Text) -> None:
        """Reply with one sentence after a command that must not run twice.

        So that the update isn't handled again, network errors are retried here, `CONFIRMED` times
        at most. After that the confirmation is dropped.
        """
        for _ in range(CONFIRMED):
            try:
                await self.tell(message, text, sign=DONE)
            except Temporary as error:
                log.info("telegram.unanswered", code=error.code)
                await self.clock.sleep(min(error.retry_after or 1.0, LONGEST_WAIT))
            else:
                return

    async def say(self, message: Message, reply: Reply, *, sign: str = UNSAID) -> None:
        """Reply to a message, or set a reaction on it if Telegram refuses the reply."""
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
        """Reply to a message, or set a reaction if its sender got too many answers in the group."""
        if await self.may_answer(message, sign=sign):
            channel, number = channel_of(message), message.message_id
            if (topic := message.direct_messages_topic) is not None:
                more["direct_messages_topic_id"] = topic.topic_id  # else it can't reach the sender
            await self.line.say(channel, rendered, reply_to=number, **more)

    async def may_answer(self, message: Message, *, sign: str = UNSAID) -> bool:
        """Whether this message may be answered in words. If not, set a reaction on it instead."""
        if self._has_room(message):
            return True
        log.info("telegram.unanswered", code="too_often")
        await self._react(message, sign)
        return False

    async def _react(self, message: Message, sign: str) -> None:
        if message.message_id:
            await self.line.react(message.chat.id, message.message_id, sign)

    def _has_room(self, message: Message) -> bool:
        """Whether the sender may get one more answer in this group.

        Several answers to the same message count once. Answers older than `ANSWERED` seconds are
        removed from the table.
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
        """Reply with the error's sentence. Raises a `Temporary` error, so that it is retried."""
        if isinstance(problem, Temporary):
            raise problem
        await self.say(message, replies.error(shown(problem, platform=NAME)))


def question_key(chat: int, message_id: int) -> str:
    """Return the key under which the order of a question of ours is stored among the proposals."""
    return f"asked:{chat}:{message_id}"
