"""Presses: the codec of the text that a button carries, and what a press of a button does.

A button carries an action and its subject. The rows decide who may do it. So a button works after
a restart, on every network, as long as its message exists.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.core.answers import Answer, Asked, Changed, Removed, Shown, Sure, Taken, TextAnswer, Turned
from bot.core.entry import Entry
from bot.core.errors import Refused
from bot.core.jobs import Job, Status
from bot.core.orders import Call
from bot.core.replies import Action, Button, Reply, Text
from bot.core.service import Actor
from bot.core.variations import ASKING, video_gone

CODE = re.compile(
    r"v1:(?P<act>[a-z]+):(?P<about>[0-9A-Za-z_-]{1,48})"
    r"(?::(?P<under>card|result|failure|note)(?=:|$))?(?::(?P<value>\S{1,32}))?"
)
"""A button's action, its subject (a job, a proposal, a list), its message's kind and a value.

The text has at most 100 characters. Without the kind, and with a short action, at most 64 bytes.
"""
_KINDS = ("card", "result", "failure", "note")
"""The kinds of messages. A model may have the same name."""
_FORMER = {"file": Action.ORIGINAL}
"""Names that older buttons carry → their actions."""
MAKING = frozenset({Action.RETRY, Action.FINER, Action.SHORTER, Action.TRY_ON})
"""Actions that order another video at once. The actions of `ASKING` first ask for a prompt."""
_LISTS = {Action.OPEN: "history", Action.SETTING: "settings"}
"""Action → the command whose list has its buttons. A `LIST` button names the command itself."""

Moderates = Callable[[Job], Awaitable[bool]]
"""Returns whether the person who pressed moderates the job's place. Called only if it matters."""


async def nobody(_: Job) -> bool:
    """Return False: for a person who moderates nothing."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """The content of a pressed button, and the text that the person typed, if it asked for some."""

    action: Action
    about: str
    value: str | None = None
    words: str | None = None


def written(button: Button, *, under: str = "") -> str:
    """Return the text that the button carries; `under` is its message's kind, if that matters."""
    first = (button.value or "").partition(":")[0]
    if first in _KINDS:
        under = under or first  # if the word comes twice, the second one belongs to the value
    carried = ("v1", button.action, button.about, under, button.value)
    return ":".join(filter(None, carried))


def read(carried: str) -> Press:
    """Parse the text that a pressed button carries. Raises `Refused("button_unknown")`."""
    found = CODE.fullmatch(carried)
    if found is None or found["act"] not in (*Action, *_FORMER):
        raise Refused("button_unknown")
    action = _FORMER.get(found["act"]) or Action(found["act"])
    return Press(action=action, about=found["about"], value=found["value"])


async def press(entry: Entry, call: Call, pressed: Press, *, moderates: Moderates) -> Answer:
    """Do what a pressed button asks for, and return the answer. Raises `Refused`."""
    entry.service.people.came()
    # A forged button can be pressed under any message, where everybody sees the answer.
    entry.listings.check_alone(call, _LISTS.get(pressed.action, pressed.about))
    match pressed.action:
        case Action.OWNER:
            platform, person = call.address.platform, call.person
            return TextAnswer(
                await entry.service.decide(platform, person, pressed.about, pressed.value)
            )
        case Action.LIST:
            return Turned(await entry.listings.page(call, pressed.about, pressed.value))
        case Action.SETTING:
            return Turned(await entry.listings.prefer(call, pressed.about, pressed.value))
        case action if action in MAKING or action in ASKING:
            return await _made(entry, call, pressed)
        case _:
            return await _changed(entry, call, pressed, moderates)


async def _made(entry: Entry, call: Call, pressed: Press) -> Answer:
    """Order another video for the person who pressed, or ask that person for a prompt."""
    job_id, action, again = pressed.about, pressed.action, entry.service.again
    if action in MAKING:
        return Taken(await again(job_id, action, call, value=pressed.value))
    if pressed.words is not None:
        return Taken(await again(job_id, action, call, prompt=pressed.words))
    # Refuse before the person types, and not afterwards.
    await entry.service.check(call.address, call.person)
    await entry.service.varied(job_id, action, call)
    job = await entry.service.job(job_id)
    goes_on = action is Action.CONTINUE
    # A continuation needs a new prompt. A remix begins with the old prompt.
    values = {"person": call.person.id}
    question = Text(id="ask.continue" if goes_on else "ask.remix", values=values)
    return Asked(job, action, question, "" if goes_on else job.order.wish.prompt)


async def _changed(entry: Entry, call: Call, pressed: Press, moderates: Moderates) -> Answer:
    """Change or show the job itself, for its person or a moderator."""
    service, job = entry.service, await entry.service.job(pressed.about)
    own = call.person.id == job.order.call.person.id
    # A moderator has no rights over a private job.
    others = not own and not job.private
    actor = Actor(person=call.person, moderates=others and await moderates(job))
    match pressed.action:
        case Action.CANCEL:
            return Changed(await service.cancel(job.id, actor))
        case Action.DONT_POST:
            return Changed(await service.silence(job.id, actor))
        case Action.STOP:
            await service.stop(job.id, actor)
            # A moderator may press under another person's list, which stays that person's list.
            whose = job.order.call.person if entry.listings.is_seen(call) else call.person
            return Turned(await entry.listings.page(replace(call, person=whose), "jobs", None))
        case Action.DELETE if not _is_gone(job):
            await service.check_delete(job.id, actor)
            sure = Button(action=Action.CONFIRM, about=job.id)
            return Sure(job, Reply(text=Text(id="delete.sure"), buttons=(sure,)))
        case Action.DELETE | Action.CONFIRM:
            # The pressed message may be a copy of a video that is already deleted.
            await service.delete(job.id, actor)
            return Removed(Reply(text=Text(id="delete.gone" if _is_gone(job) else "delete.done")))
        case Action.SHOW | Action.ORIGINAL:
            if not own:
                raise Refused("not_yours")
            if job.video is None:
                raise video_gone(job)
            is_original = pressed.action is Action.ORIGINAL
            # If others never saw the video, they must not get its buttons.
            elsewhere = call.address.community != job.order.call.address.community
            alone = is_original or job.silent or job.private or elsewhere
            return Shown(job, as_original=is_original, alone=alone)
        case Action.OPEN:
            return Turned(await entry.listings.entry(call, job, pressed.value))
    raise Refused("button_unknown")


def _is_gone(job: Job) -> bool:
    return job.status is Status.DELIVERED and not job.has_result
