"""Handle what people do in the room: write messages, press buttons, run commands.

The core's common entry decides. A message with a command becomes an order, answered by a card. A
repeated frame finds the message of the first one. A refusal is shown only to the person.
"""

import asyncio
import errno

from bot import i18n
from bot.core import commands, failures, presses, replies
from bot.core.answers import Answer, Asked, Changed, Removed, Shown, Sure, Taken, TextAnswer, Turned
from bot.core.entry import Entry, shown
from bot.core.errors import (
    BotError,
    DatabaseFull,
    MovesAlready,
    NoPicture,
    PromptMissing,
    Refused,
)
from bot.core.handed import beside, parted
from bot.core.jobs import Job
from bot.core.orders import Call, Clip, Given, Order, Picture, Sound
from bot.core.posts import PostKind
from bot.core.prompts import clean
from bot.core.replies import Action, Reply
from bot.core.wishes import Use, wish_of
from bot.log import get_logger
from bot.platforms.playground import frames, messages
from bot.platforms.playground.client import NAME, PlaygroundPlatform, address
from bot.platforms.playground.frames import Ask, Frame, Proposal, Say
from bot.platforms.playground.messages import PERSONAS, Json
from bot.platforms.playground.room import Message

log = get_logger()


class RoomCommands:
    """Handles the page's WebSocket frames. Await `finish` before the store is closed."""

    def __init__(
        self, platform: PlaygroundPlatform, *, entry: Entry, note: str = "", currency: str = "USD"
    ) -> None:
        self._platform = platform
        self._entry = entry
        self._service = entry.service
        self._posts = entry.listings.posts
        self._note = note
        self._currency = currency
        self._under_way: set[asyncio.Task[Json]] = set()

    async def hear(self, frame: Frame, locale: str) -> Json:
        """Handle a WebSocket frame, even if the page closes. Return what the person is shown."""
        task = asyncio.create_task(self._heard(frame, locale))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for the WebSocket frames that are still handled, although their page has closed."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def furniture(self, locale: str) -> Json:
        """Return what a page needs besides messages: texts, commands and the catalog."""
        catalog = (await self._service.accounts.terms(address())).catalog
        return messages.furniture(catalog, locale) | {"note": self._note}

    async def quote(self, proposal: Proposal, locale: str) -> str:
        """Describe the video that these choices make, with its price; "" if there is none."""
        person = PERSONAS[proposal.person].person
        call = Call(event_id="draft", address=address(), person=person, locale=locale)
        try:
            catalog = (await self._service.accounts.terms(address())).catalog
            order = Order(
                call=call,
                wish=wish_of("…", **proposal.wish),
                pictures=(Picture(source="", filename="", size=0),) * proposal.pictures,
                video=Clip(source="", filename="", size=0) if proposal.videos else None,
                sound=Sound(source="", filename="", size=0) if proposal.sounds else None,
            )
            liked, _ = await self._service.preferring.filled(order, catalog)
            _, request = catalog.choose(liked)
        except BotError:
            return ""
        facts = [replies.request_fact(request)]
        if cost := catalog.cost(request, self._currency):
            facts.append(replies.cost_fact(request, cost))
        return " · ".join(i18n.say(fact, locale) for fact in facts)

    async def _heard(self, frame: Frame, locale: str) -> Json:
        try:
            match frame:
                case Say():
                    return await self._say(frame, locale)
                case Ask():
                    call = _call(frame, locale)
                    answer = await commands.run(self._entry, call, frame.command, frame.given)
                    return await self._answered(answer, call)
                case frames.Press():
                    return await self._press(frame, _call(frame, locale))
        except Exception as problem:  # noqa: BLE001 - the callers can't answer
            return _notice(replies.error(_error_of(problem)), locale)

    # --- messages ------------------------------------------------------------------------------

    async def _say(self, frame: Say, locale: str) -> Json:
        """Post a person's message and submit its order. If that is refused, remove the message; the
        page gives the person the text back."""
        message = self._platform.room.said(_nonce(frame))
        try:
            message = message or await self._said(frame)
            if frame.command is not None:
                order = await self._order(frame, message, locale)
                await self._take(await self._service.submit(order))
        except Refused as refused:
            if message is not None:
                await self._platform.take_back(message)
            return _notice(replies.error(refused), locale, returned=True)
        return {}

    async def _said(self, frame: Say) -> Message:
        """Post a person's message. Raises `Refused` for missing files or an empty message."""
        files = self._platform.files
        pictures = [files.taken(each) for each in frame.pictures]
        sound = files.taken(frame.sound, "sound_gone") if frame.sound else None
        clip = files.taken(frame.video, "clip_gone") if frame.video else None
        target = self._platform.room.get(frame.reply_to)
        shown = pictures or (target.pictures if target else ())
        if frame.command == "animate" and not shown:
            raise NoPicture()
        text, own = _readable(frame.text), [*pictures, *filter(None, (clip, sound))]
        is_asked = frame.command is not None and bool(shown or target)
        if not text and not own and not is_asked:
            raise PromptMissing()
        for given in own:
            files.sent(given.name)
        first, last, *more = [*pictures, None, None]
        return await self._platform.room.post(
            author=frame.person,
            nonce=_nonce(frame),
            text=text,
            command=frame.command,
            reply_to=target.id if target else None,
            picture=first,
            last_picture=last,
            more=tuple(filter(None, more)),
            clip=clip,
            sound=sound,
        )

    async def _order(self, frame: Say, message: Message, locale: str) -> Order:
        wish = wish_of(message.text, **frame.wish)
        if frame.command is not None:
            wish = commands.COMMANDS[frame.command].wish(wish)
        call = _call(frame, locale, message.id)
        given = await self._handed_in(message, call, use=wish.use)
        pictures, video, sound = parted(given)
        return Order(call=call, wish=wish, pictures=pictures, video=video, sound=sound)

    async def _handed_in(self, message: Message, call: Call, *, use: Use | None) -> list[Given]:
        """Return the files of the message replied to, then those of the message itself.

        A video is used only if the order names a use of its files.
        """
        own = _files_of(message, use)
        target = self._platform.room.get(message.reply_to)
        if target is None:
            return own
        with beside(own):
            if not (target.video or target.original):
                return [*_files_of(target, use), *own]
            job_id = (target.look or {}).get("job")
            if use is None or job_id is None:
                raise MovesAlready()
            return [await self._service.clip_of(job_id, call), *own]

    async def _take(self, job: Job) -> None:
        """Answer with the card. If that fails, the card's row posts it later."""
        try:
            post = await self._posts.get(job.id, PostKind.CARD)
            if post is None or post.message_id:
                return
            reply = await self._entry.listings.cards.at_hand(job)
            stands = await self._platform.send(post, job, reply, video=None)
            await self._service.answered(self._posts, job, *stands)
        except Exception as error:  # noqa: BLE001 - the card's row posts it later
            failures.record("playground.card_unrecorded", error, job=job.id)

    # --- button presses and answers ------------------------------------------------------------

    async def _press(self, frame: frames.Press, call: Call) -> Json:
        async def moderates(_: Job) -> bool:
            return PERSONAS[frame.person].moderates

        press = presses.Press(
            action=frame.action, about=frame.about, value=frame.value, words=frame.words
        )
        answer = await presses.press(self._entry, call, press, moderates=moderates)
        if isinstance(answer, Removed):
            await self._platform.remove_copies(frame.about)
        at = "relative" if frame.action is Action.OWNER else "soon"
        return await self._answered(answer, call, at=at)

    async def _answered(self, answer: Answer, call: Call, *, at: str = "soon") -> Json:
        """Show an answer in the room, or return what only this person is shown."""
        match answer:
            case Taken(job):
                await self._take(job)
            case Changed(job):
                await self._redraw(job)
            case TextAnswer(reply) | Turned(reply) | Removed(reply):
                jump = self._platform.link_to(reply.jump) if reply.jump else None
                turned = not isinstance(answer, TextAnswer)
                return _notice(reply, call.locale, jump=jump, at=at, turned=turned)
            case Asked() | Sure():
                return {"form": messages.form(answer, call.locale)}
            case Shown(job, alone=alone):
                reply = replies.result(job, ways=await self._service.accounts.ways(job))
                only = call.person.id if alone else None
                await self._platform.show(job, reply, nonce=call.event_id, only=only)
        return {}

    async def _redraw(self, job: Job) -> None:
        """Edit the card at once after a button press; its row would edit it later anyway."""
        post = await self._posts.get(job.id, PostKind.CARD)
        if post is not None and post.message_id:
            try:
                card = await self._entry.listings.cards.at_hand(job)
                await self._platform.edit(post, job, card)
            except Refused as refused:
                log.info("playground.card_gone", job=job.id, code=refused.code)


def _files_of(message: Message, use: Use | None) -> list[Given]:
    if message.clip is not None and use is None:
        raise MovesAlready()
    pictures = [
        Picture(
            source=each.name,
            filename=each.filename,
            size=each.size,
            width=each.width,
            height=each.height,
            author=message.author,
        )
        for each in message.pictures
    ]
    moving = [
        Clip(source=each.name, filename=each.filename, size=each.size, author=message.author)
        for each in filter(None, [message.clip])
    ]
    sounds = [
        Sound(source=each.name, filename=each.filename, size=each.size, author=message.author)
        for each in filter(None, [message.sound])
    ]
    return [*pictures, *moving, *sounds]


def _readable(text: str) -> str:
    """Return the text without invisible characters and those that change the writing direction."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


def _nonce(frame: Frame) -> str:
    return f"{frame.person}:{frame.nonce}"


def _call(frame: Frame, locale: str, message: str | None = None) -> Call:
    person = PERSONAS[frame.person].person
    return Call(event_id=_nonce(frame), address=address(message), person=person, locale=locale)


def _notice(
    reply: Reply,
    locale: str,
    *,
    jump: str | None = None,
    at: str = "soon",
    turned: bool = False,
    returned: bool = False,
) -> Json:
    """Return a notice for the page.

    `turned`: it replaces the notice whose button was pressed. `returned`: the page gives the person
    the refused message's text back.
    """
    drawn = messages.notice(reply, locale, jump=jump, at=at)
    return {"notice": drawn | {"turned": turned, "returned": returned}}


def _error_of(problem: Exception) -> BotError:
    """Return the error whose sentence the person is shown."""
    match problem:
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG):  # the room's own history
            return DatabaseFull()
        case _:
            return shown(problem, platform=NAME)
