"""Decisions: the buttons for owners under a report or a notice.

A button carries only its subject and its wish. The rows decide who may press it and whether there
is anything to do, so a button works after a restart and is idempotent. The work is done by the use
cases that commands call, as an act of the person who pressed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.core.acts import UseCase, Values, perform
from bot.core.errors import AnewStopped, Refused
from bot.core.notices import nonce_of
from bot.core.orders import Person
from bot.core.prices import money
from bot.core.replies import Action, Button, Reply, Text, Tone
from bot.core.sources import Used

MOST_FOUND = 3
"""The most videos of a gateway's list that are proposed for one job."""
EVERYTHING = "all"
"""The subject of a button that is about no job, gateway or limit."""
_BYTES = 1e9
_LISTS = {
    "whole": "decide.list_whole",
    "part": "decide.list_part",
    "none": "decide.list_none",
    "trouble": "decide.list_trouble",
    "gone": "decide.list_gone",
}
"""The message id for each reason why a gateway's list has nothing to propose."""
IN_CHAT = {
    "sweep_unsettled": "decide_unsettled",
    "again_unconfirmed": "decide_over",
    "retry_unconfirmed": "decide_first",
    "cancel_unconfirmed": "decide_first",
    "cancel_over": "decide_over",
    "not_unconfirmed": "decide_done",
    "job_not_found": "job_unknown",
}
"""Codes of refusals that are worded for commands, with the codes worded for buttons."""

Decide = Callable[[str, Person, str, str | None], Awaitable[Reply]]
"""Handles a press: platform, person, subject, wish. Raises `Refused`."""


async def nobody(_platform: str, _person: Person, _subject: str, _wish: str | None) -> Reply:
    """Refuse a press on a platform without owners."""
    raise Refused("owners_only")


def button(subject: str, wish: str, *, word: str | None = None, shown: str | None = None) -> Button:
    """Return a button for owners. `word`: the label's name, if it differs from the wish."""
    return Button(
        action=Action.OWNER,
        about=subject,
        value=wish,
        word=f"owner_{word or wish}",
        shown=shown or subject,
    )


def pause(gateway: str) -> Button:
    """Return the button that holds this gateway."""
    return button(token_of(gateway), "pause", shown=gateway)


def token_of(name: str) -> str:
    """Return a short token as a subject for a name that may be too long for a button."""
    return nonce_of(name)[:10]


def raise_token(about: str, day: str, limit: int, more: int) -> str:
    """Return the subject of *Raise* for this day and limit, so that a second press is refused."""
    return token_of(f"{about} {day} {limit} {more}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Does the work of the owners' buttons."""

    use_cases: Mapping[str, UseCase]
    is_owner: Callable[[str, str], Awaitable[bool]]
    rooms: Collection[str]
    """Platforms where every person is the operator."""
    limits: Callable[[], Awaitable[Sequence[Used]]]
    gateways: Collection[str]
    currency: str
    decided: Callable[[], None] = lambda: None
    """Called after each press that changed something, to update the report."""
    _one: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def _wishes(self) -> Mapping[str, Callable[[str, str, str], Awaitable[Reply]]]:
        return {
            "open": self._open,
            "found": self._found,
            "free": self._free,
            "again": self._ask_again,
            "yes": self._again,
            "look": partial(self._settle, "jobs.retry", "decide.looks"),
            "cancel": partial(self._settle, "jobs.cancel", "decide.cancelled"),
            "raise": self._raise,
            "stop": self._stop,
            "go": self._go,
            "pause": self._pause,
            "resume": self._resume,
            "backup": self._back_up,
            "sweep": self._ask_sweep,
            "swept": self._sweep,
        }

    async def decide(self, platform: str, person: Person, subject: str, wish: str | None) -> Reply:
        """Do the wish if the person owns this bot. Raises `Refused`, as with "owners_only"."""
        if platform not in self.rooms and not await self.is_owner(platform, person.id):
            raise Refused("owners_only")
        word, _, detail = (wish or "").partition(".")
        wishes = self._wishes
        if word not in wishes:
            raise Refused("button_unknown")
        said = await wishes[word](subject, detail, f"{platform}:{person.id}")
        self.decided()
        return said

    async def _ask(self, use_case: str, actor: str, **values: object) -> Values:
        try:
            return await perform(self.use_cases[use_case], values, actor=actor)
        except Refused as refused:
            in_chat = IN_CHAT.get(refused.code)
            if in_chat is None:
                raise
            details = {"job": values.get("job"), **refused.values}
            raise Refused(in_chat, **details) from refused

    # --- an unconfirmed job --------------------------------------------------------------------

    async def _open(self, job: str, _: str, actor: str) -> Reply:
        """Return the videos at the gateway that may be the job's, and the buttons to decide."""
        found = await self._ask("jobs.candidates", actor, job=job)
        near = rows(found, "candidates")[:MOST_FOUND]
        list_ = "decide.list_match" if near else _LISTS[str(found["list"])]
        lines = [_proposed(number, each) for number, each in enumerate(near, 1)]
        picks = [
            button(job, f"found.{token_of(str(each['id']))}", word="found", shown=str(number))
            for number, each in enumerate(near, 1)
        ]
        whose = {"name": found["person"], "family": found["family"]}
        values = {**whose, "job": job, "gateway": found["gateway"], "at": found["sent_at"]}
        ways = (button(job, "free"), button(job, "again"))
        return Reply(
            text=Text(id="decide.open", values=values),
            facts=(*lines, Text(id=list_)),
            # A job closed as not charged can only be changed by a video that turned up.
            buttons=(*picks, *ways) if found["status"] == "unconfirmed" else tuple(picks),
        )

    async def _found(self, job: str, token: str, actor: str) -> Reply:
        found = await self._ask("jobs.candidates", actor, job=job)
        ids = [str(each["id"]) for each in rows(found, "candidates")]
        picked = next((id_ for id_ in ids if token_of(id_) == token), None)
        if picked is None:
            raise Refused("decide_outdated")
        await self._ask("jobs.found", actor, job=job, gateway_id=picked)
        return _done("decide.found", job=job)

    async def _free(self, job: str, _: str, actor: str) -> Reply:
        await self._ask("jobs.not_charged", actor, job=job)
        return _done("decide.free", button(job, "open"), job=job)

    async def _ask_again(self, job: str, _: str, actor: str) -> Reply:
        """Ask for a confirmation, as sending the order again costs money once more."""
        cost = await self._ask("jobs.cost", actor, job=job)
        if cost["status"] != "unconfirmed":
            raise Refused("decide_done", job=job)
        price = cost["cost"]
        shown = money(price, self.currency) if isinstance(price, int) and price > 1 else ""
        id_ = "decide.again_priced" if shown else "decide.again"
        values = {"job": job, "cost": shown, "family": cost["family"]}
        return Reply(
            text=Text(id=id_, values=values), tone=Tone.WAITING, buttons=(button(job, "yes"),)
        )

    async def _again(self, job: str, _: str, actor: str) -> Reply:
        try:
            await self._ask("jobs.again", actor, job=job, confirm=job)
        except AnewStopped:
            ways = (button(EVERYTHING, "go"), button(job, "yes"))
            return Reply(text=Text(id="decide.stands"), tone=Tone.WAITING, buttons=ways)
        return _done("decide.tried", job=job)

    # --- a stuck job ---------------------------------------------------------------------------

    async def _settle(self, use_case: str, said: str, job: str, _: str, actor: str) -> Reply:
        """Run a use case on the job. None of these sends a paid POST: that needs a confirmation."""
        await self._ask(use_case, actor, job=job)
        return _done(said, job=job)

    # --- limits, and everything ----------------------------------------------------------------

    async def _raise(self, token: str, _: str, actor: str) -> Reply:
        """Raise a limit for today. The lock lets each press see the grant of the one before."""
        async with self._one:
            used = next((it for it in await self.limits() if _token(it) == token), None)
            if used is None:
                raise Refused("decide_outdated")
            amount = "money" if used.figure == "purse_money" else "videos"
            more = {amount: used.more}
            await self._ask("quota.grant", actor, kind=used.kind, of=used.of, again=True, **more)
        return _done("decide.raised")

    async def _stop(self, _: str, __: str, actor: str) -> Reply:
        await self._ask("stop", actor)
        return _done("decide.stopped", button(EVERYTHING, "go"))

    async def _go(self, _: str, __: str, actor: str) -> Reply:
        await self._ask("go", actor)
        return _done("decide.goes")

    async def _pause(self, token: str, _: str, actor: str) -> Reply:
        name = self._gateway(token)
        await self._ask("gateways.pause", actor, name=name)
        return _done("decide.paused", button(token, "resume", shown=name), gateway=name)

    async def _resume(self, token: str, _: str, actor: str) -> Reply:
        name = self._gateway(token)
        await self._ask("gateways.resume", actor, name=name)
        return _done("decide.resumed", gateway=name)

    def _gateway(self, token: str) -> str:
        found = next((name for name in self.gateways if token_of(name) == token), None)
        if found is None:
            raise Refused("decide_outdated")
        return found

    # --- disk space ----------------------------------------------------------------------------

    async def _back_up(self, _: str, __: str, actor: str) -> Reply:
        made = await self._ask("db.backup", actor)
        return _done("decide.backed_up", folder=made["folder"])

    async def _ask_sweep(self, _: str, __: str, actor: str) -> Reply:
        """Return what a sweep would remove, with a button to confirm."""
        files, size = _extent(await self._ask("media.due", actor))
        values = {"gigabytes": size / _BYTES}
        text = Text(id="decide.sweep", values=values, count=files)
        return Reply(text=text, buttons=(button(EVERYTHING, "swept"),))

    async def _sweep(self, _: str, __: str, actor: str) -> Reply:
        files, size = _extent(await self._ask("media.sweep", actor))
        text = Text(id="decide.swept", values={"gigabytes": size / _BYTES}, count=files)
        return Reply(text=text, tone=Tone.DONE)


def _token(used: Used) -> str:
    return raise_token(used.about, used.day, used.limit, used.more)


def _done(id_: str, *buttons: Button, **values: object) -> Reply:
    return Reply(text=Text(id=id_, values=values), tone=Tone.DONE, buttons=buttons)


def _proposed(number: int, video: Values) -> Text:
    """Return the line for a video in a gateway's list, with the number on its button."""
    what = ", ".join(str(word) for word in (video["model"], video["status"]) if word)
    made = video["created_at"]
    id_ = "decide.candidate" if made is not None else "decide.candidate_undated"
    values = {"number": number, "id": video["id"], "what": what or "–", "at": made}
    return Text(id=id_, values={**values, "confidence": video["confidence"]})


def rows(values: Values, name: str) -> list[Values]:
    """Return the objects in the list of this name; an empty list if there is none."""
    found = values.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _extent(swept: Values) -> tuple[int, int]:
    """Return the files and bytes of all kinds, without the excess over the size limit."""
    kinds = [it for name, it in swept.items() if isinstance(it, dict) and name != "over_most"]
    return sum(int(it["files"]) for it in kinds), sum(int(it["bytes"]) for it in kinds)
