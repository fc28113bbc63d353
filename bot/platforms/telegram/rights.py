"""Rights of people in a chat, as Telegram tells them, and the person as whom a user acts."""

from aiogram.methods import TelegramMethod
from aiogram.types import TelegramObject

from bot.core.errors import Refused
from bot.core.jobs import Job
from bot.core.orders import Person
from bot.platforms.telegram.line import CALL, Line

MODERATORS = frozenset({"creator", "administrator"})


class _Member(TelegramObject):
    """A chat member. aiogram's own class demands all current rights; older servers send fewer."""

    status: str
    is_anonymous: bool = False


class _GetMember(TelegramMethod[_Member]):
    __returning__ = _Member
    __api_method__ = "getChatMember"

    chat_id: int
    user_id: int


async def moderates(line: Line, person: Person, job: Job, *, chat: int) -> bool:
    """Whether the job belongs to this chat and the person is an admin there.

    A person with the chat's own id is an admin: only admins can write as the group.
    """
    if job.order.call.address.community != str(chat):
        return False
    if person.id == str(chat):
        return True
    return (await _member(line, person, chat)).status in MODERATORS


async def face(line: Line, person: Person, job: Job, *, chat: int) -> Person:
    """Return the person as whom a user acts on a job.

    A job ordered in the name of the group belongs to the group's anonymous admins. They write as
    the group, but a button press always names the user.
    """
    whose, here = job.order.call.person.id, str(chat)
    if whose != here or person.id == here:  # a private chat has its person's id
        return person
    member = await _member(line, person, chat)
    return job.order.call.person if member.is_anonymous else person


async def _member(line: Line, person: Person, chat: int) -> _Member:
    question = _GetMember(chat_id=chat, user_id=int(person.id))
    try:
        return await line.ask(chat, line.bot(question, request_timeout=CALL))
    except Refused:  # Telegram guarantees the answer only if the bot is an admin
        return _Member(status="unknown")
