"""Turn messages into orders: their text and flags become a wish, and their files come with it.

In private chats a message without a command becomes a proposal. The answer to a question of the bot
becomes an order.
"""

from collections.abc import Sequence
from dataclasses import replace

from aiogram.types import Message

from bot.core.commands import COMMANDS
from bot.core.errors import MovesAlready, NoPicture, Refused
from bot.core.handed import parted
from bot.core.orders import Order
from bot.core.replies import Text
from bot.core.wishes import Use, Wish
from bot.platforms.telegram import reading
from bot.platforms.telegram.albums import Albums
from bot.platforms.telegram.flags import wish_of
from bot.platforms.telegram.handed import Handed
from bot.platforms.telegram.intake import Intake, question_key
from bot.platforms.telegram.reading import Command

ANY_WORDS = "…"
"""Stands for a prompt that the person has not written yet."""
WORDED = frozenset({Use.CHARACTER, Use.EDIT})
"""The uses of files that make a video only together with a prompt."""


class Ordering:
    """Submits orders, or asks for their prompts."""

    def __init__(self, intake: Intake, *, albums: Albums, own_id: int) -> None:
        self._intake = intake
        self._own_id = own_id
        self._handed = Handed(intake, albums=albums, own_id=own_id)

    async def order(self, message: Message, command: Command, items: Sequence[Message]) -> None:
        """Order a video from a command: its text, its files, and the message it replies to."""
        wish = COMMANDS[command.name].wish(await self._wish(message, command.rest))
        given = await self._handed.all_of(message, items, use=wish.use)
        pictures, video, sound = parted(given)
        target = reading.replied_to(message)
        if command.name == "animate" and not given:
            raise NoPicture() if target else Refused("picture_unseen")
        if not wish.prompt and not given and target:
            wish = replace(wish, prompt=reading.words_of(target))
        call = reading.call_of(message)
        order = Order(call=call, wish=wish, pictures=pictures, video=video, sound=sound)
        if wish.prompt or (given and wish.use not in WORDED) or (wish.use and not given):
            await self._intake.service.submit(order)
        elif await self._intake.may_answer(message):
            await self._ask_words(order, message)

    async def _ask_words(self, order: Order, message: Message) -> None:
        """Ask for the prompt of an order. Raises `Refused` if no prompt would make it possible."""
        if order.files:
            terms = await self._intake.service.accounts.terms(order.call.address)
            terms.catalog.choose(order.wishing(order.wish.having(prompt=ANY_WORDS)))
        await self._intake.ask_words(order, Text(id="ask.words"), reply_to=message.message_id)

    async def answered(self, message: Message, items: Sequence[Message], said: str) -> bool:
        """Submit the order if the message answers a question of the bot. Return whether it does.

        An answer without text and files is asked again. The answer's own files replace those of the
        order.
        """
        asked = reading.replied_to(message)
        if asked is None or asked.from_user is None or asked.from_user.id != self._own_id:
            return False
        order = await self._intake.proposals.get(question_key(asked.chat.id, asked.message_id))
        if order is None or order.call.person.id != reading.person_of(message).id:
            return False
        wish = await self._wish(message, said)
        try:
            own = await self._handed.own(items, use=order.wish.use)
        except (NoPicture, MovesAlready):
            if wish.prompt:
                raise
            own = []
        if not own:
            reading.check_shown(message)
        if wish.prompt or own:
            pictures, video, sound = parted(own)
            answer = replace(
                order,
                call=reading.call_of(message),
                wish=order.wish.having(prompt=wish.prompt, **wish.chosen),
                pictures=pictures or order.pictures,
                video=video or order.video,
                sound=sound or order.sound,
                # A remix can't apply new choices or files.
                remix_of=None if own or wish.chosen else order.remix_of,
            )
            await self._intake.service.submit(answer)
        elif await self._intake.may_answer(message):
            await self._intake.ask_words(order, Text(id="ask.words"), reply_to=message.message_id)
        return True

    async def propose(
        self, message: Message, command: Command | None, items: Sequence[Message], said: str
    ) -> bool:
        """Show a proposal made from the message. Return whether the message was answered."""
        if message.rich_message is not None:
            await self._intake.tell(message, Text(id="telegram.unreadable"))
            return True
        wish = Wish() if command else await self._wish(message, said)
        handed = await self._handed.all_of(message, items, use=wish.use)
        if command is not None or not (said.strip() or handed):
            return False
        pictures, video, sound = parted(handed)
        call = reading.call_of(message)
        order = Order(call=call, wish=wish, pictures=pictures, video=video, sound=sound)
        await self._intake.propose(order)
        return True

    async def _wish(self, message: Message, words: str) -> Wish:
        """Parse the text into a wish. Raises `Refused`, with all models, for an unknown model."""
        terms = await self._intake.service.accounts.terms(reading.address_of(message))
        catalog = terms.catalog
        wish = wish_of(words, catalog)
        family = wish.family
        if family is not None and not catalog.named(family):
            can = [catalog.label(each) for each in catalog.families]
            raise Refused("flag_model_unknown", family=family, can=can)
        return wish
