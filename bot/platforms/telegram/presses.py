"""Buttons: each carries what to do and about which job or draft; who may is decided by the rows.

A button spins until it is answered; what stands in the way is shown to the person who pressed, and
to nobody else, as long as it spins.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from aiogram.types import CallbackQuery, InaccessibleMessage, InlineKeyboardMarkup, Message

from bot import i18n
from bot.core import replies, variations
from bot.core.errors import BotError, Refused, Temporary
from bot.core.jobs import Job, Status
from bot.core.orders import Address, Call, Order, Person
from bot.core.replies import Action, Text
from bot.core.service import Actor
from bot.core.updates import Update
from bot.core.wishes import Wish
from bot.log import get_logger
from bot.platforms.telegram import drafts, films, messages, reading, rights
from bot.platforms.telegram.inbox import may_heal
from bot.platforms.telegram.intake import Intake, told
from bot.platforms.telegram.line import CALL
from bot.platforms.telegram.pace import Turn
from bot.platforms.telegram.reading import NAME

MOST_ALERT = 200
AGAIN = (Action.RETRY, Action.FINER, Action.SHORTER, Action.TRY_ON)
WITH_WORDS = (Action.REMIX, Action.EDIT, Action.CONTINUE)
"""The buttons that make another video, at once or with words of their own."""

log = get_logger()

Later = Callable[[], Awaitable[None]]
Act = Callable[[CallbackQuery, str], Awaitable[Later | Text | None]]
"""Does it; what is handed back is said in an alert, or takes longer than a button may spin and is
done when it rests."""


class Presses:
    """Does what a button says."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._acts: dict[str, Act] = {
            Action.CANCEL: self._cancel,
            Action.DONT_POST: self._silence,
            **{each: partial(self._again, each) for each in AGAIN},
            **{each: partial(self._ask_words, each) for each in WITH_WORDS},
            Action.DELETE: self._delete,
            Action.OWNER: self._decide,
            messages.CONFIRM: self._confirm,
            messages.KEEP: self._keep,
            "try": self._try,
            "show": self._show,
            "file": self._file,
            "go": self._go,
            "drop": self._drop,
        }

    async def hear(self, query: CallbackQuery, update: Update) -> None:
        """Do it, and let the button rest. Raises what has to be tried again."""
        try:
            done = await self._do(query)
        except Exception as problem:  # the rim: nobody above could tell them
            if may_heal(problem, update):
                await self._rest(query, "")
                raise
            refuse = self._tell if update.attempts else self._alert
            await refuse(query, problem)
            return
        if isinstance(done, Text):
            await self._rest(query, i18n.say(done, reading.locale_of(query.from_user)))
            return
        await self._rest(query, "")
        if done is not None:
            await self._finish(query, update, done)

    async def excuse(self, query: CallbackQuery) -> None:
        """Tell its person that it waits."""
        text = Text(id="telegram.waits")
        await self._rest(query, i18n.say(text, reading.locale_of(query.from_user)))

    async def _do(self, query: CallbackQuery) -> Later | Text | None:
        found = _carried(query)
        if query.message is None:
            raise Refused("button_unknown")
        act, about, value = found["act"], found["about"], found["value"]
        if act.startswith(("menu", "pick")):
            await self._choose(query, about, act[4:], value)
            return None
        if act not in self._acts:
            raise Refused("button_unknown")
        return await self._acts[act](query, about)

    async def _finish(self, query: CallbackQuery, update: Update, later: Later) -> None:
        """Do the slow part, once the button rests. Nothing is sent again to say what went wrong:
        the words may get lost."""
        try:
            with _sent_once():
                await later()
        except Exception as problem:  # the rim, as above
            if may_heal(problem, update):
                raise
            with suppress(Temporary):
                await self._tell(query, problem)

    async def _alert(self, query: CallbackQuery, problem: Exception) -> None:
        # An alert shows no entities: of a time the words inside are what stands there.
        look = messages.notice(replies.error(told(problem)), reading.locale_of(query.from_user))
        await self._rest(query, look.text)

    async def _tell(self, query: CallbackQuery, problem: Exception) -> None:
        """In words, where the button stands: once it rests it is too late for an alert."""
        if query.message is None:
            return
        look = messages.notice(replies.error(told(problem)), reading.locale_of(query.from_user))
        channel, number = _address(query).channel, query.message.message_id
        try:
            await self._intake.line.say(channel, look, reply_to=number)
        except Refused as refused:
            log.info("telegram.press_unanswered", code=refused.code)

    async def _rest(self, query: CallbackQuery, alert: str) -> None:
        """Stop the spinning; whoever is too late has seen it stop already."""
        try:
            await self._intake.line.ask(
                query.from_user.id,
                self._intake.line.bot.answer_callback_query(
                    query.id,
                    text=alert[:MOST_ALERT] or None,
                    show_alert=bool(alert),
                    request_timeout=CALL,
                ),
            )
        except BotError as error:
            log.info("telegram.press_unanswered", code=error.code)

    # --- jobs ----------------------------------------------------------------------------------

    async def _cancel(self, query: CallbackQuery, job_id: str) -> None:
        actor = await self._actor(query, job_id)
        await self._intake.service.cancel(job_id, actor)

    async def _silence(self, query: CallbackQuery, job_id: str) -> None:
        actor = await self._actor(query, job_id)
        await self._intake.service.silence(job_id, actor)

    async def _again(self, action: Action, query: CallbackQuery, job_id: str) -> None:
        call = await self._call(query, job_id)
        value = _carried(query)["value"]
        await self._intake.service.again(job_id, action, call, value=value)

    async def _call(self, query: CallbackQuery, job_id: str) -> Call:
        """The call that this button makes."""
        job = await self._intake.service.job(job_id)
        person = await self._face(query, job)
        return Call(
            event_id=f"press:{query.id}",
            address=_address(query, job),
            person=person,
            locale=reading.locale_of(query.from_user),
        )

    async def _ask_words(self, action: Action, query: CallbackQuery, job_id: str) -> None:
        call = await self._call(query, job_id)
        order = await self._intake.service.varied(job_id, action, call)
        question = "ask.continue" if action is Action.CONTINUE else "ask.remix"
        await self._intake.ask_words(order, question, reply_to=_message(query).message_id)

    async def _decide(self, query: CallbackQuery, subject: str) -> Later:
        """An owner's button. The answer is theirs: notices stand in private chats."""
        person, wish = reading.person(query.from_user), _carried(query)["value"]
        said = await self._intake.service.decide(NAME, person, subject, wish)
        look = messages.notice(said, reading.locale_of(query.from_user))
        number = _message(query).message_id
        return partial(self._answer, str(query.from_user.id), look, number)

    async def _answer(self, channel: str, look: messages.Look, reply_to: int) -> None:
        await self._intake.line.say(channel, look, reply_to=reply_to)

    async def _delete(self, query: CallbackQuery, job_id: str) -> Text | None:
        """Ask once more; of what is gone already a copy may still stand here."""
        job, actor = await self._intake.service.job(job_id), await self._actor(query, job_id)
        if job.status is Status.DELIVERED and not job.has_result:
            return await self._confirm(query, job_id)
        await self._intake.service.check_delete(job_id, actor)
        await self._turn_keys(query, messages.sure(job_id, reading.locale_of(query.from_user)))
        return None

    async def _confirm(self, query: CallbackQuery, job_id: str) -> Text:
        """The copy that the button stands under goes too: only the first message is in our rows."""
        before, actor = await self._intake.service.job(job_id), await self._actor(query, job_id)
        await self._intake.service.delete(job_id, actor)
        await self._gone(query)
        return Text(id="delete.done" if before.has_result else "delete.gone")

    async def _keep(self, query: CallbackQuery, job_id: str) -> None:
        """The buttons as they were before *Delete*."""
        job, message = await self._intake.service.job(job_id), _message(query)
        await self._intake.service.check_delete(job_id, await self._actor(query, job_id))
        said = replies.result(job, ways=await self._intake.service.ways(job))
        locale = job.order.call.locale
        if isinstance(message, Message) and message.text:  # a link, or words
            keys = messages.keyboard(said.buttons, locale)
        else:
            keys = films.caption(job, said).keyboard
        await self._turn_keys(query, keys)

    async def _turn_keys(self, query: CallbackQuery, keys: InlineKeyboardMarkup | None) -> None:
        try:
            await self._keys(query, keys)
        except Refused as refused:
            if refused.code != "unchanged":  # pressed twice
                raise Refused("button_unknown") from None

    async def _show(self, query: CallbackQuery, job_id: str) -> Later:
        job = await self._own(query, job_id)
        return partial(self._intake.platform.films.show, str(query.from_user.id), job)

    async def _file(self, query: CallbackQuery, job_id: str) -> Later:
        job = await self._own(query, job_id)
        return partial(self._intake.platform.films.show_file, _address(query, job).channel, job)

    async def _own(self, query: CallbackQuery, job_id: str) -> Job:
        job = await self._intake.service.job(job_id)
        if job.order.call.person.id != (await self._face(query, job)).id:
            raise Refused("not_yours")
        if job.video is None:
            raise variations.video_gone(job)
        return job

    async def _actor(self, query: CallbackQuery, job_id: str) -> Actor:
        job = await self._intake.service.job(job_id)
        person, chat = await self._face(query, job), _message(query).chat.id
        return await rights.actor(self._intake.line, person, job, chat=chat)

    async def _face(self, query: CallbackQuery, job: Job) -> Person:
        person, chat = reading.person(query.from_user), _message(query).chat.id
        return await rights.face(self._intake.line, person, job, chat=chat)

    # --- drafts --------------------------------------------------------------------------------

    async def _try(self, query: CallbackQuery, number: str) -> None:
        """Make a draft of an example."""
        if not number.isdecimal() or int(number) >= len(messages.EXAMPLES):
            raise Refused("button_unknown")
        locale = reading.locale_of(query.from_user)
        call = Call(
            event_id=f"press:{query.id}",
            address=_address(query),
            person=reading.person(query.from_user),
            locale=locale,
        )
        words = i18n.say(Text(id=messages.EXAMPLES[int(number)]), locale)
        order = Order(call=call, wish=Wish(prompt=words))
        await self._intake.draft(order)

    async def _choose(
        self, query: CallbackQuery, draft_id: str, menu: str, value: str | None
    ) -> None:
        """Open a menu, or choose from it."""
        order = await self._intake.drafts.get(draft_id)
        if order is None or order.call.person.id != str(query.from_user.id):
            raise Refused("draft_gone")
        without: list[str] = []
        if value is not None:
            catalog = (await self._intake.service.terms(order.call.address)).catalog
            wanted = drafts.chosen(catalog, order, menu, value)
            order = drafts.possible(catalog, wanted)
            without = drafts.given_up(wanted, order)
            await self._intake.drafts.put(draft_id, order, now=self._intake.clock.now())
        opened = menu if value is None and menu in drafts.MENUS else None
        look = await self._intake.draft_look(order, draft_id, menu=opened, without=without)
        chat, number = _message(query).chat.id, _message(query).message_id
        if self._intake.line.is_shown(chat, number, look):
            return
        await self._intake.line.pace.turn(chat, Turn.ANSWER)
        await self._intake.line.edit(chat, number, look)

    async def _go(self, query: CallbackQuery, draft_id: str) -> None:
        order = await self._intake.drafts.get(draft_id)
        if order is None or order.call.person.id != str(query.from_user.id):
            raise Refused("draft_gone")
        call = replace(order.call, event_id=f"draft:{draft_id}")
        await self._intake.service.submit(replace(order, call=call))
        await self._gone(query)

    async def _drop(self, query: CallbackQuery, draft_id: str) -> None:
        order = await self._intake.drafts.get(draft_id)
        if order is None or order.call.person.id != str(query.from_user.id):
            raise Refused("draft_gone")
        await self._intake.drafts.drop(draft_id)
        await self._gone(query)

    async def _gone(self, query: CallbackQuery) -> None:
        """The message has done its duty; where it can't be deleted it loses its buttons."""
        message = _message(query)
        line = self._intake.line
        try:
            await line.ask(
                message.chat.id, line.bot.delete_message(message.chat.id, message.message_id)
            )
        except Refused:
            with suppress(Refused):
                await self._keys(query, None)

    async def _keys(self, query: CallbackQuery, keys: InlineKeyboardMarkup | None) -> None:
        message = _message(query)
        line = self._intake.line
        line.forget(message.chat.id, message.message_id)
        await line.pace.turn(message.chat.id, Turn.ANSWER)
        await line.ask(
            message.chat.id,
            line.bot.edit_message_reply_markup(
                chat_id=message.chat.id,
                message_id=message.message_id,
                reply_markup=keys,
                request_timeout=CALL,
            ),
        )


@contextmanager
def _sent_once() -> Iterator[None]:
    """A send of unknown end is not repeated by itself: its person sees whether it came."""
    try:
        yield
    except Temporary as error:
        if error.unsent:
            raise
        raise Refused("maybe_sent") from error
    except Refused as refused:
        log.warning("telegram.not_shown", code=refused.code)
        raise Refused("video_unsendable") from refused


def _carried(query: CallbackQuery) -> re.Match[str]:
    found = messages.CALLBACK.fullmatch(query.data or "")
    if found is None:
        raise Refused("button_unknown")
    return found


def _message(query: CallbackQuery) -> Message | InaccessibleMessage:
    """Where the button stands. Of what is too old Telegram tells only the chat and the number."""
    if query.message is None:
        raise Refused("button_unknown")
    return query.message


def _address(query: CallbackQuery, job: Job | None = None) -> Address:
    """Where the answer belongs: where the button stands, in reply to nothing.

    Of what is too old Telegram does not tell the topic: it is the one of its job.
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
        platform=NAME,
        channel=channel,
        community=None if reading.is_private(message.chat) else chat,
    )
