"""Rights: who acts, and what Telegram says of them in the chat they act in."""

from bot.core.jobs import Job
from bot.core.orders import Person
from bot.core.service import Actor
from bot.platforms.telegram.line import CALL, Line

MODERATORS = frozenset({"creator", "administrator"})


async def actor(line: Line, person: Person, job: Job, *, chat: int) -> Actor:
    """Whoever does something about `job` in that chat. Their rank is asked only where it matters.

    Who speaks as the group itself is an admin of it: others can't.
    """
    here = job.order.address.community == str(chat)
    if person.id == job.order.person.id or not here:
        return Actor(person=person)
    if person.id == str(chat):
        return Actor(person=person, moderates=True)
    member = await line.ask(
        chat, line.bot.get_chat_member(chat, int(person.id), request_timeout=CALL)
    )
    return Actor(person=person, moderates=member.status in MODERATORS)
