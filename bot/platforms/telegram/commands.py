"""Written input on Telegram: commands, pictures, plain words.

In groups only commands count, also under and in reply to a picture. In private chats words and
pictures alone become a draft. Nothing is decided here.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from aiogram.enums import ContentType
from aiogram.types import Message, User

from bot.core.errors import Refused
from bot.core.handed import parted
from bot.core.orders import Call, Order
from bot.core.replies import Text
from bot.core.updates import Update
from bot.core.wishes import Wish
from bot.log import get_logger
from bot.platforms.telegram import lists, reading
from bot.platforms.telegram.flags import wish_of
from bot.platforms.telegram.handed import Handed
from bot.platforms.telegram.inbox import Updates, may_heal
from bot.platforms.telegram.intake import Intake, question_key, text_of_reply
from bot.platforms.telegram.parsing import Heard, parsed
from bot.platforms.telegram.presses import Presses
from bot.platforms.telegram.reading import Command

AWAY = 600.0
"""Seconds after which nobody waits for an answer any more: then it is asked whether they do."""

log = get_logger()

Act = Callable[[Message, Command], Awaitable[None]]


class Commands:
    """Handles one stored update at a time; whatever it does may be done again."""

    def __init__(self, intake: Intake, *, me: User, updates: Updates) -> None:
        self._intake = intake
        self._me = me
        self._updates = updates
        self._presses = Presses(intake)
        self._handed = Handed(intake.platform.fetch, access=intake.service.access, own_id=me.id)
        self._acts: dict[str, Act] = {
            "video": self._video,
            "animate": self._video,
            "start": self._start,
            "help": self._help,
            "models": self._models,
            "quota": self._quota,
            "history": self._history,
            "cancel": self._cancel,
            "claim": self._claim,
            "allow": self._allow,
            "disallow": self._disallow,
        }

    async def handle(self, update: Update) -> None:
        """Do what it says. Raises what has to be tried again."""
        if place := reading.left(update.data):
            await self._intake.service.withdraw(place)
            return
        heard = await self._read(update)
        if heard is None:
            return
        if heard.told.callback_query is not None:
            await self._presses.hear(heard.told.callback_query, update)
        elif heard.told.message is not None:
            await self._hear(heard, heard.told.message, update)

    async def excuse(self, update: Update) -> None:
        """Tell its person that it waits. The rows can't be asked for anything."""
        heard = self._parsed(update)
        if heard is None:
            return
        if heard.told.callback_query is not None:
            await self._presses.excuse(heard.told.callback_query)
        elif (message := heard.told.message) is not None and not reading.is_for_nobody(message):
            command = self._command(message)
            if reading.is_private(message.chat) or (command and command.name in self._acts):
                await self._intake.tell(message, Text(id="telegram.waits"))

    def _parsed(self, update: Update) -> Heard | None:
        return parsed(update.data, self._intake.line.bot)

    async def _read(self, update: Update) -> Heard | None:
        """Telegram's update; of a group that has another id by now, as if told of that one."""
        heard = self._parsed(update)
        if heard is None:
            return None
        told = heard.told
        said = told.callback_query.message if told.callback_query else told.message
        if said is None:
            return heard
        chat = await self._intake.line.current(said.chat.id)
        return heard if chat == said.chat.id else replace(heard, told=reading.moved(told, chat))

    async def _hear(self, heard: Heard, message: Message, update: Update) -> None:
        if message.migrate_to_chat_id is not None:
            return  # that was heard when it was stored
        album = await self._updates.behind(update) if message.media_group_id else []
        all_of_it = [heard, *filter(None, [await self._read(later) for later in album])]
        items = [each.told.message for each in all_of_it if each.told.message is not None]
        try:
            if not all(each.is_whole for each in all_of_it):
                await self._act_blind(message, items)
            elif any(reading.is_for_nobody(each) for each in items):
                await self._act_unmeant(message, items)
            # Told late, not handled late: what was taken in time stays taken when it is done again.
            elif update.received_at - message.date.timestamp() > AWAY:
                await self._act_late(message)
            else:
                await self._act(message, items)
        except Exception as problem:  # the rim: nobody above could tell them
            if may_heal(problem, update):
                raise
            await self._intake.refuse(message, problem)
        # Together: a picture that is left over would be an order of its own.
        await self._updates.done(update, *album)

    async def _act_blind(self, message: Message, items: Sequence[Message]) -> None:
        """A message that can't be read whole orders nothing, and its person is told."""
        command = self._command(self._speaking(items))
        known = command is not None and command.name in self._acts
        if _is_to_us_alone(message) or (known and not reading.is_anothers(message)):
            await self._intake.tell(message, Text(id="telegram.unreadable"))

    async def _act_unmeant(self, message: Message, items: Sequence[Message]) -> None:
        """In private, somebody else's words are answered too; so is a kind that nobody knows yet,
        also under a command. What happened in a chat is no message."""
        if any(reading.is_anothers(each) for each in items):
            if _is_to_us_alone(message):
                await self._intake.tell(message, Text(id="telegram.handed_on"))
        elif any(each.content_type == ContentType.UNKNOWN for each in items):
            await self._act_blind(message, items)

    async def _act_late(self, message: Message) -> None:
        """In a group only a request for a video is worth an answer: it is to be sent again."""
        command = self._command(message)
        wanted = command is not None and command.name in ("video", "animate")
        if wanted or reading.is_private(message.chat):
            await self._intake.tell(message, Text(id="telegram.was_away"))

    async def _act(self, message: Message, items: Sequence[Message]) -> None:
        speaking = self._speaking(items)
        command, others = self._command(speaking), [each for each in items if each is not speaking]
        words = [command.rest if command else reading.words_of(speaking)]
        said = "\n".join(filter(None, [*words, *map(reading.words_of, others)]))
        if command is not None and (act := self._acts.get(command.name)):
            if act == self._video:
                await self._video(speaking, replace(command, rest=said), items)
            else:
                await act(speaking, command)
        elif await self._answered(speaking, items, said):
            return
        elif reading.is_private(message.chat):
            await self._draft(speaking, command, items, said)

    def _speaking(self, items: Sequence[Message]) -> Message:
        """The message of an album with the command; without one, the first that says anything."""
        commanding = [each for each in items if self._command(each)]
        return (commanding or [each for each in items if reading.words_of(each)] or items)[0]

    def _command(self, message: Message) -> Command | None:
        return reading.command_of(message, own_name=self._me.username or "")

    # --- videos --------------------------------------------------------------------------------

    async def _video(
        self, message: Message, command: Command, items: Sequence[Message] = ()
    ) -> None:
        wish = await self._wish(message, command.rest)
        pictures, sound = parted(await self._handed.all_of(message, items or [message]))
        target = reading.replied_to(message)
        if command.name == "animate" and not pictures and sound is None:
            raise Refused("no_picture" if target else "picture_unseen")
        if not wish.prompt and not pictures:
            wish = replace(wish, prompt=text_of_reply(message))
        order = Order(call=reading.call_of(message), wish=wish, pictures=pictures, sound=sound)
        if not wish.prompt and not pictures and sound is None:
            if not await self._intake.may_answer(message):
                return
            await self._intake.ask_words(order, "ask.words", reply_to=message.message_id)
        else:
            await self._submit(order)

    async def _answered(self, message: Message, items: Sequence[Message], said: str) -> bool:
        """Whether this was the answer to a question of ours; one that says nothing is asked again.

        Files of its own take the place of those that the question was about.
        """
        asked = reading.replied_to(message)
        if asked is None or asked.from_user is None or asked.from_user.id != self._me.id:
            return False
        order = await self._intake.drafts.get(question_key(asked.chat.id, asked.message_id))
        if order is None or order.call.person.id != reading.person_of(message).id:
            return False
        wish = await self._wish(message, said)
        try:
            own = await self._handed.own(items)
        except Refused as refused:
            if wish.prompt or refused.code not in ("no_picture", "moves_already"):
                raise
            own = []
        if not own:
            reading.check_shown(message)
        if wish.prompt or own:
            pictures, sound = parted(own)
            answer = replace(
                order,
                call=reading.call_of(message),
                wish=order.wish.having(prompt=wish.prompt, **wish.chosen),
                pictures=pictures or order.pictures,
                sound=sound or order.sound,
                # A remix would not change the new choices.
                remix_of=None if own or wish.chosen else order.remix_of,
            )
            await self._submit(answer)
        elif await self._intake.may_answer(message):
            await self._intake.ask_words(order, "ask.words", reply_to=message.message_id)
        return True

    async def _draft(
        self, message: Message, command: Command | None, items: Sequence[Message], said: str
    ) -> None:
        if message.rich_message is not None:
            await self._intake.tell(message, Text(id="telegram.unreadable"))
            return
        pictures, sound = parted(await self._handed.all_of(message, items))
        given = said.strip() or pictures or sound
        if command is not None or not given:
            await self._intake.tell(message, Text(id="telegram.help"))
            return
        wish = await self._wish(message, said)
        order = Order(call=reading.call_of(message), wish=wish, pictures=pictures, sound=sound)
        with _owner_in_doubt(order):
            await self._intake.draft(order)

    async def _submit(self, order: Order) -> None:
        with _owner_in_doubt(order):
            await self._intake.service.submit(order)

    async def _wish(self, message: Message, words: str) -> Wish:
        """Words and flags apart; of a model that is none it may be that its name was cut short."""
        terms = await self._intake.service.terms(reading.address_of(message))
        catalog = terms.catalog
        wish = wish_of(words, catalog)
        family = wish.family
        if family is not None and not catalog.named(family):
            can = ", ".join(catalog.label(each) for each in catalog.families)
            raise Refused("flag_model_unknown", family=family, can=can)
        return wish

    # --- lists ---------------------------------------------------------------------------------

    async def _start(self, message: Message, command: Command) -> None:
        """People who add us to a group by a link say it unknowingly."""
        if reading.is_private(message.chat):
            await lists.start(self._intake, message)
        else:
            await self._help(message, command)

    async def _help(self, message: Message, _: Command) -> None:
        private = reading.is_private(message.chat)
        await self._intake.tell(
            message, Text(id="telegram.help" if private else "telegram.help_group")
        )

    async def _models(self, message: Message, _: Command) -> None:
        await lists.models(self._intake, message)

    async def _quota(self, message: Message, _: Command) -> None:
        await lists.quota(self._intake, message)

    async def _history(self, message: Message, _: Command) -> None:
        await lists.history(self._intake, message)

    async def _cancel(self, message: Message, command: Command) -> None:
        await lists.cancel(self._intake, message, command.rest)

    # --- owners --------------------------------------------------------------------------------

    async def _claim(self, message: Message, command: Command) -> None:
        call = self._faced(message)
        await self._intake.service.access.claim(command.rest, call.person, call.address)
        await self._intake.confirm(message, Text(id="access.claimed"))

    async def _allow(self, message: Message, command: Command) -> None:
        call, whom = self._faced(message), _whom(command)
        await self._intake.service.access.allow(call.person, call.address, whom=whom)
        text = Text(id="access.allowed" if whom is None else "access.person_allowed")
        await self._intake.confirm(message, text)

    async def _disallow(self, message: Message, command: Command) -> None:
        call, whom = self._faced(message), _whom(command)
        await self._intake.service.access.disallow(call.person, call.address, whom=whom)
        text = Text(id="access.disallowed" if whom is None else "access.person_disallowed")
        await self._intake.confirm(message, text)

    def _faced(self, message: Message) -> Call:
        """A person who speaks as a chat can be anybody: no owner."""
        if reading.is_faceless(message):
            raise Refused("owners_only")
        return reading.call_of(message)


def _is_to_us_alone(message: Message) -> bool:
    """Whether a person wrote it in private: bots that answered each other would never end."""
    is_person = message.from_user is not None and not message.from_user.is_bot
    return is_person and reading.is_private(message.chat)


def _whom(command: Command) -> str | None:
    """The number of the person who is meant; None for everybody here.

    Names are no use: Telegram tells a bot the number of nobody by their name.
    """
    if not command.rest:
        return None
    if not command.rest.isascii() or not command.rest.isdigit():
        raise Refused("person_unreadable")
    return command.rest


@contextmanager
def _owner_in_doubt(order: Order) -> Iterator[None]:
    """Where Telegram hides whose a picture is, nobody can say that it is somebody else's."""
    try:
        yield
    except Refused as refused:
        others = (it.author for it in order.pictures if it.author != order.call.person.id)
        if refused.code == "not_your_picture" and not any(others):
            raise Refused("picture_owner_unknown") from None
        raise
