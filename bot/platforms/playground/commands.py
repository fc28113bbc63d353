"""People's acts in the room: say, press, ask. Nothing is decided here.

A wish under a command is a message like any other, answered by a card; a repeated frame finds the
message of the first. A refusal is told to its person alone.
"""

import asyncio
import errno

from bot import i18n
from bot.core import cards, replies
from bot.core.door import Door
from bot.core.errors import (
    BotError,
    Broken,
    DatabaseFull,
    MovesAlready,
    NoPicture,
    Refused,
    Temporary,
    Unwritten,
)
from bot.core.handed import Given, beside, parted
from bot.core.jobs import Job
from bot.core.orders import Call, Order, Person, Picture, Sound
from bot.core.platforms import DirectMessage
from bot.core.posts import PostKind
from bot.core.prompts import clean
from bot.core.replies import Action, Reply, Text
from bot.core.service import Actor
from bot.core.wishes import wish_of
from bot.log import get_logger
from bot.platforms.playground import messages
from bot.platforms.playground.client import NAME, PlaygroundPlatform, address
from bot.platforms.playground.frames import Ask, Draft, Frame, Press, Query, Say
from bot.platforms.playground.messages import PERSONAS, Json
from bot.platforms.playground.room import Attachment, Message

log = get_logger()


class Commands:
    """Hears what the page sends; await `finish` before the store is closed."""

    def __init__(
        self,
        platform: PlaygroundPlatform,
        *,
        door: Door,
        note: str = "",
        currency: str = "USD",
    ) -> None:
        self._platform = platform
        self._door = door
        self._service = door.service
        self._posts = door.listings.posts
        self._note = note
        self._currency = currency
        self._under_way: set[asyncio.Task[Json | None]] = set()

    async def hear(self, frame: Frame, locale: str) -> Json | None:
        """Do it, to the end even if the page has gone; answers what that person is told."""
        task = asyncio.create_task(self._heard(frame, locale))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for what outlived its page."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def furniture(self, locale: str) -> Json:
        """A page's content before anything is said."""
        catalog = (await self._service.terms(address())).catalog
        return messages.furniture(catalog, locale) | {"note": self._note}

    async def quote(self, draft: Draft, locale: str) -> str:
        """The video that these choices come to, and its price; empty where none can be had."""
        ann = PERSONAS["ann"].person
        call = Call(event_id="draft", address=address(), person=ann, locale=locale)
        catalog = (await self._service.terms(address())).catalog
        try:
            order = Order(
                call=call,
                wish=wish_of("…", **draft.wish),
                pictures=(Picture(source="", filename="", size=0),) * draft.pictures,
                sound=Sound(source="", filename="", size=0) if draft.sounds else None,
            )
            liked, _ = await self._service.preferring.filled(order, catalog)
            _, request = catalog.choose(liked)
        except Refused:
            return ""
        facts = [replies.request_fact(request)]
        if cost := catalog.cost(request, self._currency):
            facts.append(replies.cost_fact(request, cost))
        return " · ".join(i18n.say(fact, locale) for fact in facts)

    async def _heard(self, frame: Frame, locale: str) -> Json | None:
        try:
            match frame:
                case Say():
                    return await self._say(frame, locale)
                case Press():
                    return await self._press(frame, locale)
                case Ask():
                    return await self._ask(frame, locale)
        except Exception as problem:  # noqa: BLE001 - the rim: nobody above could tell them
            return messages.notice(replies.error(_told(problem)), locale)

    # --- saying --------------------------------------------------------------------------------

    async def _say(self, frame: Say, locale: str) -> Json | None:
        """A refused message leaves the room; its person has the words back."""
        message = self._platform.room.said(_nonce(frame))
        try:
            message = message or await self._said(frame)
            if frame.command is not None:
                await self._take(await self._service.submit(self._order(frame, message, locale)))
        except Refused as refused:
            if message is not None:
                await self._platform.take_back(message)
            return messages.notice(replies.error(refused), locale) | {"returned": True}
        return None

    async def _said(self, frame: Say) -> Message:
        """The message in the room; what can't be one, or asks for nothing, is refused before."""
        picture = self._taken(frame.picture, "picture_gone")
        sound = self._taken(frame.sound, "sound_gone")
        target = self._platform.room.get(frame.reply_to)
        shown = picture or (target.picture if target else None)
        if frame.command == "animate" and shown is None:
            raise NoPicture()
        text = _readable(frame.text)
        if not text and not ((shown if frame.command else picture) or sound):
            raise Refused("prompt_missing")
        for given in (picture, sound):
            if given is not None:
                self._platform.files.sent(given.name)
        return await self._platform.room.post(
            author=frame.person,
            nonce=_nonce(frame),
            text=text,
            command=frame.command,
            reply_to=target.id if target else None,
            picture=picture,
            sound=sound,
        )

    def _taken(self, name: str | None, gone: str) -> Attachment | None:
        """The upload of this name. Raises `Refused` if it is no longer there."""
        if name is None:
            return None
        taken = self._platform.files.taken(name)
        if taken is None:
            raise Refused.of(gone)
        return taken

    def _order(self, frame: Say, message: Message, locale: str) -> Order:
        pictures, sound = parted(self._handed_in(message))
        call = Call(
            event_id=_nonce(frame),
            address=address(message.id),
            person=PERSONAS[frame.person].person,
            locale=locale,
        )
        wish = wish_of(message.text, **frame.wish)
        return Order(call=call, wish=wish, pictures=pictures, sound=sound)

    def _handed_in(self, message: Message) -> list[Given]:
        """The files of the message that it replies to, then its own."""
        own = _files_of(message)
        target = self._platform.room.get(message.reply_to)
        if target is None:
            return own
        with beside(own):
            if target.video or target.original:
                raise MovesAlready()
        return [*_files_of(target), *own]

    async def _take(self, job: Job) -> None:
        """Answer with the card. If that fails it is owed, and will be posted by its row."""
        try:
            post = await self._posts.get(job.id, PostKind.CARD)
            if post is None or post.message_id:
                return
            reply = await self._drawn(job)
            stands = await self._platform.send(post, job, reply, video=None)
            await self._posts.posted(job, *stands)
            await self._service.answered(job)
        except Exception:  # it was taken: the only thing to say now is its card
            log.exception("playground.card_unrecorded", job=job.id)

    # --- pressing ------------------------------------------------------------------------------

    async def _press(self, frame: Press, locale: str) -> Json | None:
        persona = PERSONAS[frame.person]
        actor = Actor(person=persona.person, moderates=persona.moderates)
        match frame.action:
            case Action.CANCEL:
                await self._redraw(await self._service.cancel(frame.job, actor))
            case Action.DONT_POST:
                await self._redraw(await self._service.silence(frame.job, actor))
            case Action.DELETE:
                await self._service.delete(frame.job, actor)
                return messages.notice(Reply(text=Text(id="delete.done")), locale)
            case Action.OWNER:
                said = await self._service.decide(NAME, persona.person, frame.job, frame.value)
                await self._platform.tell(
                    DirectMessage(person_id=persona.person.id, reply=said, nonce=_nonce(frame))
                )
            case _:
                await self._take(await self._again(frame, persona.person, locale))
        return None

    async def _again(self, frame: Press, person: Person, locale: str) -> Job:
        call = Call(event_id=_nonce(frame), address=address(), person=person, locale=locale)
        return await self._service.again(
            frame.job, frame.action, call, value=frame.value, prompt=frame.text
        )

    async def _redraw(self, job: Job) -> None:
        """Show at once what a button did; the card is owed an edit anyway."""
        post = await self._posts.get(job.id, PostKind.CARD)
        if post is not None and post.message_id:
            try:
                await self._platform.edit(post, job, await self._drawn(job))
            except Refused as refused:
                log.info("playground.card_gone", job=job.id, code=refused.code)

    async def _drawn(self, job: Job) -> Reply:
        try:
            return await self._door.listings.cards.card(job)
        except Exception as error:  # noqa: BLE001 - what is only nice to have is left out
            log.warning("playground.card_plain", job=job.id, error=type(error).__name__)
            return cards.card(job)

    # --- asking --------------------------------------------------------------------------------

    async def _ask(self, frame: Ask, locale: str) -> Json:
        items = await self._items(frame, locale)
        text = Text(id=f"ask.{frame.query}")
        if frame.query == "jobs" and not items:
            text = Text(id="ask.no_jobs")
        elif frame.query == "history" and not items:
            text = Text(id="ask.nothing")
        return messages.notice(Reply(text=text), locale, items=items)

    async def _items(self, frame: Ask, locale: str) -> list[Json]:
        query: Query = frame.query
        person = PERSONAS[frame.person].person
        terms = await self._service.terms(address())
        match query:
            case "jobs" | "history":
                recent = await self._door.listings.jobs.recent(NAME, person.id, most=25)
                open_only = query == "jobs"
                chosen = [job for job in recent if not (open_only and job.is_final)]
                return [
                    messages.job_item(job, await self._drawn(job), locale, shown=self._shown(job))
                    for job in chosen[:10]
                ]
            case "quota":
                left, usage = await self._service.left(address(), person)
                return messages.quota_items(left, usage, terms.limits, locale)
            case "models":
                return messages.model_items(terms.catalog, locale)
            case "help":
                return messages.command_items(locale)

    def _shown(self, job: Job) -> str | None:
        """Where the room tells of this job: its video, else its failure, else its card."""
        for kind in (PostKind.RESULT, PostKind.FAILURE, PostKind.CARD):
            message = self._platform.room.find(f"{kind}:{job.id}")
            if message is not None:
                return message.id
        return None


def _files_of(message: Message) -> list[Given]:
    files: list[Given] = []
    if (given := message.picture) is not None:
        files.append(
            Picture(
                source=given.name,
                filename=given.filename,
                size=given.size,
                width=given.width,
                height=given.height,
                author=message.author,
            )
        )
    if (given := message.sound) is not None:
        files.append(
            Sound(
                source=given.name, filename=given.filename, size=given.size, author=message.author
            )
        )
    return files


def _readable(text: str) -> str:
    """The visible text, line by line: nothing turns letters around."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


def _nonce(frame: Frame) -> str:
    return f"{frame.person}:{frame.nonce}"


def _told(problem: Exception) -> BotError:
    """The error whose sentence a person is told; what nobody foresaw is logged."""
    match problem:
        case Refused() | Unwritten():
            return problem
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG):  # the room's own history
            return DatabaseFull()
        case Temporary():
            return Temporary("busy")
        case _:
            log.error("playground.failed", error=type(problem).__name__, exc_info=problem)
            return Broken("internal")
