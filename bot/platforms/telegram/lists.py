"""Lists: models, what is left, earlier videos; and *Cancel* by command."""

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.core import replies
from bot.core.choosing import lengths, listed, switches
from bot.core.errors import Refused
from bot.core.jobs import ACTIVE, Job, Status
from bot.core.prompts import shortened
from bot.core.replies import Text
from bot.platforms.telegram import messages, reading, rights
from bot.platforms.telegram.intake import Intake

MOST_HISTORY = 10
MOST_TITLE = 40
"""Characters of a prompt on a button, or in a sentence."""


async def start(intake: Intake, message: Message) -> None:
    """A greeting, the videos left and some examples; `Refused` where it is closed."""
    call = reading.call_of(message)
    await intake.service.access.check(call.person, call.address)
    left, _ = await intake.service.left(call.address, call.person)
    lines = []
    if left is not None:
        resets = {"resets_at": left.resets_at}
        lines.append(Text(id="fact.left", values=resets, count=left.videos))
    look = messages.listing(Text(id="telegram.start"), lines, call.locale)
    await intake.answer(message, look, reply_markup=messages.examples(call.locale))


async def models(intake: Intake, message: Message) -> None:
    """Every family, with what it makes and what that costs."""
    catalog = (await intake.service.terms(reading.address_of(message))).catalog
    lines = []
    for family in catalog.families:
        able = [model for model in catalog.models if model.family == family]
        values = {
            "family": catalog.label(family),
            "seconds": lengths(able),
            "shapes": listed(a for m in able for a in m.aspects),
            "qualities": listed(q for m in able for q in m.sizes),
        }
        choices = switches(able)
        values["switches"] = ", ".join(f"--{each}" for each in choices)
        word = "telegram.model_switched" if choices else "telegram.model"
        lines.append(Text(id=word, values=values))
    await _list(intake, message, Text(id="ask.models"), lines)


async def quota(intake: Intake, message: Message) -> None:
    """Today's videos, and those left."""
    call = reading.call_of(message)
    left, usage = await intake.service.left(call.address, call.person)
    terms = await intake.service.terms(call.address)
    lines = replies.quota(left, usage, terms.limits)
    await _list(intake, message, Text(id="ask.quota"), lines)


async def history(intake: Intake, message: Message) -> None:
    """The latest videos, each a button that sends it again. For its person alone."""
    if not reading.is_private(message.chat):
        raise Refused("private_only")
    call = reading.call_of(message)
    recent = await intake.door.listings.jobs.recent(
        call.address.platform, call.person.id, most=MOST_HISTORY
    )
    made = [job for job in recent if job.video is not None]
    gone = sum(job.days_kept is not None for job in recent)
    lines = [Text(id="ask.gone", count=gone)] if gone else []
    if not made:
        await intake.tell(message, lines[0] if lines else Text(id="ask.nothing"))
        return
    look = messages.listing(Text(id="ask.history"), lines, call.locale)
    keys = InlineKeyboardMarkup(inline_keyboard=[[_again(job)] for job in made])
    await intake.answer(message, look, reply_markup=keys)


async def cancel(intake: Intake, message: Message, job_id: str) -> None:
    """The job whose card or request this replies to, or that is named; else the latest here."""
    job = await _meant(intake, message, job_id)
    person = reading.person_of(message)
    actor = await rights.actor(intake.line, person, job, chat=message.chat.id)
    prompt = {"prompt": shortened(job.request.prompt, MOST_TITLE)}
    if job.status is Status.QUEUED:
        await intake.service.cancel(job.id, actor)
        await intake.confirm(message, Text(id="telegram.cancelled", values=prompt))
    else:
        await intake.service.silence(job.id, actor)
        await intake.confirm(message, Text(id="telegram.silenced", values=prompt))


async def _meant(intake: Intake, message: Message, job_id: str) -> Job:
    if job_id:
        return await intake.service.job(job_id.split()[0])
    if (target := reading.replied_to(message)) is not None:
        place, number = str(target.chat.id), str(target.message_id)
        if (meant := await intake.posts.about(reading.NAME, place, number)) is not None:
            return await intake.service.job(meant)
        asked = (place, number)
        found = [job for job in await _under_way(intake, target) if _request(job) == asked]
    else:
        community = reading.address_of(message).community
        found = [
            job
            for job in await _under_way(intake, message)
            if not job.silent and community in (None, job.order.call.address.community)
        ]
    if not found:
        raise Refused("nothing_to_cancel")
    return found[0]


async def _under_way(intake: Intake, message: Message) -> list[Job]:
    """The writer's jobs under way, the newest first."""
    call = reading.call_of(message)
    recent = await intake.door.listings.jobs.recent(call.address.platform, call.person.id, most=25)
    return [job for job in recent if job.status in ACTIVE]


def _request(job: Job) -> tuple[str, str | None]:
    """The chat and the message that asked for it."""
    address = job.order.call.address
    return str(reading.chat_and_topic(address.channel)[0]), address.message


def _again(job: Job) -> InlineKeyboardButton:
    words = job.request.prompt or job.request.label
    title = shortened(" ".join(words.split()), MOST_TITLE)
    return InlineKeyboardButton(text=f"▶ {title}", callback_data=f"v1:show:{job.id}")


async def _list(intake: Intake, message: Message, title: Text, lines: list[Text]) -> None:
    look = messages.listing(title, lines, reading.locale_of(message.from_user))
    await intake.answer(message, look)
