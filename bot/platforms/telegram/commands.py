"""Handle what comes from Telegram: messages, button presses, edits, and changes of membership.

In groups only commands count; a command may also be a picture's caption or a reply to a picture. In
private chats text or a picture without a command becomes a proposal. The core decides; this module
only dispatches.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from aiogram.enums import ContentType
from aiogram.types import Message, User

from bot.core import commands as table
from bot.core.answers import TextAnswer
from bot.core.commands import COMMANDS, Argument, Who
from bot.core.errors import Refused
from bot.core.orders import Address
from bot.core.replies import Reply, Text
from bot.core.updates import Update
from bot.log import get_logger
from bot.platforms.telegram import albums, membership, messages, reading, rights
from bot.platforms.telegram.albums import Albums
from bot.platforms.telegram.inbox import Updates, may_heal
from bot.platforms.telegram.intake import Intake
from bot.platforms.telegram.ordering import Ordering
from bot.platforms.telegram.parsing import ParsedUpdate, parsed
from bot.platforms.telegram.presses import Presses
from bot.platforms.telegram.reading import Command

AWAY = 600.0
"""Seconds between a message and its arrival here after which it isn't acted on. Instead, the answer
asks the sender to send it again."""

START = "start"
"""The command that Telegram sends when somebody opens a chat with us."""
VIDEO = frozenset(each.name for each in COMMANDS.values() if each.act is None)
"""The commands that order a video."""

log = get_logger()


class Commands:
    """Handles stored updates. Each update may be handled more than once."""

    def __init__(
        self, intake: Intake, *, me: User, updates: Updates, claimed: Callable[[], Awaitable[None]]
    ) -> None:
        """`claimed` is called when there may be a first owner."""
        self._intake = intake
        self._me = me
        self._updates = updates
        self._claimed = claimed
        self._presses = Presses(intake)
        self._albums = Albums(updates, intake.line.bot)
        self._ordering = Ordering(intake, albums=self._albums, own_id=me.id)

    async def handle(self, update: Update) -> None:
        """Handle an update. Raises the errors after which it must be retried."""
        if place := membership.left(update.data):
            await self._intake.service.withdraw(place)
            return
        if place := membership.joined(update.data):
            await self._greet(place, membership.locale_of_adder(update.data))
            return
        heard = await self._read(update)
        if heard is None:
            return
        if heard.value.callback_query is not None:
            await self._presses.hear(heard.value.callback_query, update)
        elif heard.value.message is not None:
            await self._hear(heard, heard.value.message, update)
        elif heard.value.edited_message is not None:
            await self._hear_edit(heard.value.edited_message, update)

    async def excuse(self, update: Update) -> None:
        """Tell the sender that the update waits. Must not use the database, which is failing."""
        heard = parsed(update.data, self._intake.line.bot)
        if heard is None:
            return
        if heard.value.callback_query is not None:
            await self._presses.excuse(heard.value.callback_query)
        elif (message := heard.value.message) is not None and not reading.is_for_nobody(message):
            command = self._command(message)
            if reading.is_private(message.chat) or (command and _is_known(command)):
                await self._intake.tell(message, Text(id="telegram.waits"))

    async def _read(self, update: Update) -> ParsedUpdate | None:
        """Parse an update. If its group has got a new id meanwhile, the result has the new id."""
        heard = parsed(update.data, self._intake.line.bot)
        if heard is None:
            return None
        value = heard.value
        said = value.callback_query.message if value.callback_query else value.message
        if said is None:
            return heard
        chat = await self._intake.line.current(said.chat.id)
        return heard if chat == said.chat.id else replace(heard, value=reading.moved(value, chat))

    async def _hear(self, heard: ParsedUpdate, message: Message, update: Update) -> None:
        if message.migrate_to_chat_id is not None:
            return  # the inbox noted the new id before it stored the update
        album = await self._updates.behind(update) if message.media_group_id else []
        all_of_it = [heard, *filter(None, [await self._read(later) for later in album])]
        items = [each.value.message for each in all_of_it if each.value.message is not None]
        try:
            if not all(each.is_whole for each in all_of_it):
                await self._act_blind(message, items)
            elif any(reading.is_for_nobody(each) for each in items):
                await self._act_unmeant(message, items)
            # The time of arrival counts, not of handling: an update that came in time is still
            # handled when it is retried later.
            elif update.received_at - message.date.timestamp() > AWAY:
                await self._act_late(message)
            elif message.media_group_id and (earlier := await self._albums.before(update)):
                await self._act_on_rest(message, items, earlier)
            else:
                await self._act(message, items)
        except Exception as problem:  # the callers can't send an answer
            if may_heal(problem, update):
                raise
            await self._intake.refuse(message, problem)
        # All together: a picture left over from an album would become an order of its own.
        await self._updates.done(update, *album)

    async def _act_blind(self, message: Message, items: Sequence[Message]) -> None:
        """Answer a message that could not be parsed completely. Nothing is ordered."""
        command = self._command(self._speaking(items))
        known = command is not None and _is_known(command)
        if _is_to_us_alone(message) or (known and not reading.is_anothers(message)):
            await self._intake.tell(message, Text(id="telegram.unreadable"))

    async def _act_unmeant(self, message: Message, items: Sequence[Message]) -> None:
        """Answer a message that isn't addressed to the bot, if it may still expect an answer.

        A forwarded message is answered in private chats; content of an unknown kind is answered in
        private chats or with a command. Events in a chat get no answer.
        """
        if any(reading.is_anothers(each) for each in items):
            if _is_to_us_alone(message):
                await self._intake.tell(message, Text(id="telegram.handed_on"))
        elif any(each.content_type == ContentType.UNKNOWN for each in items):
            await self._act_blind(message, items)

    async def _act_late(self, message: Message) -> None:
        """Ask the sender of an old message to send it again. In groups, only orders get this."""
        command = self._command(message)
        wanted = command is not None and command.name in VIDEO
        if wanted or reading.is_private(message.chat):
            await self._intake.tell(message, Text(id="telegram.was_away"))

    async def _act_on_rest(
        self, message: Message, items: Sequence[Message], earlier: Sequence[Update]
    ) -> None:
        """Act on messages of an album that came after the others had been handled.

        A command among them is about the whole album. Without one, nothing is made of them: the
        others became an order or a proposal, and these would become another.
        """
        if self._command(self._speaking(items)) is not None:
            await self._act(message, [*self._albums.messages_of(earlier), *items])
        elif reading.is_private(message.chat) or any(albums.commands(it.data) for it in earlier):
            await self._intake.tell(message, Text(id="telegram.late_picture"))

    async def _act(self, message: Message, items: Sequence[Message]) -> None:
        speaking = self._speaking(items)
        command, others = self._command(speaking), [each for each in items if each is not speaking]
        words = [command.rest if command else reading.words_of(speaking)]
        said = "\n".join(filter(None, [*words, *map(reading.words_of, others)]))
        if command is not None and command.name in VIDEO:
            await self._ordering.order(speaking, replace(command, rest=said), items)
        elif command is not None and _is_known(command):
            await self._run(speaking, command)
        elif await self._ordering.answered(speaking, items, said):
            return
        elif reading.is_private(message.chat) and not await self._ordering.propose(
            speaking, command, items, said
        ):
            await self._run(speaking, Command(name="help", rest=""))

    def _speaking(self, items: Sequence[Message]) -> Message:
        """Return the message of an album that has the command, else the first one with text."""
        commanding = [each for each in items if self._command(each)]
        return (commanding or [each for each in items if reading.words_of(each)] or items)[0]

    def _command(self, message: Message) -> Command | None:
        return reading.command_of(message, own_name=self._me.username or "")

    # --- everything else -----------------------------------------------------------------------

    async def _run(self, message: Message, command: Command) -> None:
        """Run a command of the core. /start in a group shows the help: Telegram sends it when a
        person adds the bot by a link."""
        if command.name == START and reading.is_private(message.chat):
            await self._start(message)
            return
        name = "help" if command.name == START else command.name
        known = COMMANDS[name]
        if known.who is not Who.EVERYBODY and reading.is_faceless(message):
            raise Refused("owners_only")  # a chat as sender hides which person it is
        call = (reading.visit_of if known.is_general else reading.call_of)(message)
        given = {
            each.name: value
            for each in known.arguments
            if (value := await self._given(each, message, command.rest))
        }
        chat, line = message.chat.id, self._intake.line
        moderates = partial(rights.moderates, line, call.person, chat=chat)
        answer = await table.run(self._intake.entry, call, name, given, moderates=moderates)
        if isinstance(answer, TextAnswer):
            await self._intake.draw(message, answer)
        if known.who is Who.FIRST_OWNER:
            await self._claimed()

    async def _given(self, argument: Argument, message: Message, rest: str) -> str | None:
        # Names can't be used: the Bot API doesn't look up a person's id by name.
        if argument.is_person and rest and not (rest.isascii() and rest.isdigit()):
            raise Refused("person_unreadable")
        return await self._meant(message, rest) if argument.name == "job" else rest

    async def _meant(self, message: Message, rest: str) -> str | None:
        """Return the id of the job that the text names, or whose message this message replies to.

        That may be a post about the job or the message with the order. Raises `Refused` if the
        message replies to another one.
        """
        target = reading.replied_to(message)
        if rest or target is None:
            return next(iter(rest.split()), None)
        place, number = str(target.chat.id), str(target.message_id)
        if (meant := await self._intake.posts.about(reading.NAME, place, number)) is not None:
            return meant
        for job in await self._intake.entry.listings.under_way(reading.call_of(target)):
            asked = job.order.call.address
            chat, _ = reading.chat_and_topic(asked.channel)
            if (str(chat), asked.message) == (place, number):
                return job.id
        raise Refused("nothing_to_cancel")

    async def _start(self, message: Message) -> None:
        """Send a greeting with the videos left and some examples. Raises `Refused` if the person
        may not use the bot."""
        call = reading.call_of(message)
        await self._intake.service.access.check(call.person, call.address)
        left, _ = await self._intake.service.left(call.address, call.person)
        facts = () if left is None else (left.fact,)
        hello = Reply(text=Text(id="telegram.start"), facts=facts)
        rendered = messages.listing(hello, call.locale)
        keys = messages.examples(call.locale)
        await self._intake.answer(message, rendered, reply_markup=keys)

    # --- answered with one sentence ------------------------------------------------------------

    async def _greet(self, place: Address, locale: str) -> None:
        """Introduce the bot to a group that added it, unless the bot may not write there."""
        if await self._intake.line.has_moved(int(place.channel)):
            return  # the group knows the bot already, under its former id
        rendered = messages.notice(Reply(text=Text(id="telegram.hello")), locale)
        try:
            await self._intake.line.say(place.channel, rendered)
        except Refused as refused:
            log.info("telegram.not_greeted", code=refused.code)

    async def _hear_edit(self, message: Message, update: Update) -> None:
        """Tell the person that editing a message doesn't change the order.

        Telegram also reports changes that no person made. Those have no edit date, or an old one,
        and get no answer.
        """
        command = self._command(message)
        edited = int(message.edit_date or 0)
        if command is None or reading.is_for_nobody(message) or update.received_at - edited > AWAY:
            return
        private = reading.is_private(message.chat)
        if command.name in VIDEO or (private and _is_known(command)):
            await self._intake.tell(message, Text(id="telegram.edited"))


def _is_known(command: Command) -> bool:
    return command.name in COMMANDS or command.name == START


def _is_to_us_alone(message: Message) -> bool:
    """Whether a person wrote the message in private. Bots are excluded, since two bots could answer
    each other for ever."""
    is_person = message.from_user is not None and not message.from_user.is_bot
    return is_person and reading.is_private(message.chat)
