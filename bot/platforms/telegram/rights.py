"""Rights: who acts, and what Telegram says of them in the chat they act in."""

from aiogram.methods import TelegramMethod
from aiogram.types import TelegramObject

from bot.core.errors import Refused
from bot.core.jobs import Job
from bot.core.orders import Person
from bot.platforms.telegram.line import CALL, Line

MODERATORS = frozenset({"creator", "administrator"})


class _Member(TelegramObject):
    """aiogram's own wants every right there is by now; older servers name fewer."""

    status: str
    is_anonymous: bool = False


class _GetMember(TelegramMethod[_Member]):
    __returning__ = _Member
    __api_method__ = "getChatMember"

    chat_id: int
    user_id: int


async def moderates(line: Line, person: Person, job: Job, *, chat: int) -> bool:
    """Whether they are an admin of that chat, and this job is of it.

    Only an admin can speak as the group itself.
    """
    if job.order.call.address.community != str(chat):
        return False
    if person.id == str(chat):
        return True
    return (await _member(line, person, chat)).status in MODERATORS


async def face(line: Line, person: Person, job: Job, *, chat: int) -> Person:
    """As whom somebody acts on `job`: what the group itself asked for belongs to its anonymous
    admins there. They write as the group, but a press always tells of the user."""
    whose, here = job.order.call.person.id, str(chat)
    if whose != here or person.id == here:  # a private chat is its person
        return person
    member = await _member(line, person, chat)
    return job.order.call.person if member.is_anonymous else person


async def _member(line: Line, person: Person, chat: int) -> _Member:
    question = _GetMember(chat_id=chat, user_id=int(person.id))
    try:
        return await line.ask(chat, line.bot(question, request_timeout=CALL))
    except Refused:  # it tells of others for sure only where we are an admin
        return _Member(status="unknown")
