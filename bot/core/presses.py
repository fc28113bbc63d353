"""Presses: the one codec of what a button carries, and what a press of it does.

A button names an action and its subject; who may is decided by the rows. So it works after a
restart, on each network, for as long as its message stands.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.core.answers import Answer, Asked, Changed, Removed, Shown, Sure, Taken, Told, Turned
from bot.core.door import Door
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
"""A button's action, its subject (a job, a draft, a list), the message it stands under and a value,
in at most 100 characters; without the third in at most 64 bytes, where the action is short."""
_KINDS = ("card", "result", "failure", "note")
"""Kinds of a message; a model may be called the same."""
_FORMER = {"file": Action.ORIGINAL}
"""Actions by the names that older buttons carry."""
MAKING = frozenset({Action.RETRY, Action.FINER, Action.SHORTER, Action.TRY_ON})
"""Actions that make another video at once; those of `ASKING` make one of other words."""
_LISTS = {Action.OPEN: "history", Action.SETTING: "settings"}
"""The command whose list each is a part of; a `LIST` names its own."""

Moderates = Callable[[Job], Awaitable[bool]]
"""Whether the network lets whoever pressed moderate where this job is; asked only if it matters."""


async def nobody(_: Job) -> bool:
    """The rights of somebody who moderates nothing."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """The content of a button, and the words that came with it, if it asked for some."""

    action: Action
    about: str
    value: str | None = None
    words: str | None = None


def written(button: Button, *, under: str = "") -> str:
    """The text that the button carries; `under` is the kind of its message, where that matters."""
    first = (button.value or "").partition(":")[0]
    if first in _KINDS:
        under = under or first  # where it comes twice, the second is the value's
    carried = ("v1", button.action, button.about, under, button.value)
    return ":".join(filter(None, carried))


def read(carried: str) -> Press:
    """The press of a button that carries this. Raises `Refused("button_unknown")`."""
    found = CODE.fullmatch(carried)
    if found is None or found["act"] not in (*Action, *_FORMER):
        raise Refused("button_unknown")
    action = _FORMER.get(found["act"]) or Action(found["act"])
    return Press(action=action, about=found["about"], value=found["value"])


async def press(door: Door, call: Call, pressed: Press, *, moderates: Moderates) -> Answer:
    """Do it. Raises `Refused`, in the words of whoever pressed."""
    door.service.people.came()
    # A button can be made up, and then it is pressed under any message, before everybody.
    door.listings.check_alone(call, _LISTS.get(pressed.action, pressed.about))
    match pressed.action:
        case Action.OWNER:
            platform, person = call.address.platform, call.person
            return Told(await door.service.decide(platform, person, pressed.about, pressed.value))
        case Action.LIST:
            return Turned(await door.listings.page(call, pressed.about, pressed.value))
        case Action.SETTING:
            return Turned(await door.listings.prefer(call, pressed.about, pressed.value))
        case action if action in MAKING or action in ASKING:
            return await _made(door, call, pressed)
        case _:
            return await _changed(door, call, pressed, moderates)


async def _made(door: Door, call: Call, pressed: Press) -> Answer:
    """Another video, on the account of whoever pressed."""
    job_id, action, again = pressed.about, pressed.action, door.service.again
    if action in MAKING:
        return Taken(await again(job_id, action, call, value=pressed.value))
    if pressed.words is not None:
        return Taken(await again(job_id, action, call, prompt=pressed.words))
    # Before anybody types: the service would refuse it afterwards.
    await door.service.check(call.address, call.person)
    await door.service.varied(job_id, action, call)
    job = await door.service.job(job_id)
    goes_on = action is Action.CONTINUE
    # What happens next is another matter; the same with other words begins with the old ones.
    values = {"person": call.person.id}
    question = Text(id="ask.continue" if goes_on else "ask.remix", values=values)
    return Asked(job, action, question, "" if goes_on else job.order.wish.prompt)


async def _changed(door: Door, call: Call, pressed: Press, moderates: Moderates) -> Answer:
    """Something about the job itself, for its person or a moderator."""
    service, job = door.service, await door.service.job(pressed.about)
    own = call.person.id == job.order.call.person.id
    # What others were not shown is no moderator's, either.
    others = not own and not job.private
    actor = Actor(person=call.person, moderates=others and await moderates(job))
    match pressed.action:
        case Action.CANCEL:
            return Changed(await service.cancel(job.id, actor))
        case Action.DONT_POST:
            return Changed(await service.silence(job.id, actor))
        case Action.STOP:
            await service.stop(job.id, actor)
            # A moderator presses under a member's list, and that goes on being the member's.
            whose = job.order.call.person if door.listings.is_seen(call) else call.person
            return Turned(await door.listings.page(replace(call, person=whose), "jobs", None))
        case Action.DELETE if not _is_gone(job):
            await service.check_delete(job.id, actor)
            sure = Button(action=Action.CONFIRM, about=job.id)
            return Sure(job, Reply(text=Text(id="delete.sure"), buttons=(sure,)))
        case Action.DELETE | Action.CONFIRM:
            # Of what is gone already a copy may still stand where it was pressed.
            await service.delete(job.id, actor)
            return Removed(Reply(text=Text(id="delete.gone" if _is_gone(job) else "delete.done")))
        case Action.SHOW | Action.ORIGINAL:
            if not own:
                raise Refused("not_yours")
            if job.video is None:
                raise video_gone(job)
            is_original = pressed.action is Action.ORIGINAL
            # Where others never saw it they would have buttons that are not for them.
            elsewhere = call.address.community != job.order.call.address.community
            alone = is_original or job.silent or job.private or elsewhere
            return Shown(job, as_original=is_original, alone=alone)
        case Action.OPEN:
            return Turned(await door.listings.entry(call, job, pressed.value))
    raise Refused("button_unknown")


def _is_gone(job: Job) -> bool:
    return job.status is Status.DELIVERED and not job.has_result
