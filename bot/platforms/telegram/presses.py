"""Button presses. A button's data holds an action and the id of a job or proposal; permissions are
checked against the stored rows.

Apps show a spinner on a pressed button until the bot answers the press. That answer may be an
alert, which only the person who pressed sees; so errors are shown in alerts.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import chain

from aiogram.types import CallbackQuery, InaccessibleMessage, InlineKeyboardMarkup, Message

from bot import i18n
from bot.core import presses, replies
from bot.core.answers import Asked, Removed, Shown, Sure, TextAnswer, Turned
from bot.core.entry import shown
from bot.core.errors import BotError, MaybeSent, Refused, Temporary, Unchanged
from bot.core.jobs import Job
from bot.core.orders import Address, Call, Order, Person
from bot.core.presses import Press
from bot.core.prompts import shortened
from bot.core.replies import Action, Text
from bot.core.service import Actor
from bot.core.updates import Update
from bot.core.wishes import Wish
from bot.log import get_logger
from bot.platforms.telegram import messages, proposals, reading, rights
from bot.platforms.telegram.inbox import may_heal
from bot.platforms.telegram.intake import Intake
from bot.platforms.telegram.line import CALL
from bot.platforms.telegram.messages import Rendered
from bot.platforms.telegram.pace import Turn
from bot.platforms.telegram.reading import NAME
from bot.platforms.telegram.videos import caption

MOST_ALERT = 200
OF_NO_JOB = frozenset({Action.OWNER, Action.LIST, Action.SETTING})
"""Actions whose subject is not a job."""

TURNING = frozenset(
    {Action.CONFIRM, Action.LIST, Action.OPEN, Action.SETTING, Action.STOP, "go", "drop", "keep"}
)
"""Actions that delete or replace the message with the button."""

log = get_logger()

Later = Callable[[], Awaitable[object]]
Done = Later | Text | None
"""The text of an alert; or a slow action that runs after the press was answered."""
Act = Callable[[CallbackQuery, str], Awaitable[Done]]


class Presses:
    """Handles button presses."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._own: Mapping[str, Act] = {
            messages.KEEP: self._keep,
            "try": self._try,
            "go": self._go,
            "drop": self._drop,
        }

    async def hear(self, query: CallbackQuery, update: Update) -> None:
        """Carry out a press and answer it. Raises the errors after which it must be retried."""
        try:
            done = await self._do(query)
        except Exception as problem:  # the callers can't send an answer
            if may_heal(problem, update):
                await self._rest(query, "")
                raise
            if update.attempts:
                await self._tell(query, problem)
            else:
                # An alert shows no entities, only the text inside them.
                await self._rest(query, _refusal(query, problem).text)
            return
        if isinstance(done, Text):
            await self._rest(query, i18n.say(done, reading.locale_of(query.from_user)))
            return
        await self._rest(query, "")
        if done is not None:
            await self._finish(query, update, done)

    async def excuse(self, query: CallbackQuery) -> None:
        """Tell the person in an alert that the press waits."""
        text = Text(id="telegram.waits")
        await self._rest(query, i18n.say(text, reading.locale_of(query.from_user)))

    async def _do(self, query: CallbackQuery) -> Done:
        carried = query.data or ""
        found = presses.CODE.fullmatch(carried)
        if found is None or query.message is None:
            raise Refused("button_unknown")
        act, about = found["act"], found["about"]
        if (act in TURNING or act.startswith(("menu", "pick"))) and not _stands_under(query):
            raise Refused("button_unknown")
        if act in self._own:
            return await self._own[act](query, about)
        if act.startswith(("menu", "pick")):
            await self._choose(query, about, act[4:], found["value"])
            return None
        return await self._press(query, presses.read(carried))

    async def _finish(self, query: CallbackQuery, update: Update, later: Later) -> None:
        """Run the slow part after the press was answered. If it fails and the error message can't
        be sent either, that message is not retried."""
        try:
            with _sent_once():
                await later()
        except Exception as problem:  # the callers can't send an answer, as above
            if may_heal(problem, update):
                raise
            with suppress(Temporary):
                await self._tell(query, problem)

    async def _tell(self, query: CallbackQuery, problem: Exception) -> None:
        """Reply to the button's message with the error. It is too late for an alert: the press has
        been answered."""
        if query.message is None:
            return
        channel, number = _address(query).channel, query.message.message_id
        try:
            rendered = _refusal(query, problem)
            await self._intake.line.say(channel, rendered, reply_to=number)
        except Refused as refused:
            log.info("telegram.press_unanswered", code=refused.code)

    async def _rest(self, query: CallbackQuery, alert: str) -> None:
        """Answer the press, with an alert unless the text is empty. Errors are only logged: when a
        press is too old to be answered, apps have stopped the spinner by themselves."""
        try:
            text, line = shortened(alert, MOST_ALERT) or None, self._intake.line
            answer = line.bot.answer_callback_query(
                query.id, text=text, show_alert=bool(alert), request_timeout=CALL
            )
            await line.ask(query.from_user.id, answer)
        except BotError as error:
            log.info("telegram.press_unanswered", code=error.code)

    # --- jobs ----------------------------------------------------------------------------------

    async def _press(self, query: CallbackQuery, pressed: Press) -> Done:
        intake, locale = self._intake, reading.locale_of(query.from_user)
        videos, chat = intake.platform.videos, _message(query).chat.id
        of_no_job = pressed.action in OF_NO_JOB
        call = await self._call(query, None if of_no_job else pressed.about)
        moderates = partial(rights.moderates, intake.line, call.person, chat=chat)
        answer = await presses.press(intake.entry, call, pressed, moderates=moderates)
        match answer:
            case Asked(job, action, question):
                order = await intake.service.varied(job.id, action, call)
                await intake.ask_words(order, question, reply_to=_message(query).message_id)
            case Turned(reply):
                alone = call.address.community is None
                await self._turn(query, messages.listing(reply, locale, alone=alone))
            case Sure(job):
                await self._turn_keys(query, messages.sure(job.id, locale, back=_back(query, job)))
            case Removed(reply):
                await self._gone(query)
                return reply.text
            case Shown(job, as_original=True):
                return partial(videos.show_file, _address(query, job).channel, job)
            case Shown(job):
                return partial(videos.show, str(query.from_user.id), job)
            case TextAnswer(reply):  # to an owner, whose notices are in a private chat
                person, rendered = str(query.from_user.id), messages.notice(reply, locale)
                return partial(
                    intake.line.say, person, rendered, reply_to=_message(query).message_id
                )
        return None  # the job's row updates the card

    async def _call(self, query: CallbackQuery, job_id: str | None = None) -> Call:
        """Return the call of a press."""
        job = await self._intake.service.job(job_id) if job_id else None
        return Call(
            event_id=f"press:{query.id}",
            address=_address(query, job),
            person=await self._face(query, job) if job else reading.person(query.from_user),
            locale=reading.locale_of(query.from_user),
        )

    async def _face(self, query: CallbackQuery, job: Job) -> Person:
        person, chat = reading.person(query.from_user), _message(query).chat.id
        return await rights.face(self._intake.line, person, job, chat=chat)

    async def _keep(self, query: CallbackQuery, job_id: str) -> None:
        """Restore the buttons that the message had before *Delete* was pressed."""
        job, message = await self._intake.service.job(job_id), _message(query)
        person = await self._face(query, job)
        own = person.id == job.order.call.person.id
        line, chat = self._intake.line, message.chat.id
        moderates = not own and await rights.moderates(line, person, job, chat=chat)
        actor = Actor(person=person, moderates=moderates)
        await self._intake.service.check_delete(job_id, actor)
        said = replies.result(job, ways=await self._intake.service.accounts.ways(job))
        locale = job.order.call.locale
        if isinstance(message, Message) and message.text:  # a text message, not a video
            keys = messages.keyboard(said.buttons, locale)
        else:
            keys = caption(job, said).keyboard
        await self._turn_keys(query, keys)

    # --- proposals -----------------------------------------------------------------------------

    async def _try(self, query: CallbackQuery, number: str) -> None:
        """Make a proposal from an example prompt."""
        if not number.isdecimal() or int(number) >= len(messages.EXAMPLES):
            raise Refused("button_unknown")
        call = await self._call(query)
        words = i18n.say(Text(id=messages.EXAMPLES[int(number)]), call.locale)
        order = Order(call=call, wish=Wish(prompt=words))
        await self._intake.propose(order)

    async def _choose(
        self, query: CallbackQuery, proposal_id: str, menu: str, value: str | None
    ) -> None:
        """Open a menu of a proposal, or apply the value chosen in it."""
        order = await self._proposed(query, proposal_id)
        without: list[str] = []
        if value is not None:
            catalog = (await self._intake.service.accounts.terms(order.call.address)).catalog
            wanted = proposals.chosen(catalog, order, menu, value)
            order = proposals.possible(catalog, wanted)
            without = proposals.given_up(wanted, order)
            await self._intake.proposals.put(proposal_id, order, now=self._intake.clock.now())
        opened = menu if value is None and menu in proposals.MENUS else None
        rendered = await self._intake.rendered_proposal(
            order, proposal_id, menu=opened, without=without
        )
        await self._turn(query, rendered)

    async def _proposed(self, query: CallbackQuery, proposal_id: str) -> Order:
        order = await self._intake.proposals.get(proposal_id)
        if order is None or order.call.person.id != str(query.from_user.id):
            raise Refused("proposal_gone")
        return order

    async def _go(self, query: CallbackQuery, proposal_id: str) -> None:
        order = await self._proposed(query, proposal_id)
        # The prefix of earlier versions: a press handled before and after an upgrade orders once.
        call = replace(order.call, event_id=f"draft:{proposal_id}")
        await self._intake.service.submit(replace(order, call=call))
        await self._gone(query)

    async def _drop(self, query: CallbackQuery, proposal_id: str) -> None:
        await self._proposed(query, proposal_id)
        await self._intake.proposals.drop(proposal_id)
        await self._gone(query)

    # --- the message that was pressed ----------------------------------------------------------

    async def _turn(self, query: CallbackQuery, rendered: Rendered) -> None:
        """Replace the content of the button's message."""
        chat, number, line = _message(query).chat.id, _message(query).message_id, self._intake.line
        if not line.is_shown(chat, number, rendered):
            await line.pace.turn(chat, Turn.ANSWER)
            await line.edit(chat, number, rendered)

    async def _gone(self, query: CallbackQuery) -> None:
        """Delete the button's message, or remove its buttons if it can't be deleted."""
        chat, number, line = _message(query).chat.id, _message(query).message_id, self._intake.line
        try:
            await line.ask(chat, line.bot.delete_message(chat, number))
        except Refused:
            with suppress(Refused):
                await self._keys(query, None)

    async def _turn_keys(self, query: CallbackQuery, keys: InlineKeyboardMarkup | None) -> None:
        try:
            await self._keys(query, keys)
        except Unchanged:
            pass  # pressed twice
        except Refused:
            raise Refused("button_unknown") from None

    async def _keys(self, query: CallbackQuery, keys: InlineKeyboardMarkup | None) -> None:
        chat, number, line = _message(query).chat.id, _message(query).message_id, self._intake.line
        line.forget(chat, number)
        await line.pace.turn(chat, Turn.ANSWER)
        edit = line.bot.edit_message_reply_markup(
            chat_id=chat, message_id=number, reply_markup=keys, request_timeout=CALL
        )
        await line.ask(chat, edit)


@contextmanager
def _sent_once() -> Iterator[None]:
    """Prevent the retry of a send whose outcome is unknown, by raising `MaybeSent`. The person sees
    whether the video came."""
    try:
        yield
    except Temporary as error:
        if error.unsent:
            raise
        raise MaybeSent() from error
    except Refused as refused:
        log.warning("telegram.not_shown", code=refused.code)
        raise Refused("video_unsendable") from refused


def _refusal(query: CallbackQuery, problem: Exception) -> Rendered:
    said = replies.error(shown(problem, platform=NAME))
    return messages.notice(said, reading.locale_of(query.from_user))


def _back(query: CallbackQuery, job: Job) -> tuple[str, ...]:
    """Return the data of the button that goes back from *Delete*: to an entry of a list, or to the
    video's own buttons."""
    keys = query.message.reply_markup if isinstance(query.message, Message) else None
    for each in chain(*keys.inline_keyboard) if keys else ():
        found = presses.CODE.fullmatch(each.callback_data or "")
        if found is not None and found["act"] == Action.LIST:
            return (Action.OPEN, job.id, found["value"] or "0")
    return (messages.KEEP, job.id)


def _stands_under(query: CallbackQuery) -> bool:
    """Whether the message has the pressed button. A modified app can send any data for any message.

    True if Telegram doesn't show the message.
    """
    message = query.message
    if not isinstance(message, Message):
        return True
    rows = message.reply_markup.inline_keyboard if message.reply_markup else []
    return any(key.callback_data == query.data for row in rows for key in row)


def _message(query: CallbackQuery) -> Message | InaccessibleMessage:
    """Return the button's message; of an old message, Telegram tells only the chat and the id.

    Raises `Refused` if there is none.
    """
    if query.message is None:
        raise Refused("button_unknown")
    return query.message


def _address(query: CallbackQuery, job: Job | None = None) -> Address:
    """Return the address of the answer: the chat and topic of the button's message, not a reply.

    Telegram doesn't tell the topic of an old message; then the topic is the job's.
    """
    message = _message(query)
    chat = str(message.chat.id)
    if isinstance(message, Message):
        channel = reading.channel_of(message)
    elif job is not None and job.order.call.address.channel.partition("/")[0] == chat:
        channel = job.order.call.address.channel
    else:
        channel = chat
    return Address(
        platform=NAME, channel=channel, community=None if reading.is_private(message.chat) else chat
    )
