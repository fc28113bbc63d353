"""The alarm: owners hear that the database takes nothing, although nothing can be written down.

They are told directly, once per outage, as far as this process remembers them; and once more when
it is over. A database that comes and goes rings once an hour at most.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.errors import BotError, Refused, Temporary
from bot.core.notices import HUSH, nonce_of
from bot.core.platforms import DirectMessage, Tells
from bot.core.ports import Clock
from bot.core.replies import Reply, Text, Tone
from bot.core.steps.telling import TELL_TIME
from bot.log import get_logger

CHECK_EVERY = 15.0
"""Seconds between two looks."""
PATIENCE = 60.0
"""Seconds of trouble before anybody is told: a server that restarts is none."""

Person = tuple[str, str]

log = get_logger()


@dataclass(slots=True)
class _Outage:
    """Since when nothing is taken, by both clocks, and who knows."""

    why: str
    at: float
    steady: float
    told: set[Person] = field(default_factory=set)
    begun: dict[Person, float] = field(default_factory=dict)
    """When a try with an unknown end was begun."""


@dataclass(slots=True, kw_only=True)
class Alarm:
    """Looks at the database."""

    beats: Callable[[], Awaitable[bool | str]]
    """True if a row can be written, else why not."""
    people: Callable[[], Awaitable[Sequence[Person]]]
    platforms: Mapping[str, Tells]
    clock: Clock
    _known: Sequence[Person] = field(default=(), init=False)
    _outage: _Outage | None = field(default=None, init=False)
    _rang_at: float | None = field(default=None, init=False)
    """When anybody was last told of an outage, by the steady clock."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look comes
                log.warning("alarm.failed", error=type(error).__name__)
            await self.clock.sleep(CHECK_EVERY)

    async def check(self) -> None:
        """Once."""
        found = await self.beats()
        if found is True:
            await self._well()
        else:
            await self._trouble(str(found or "?"))

    async def _well(self) -> None:
        self._known = await self.people()  # or it is not over: reading is part of being well
        over, self._outage = self._outage, None
        if over is not None:
            said = Reply(text=Text(id="cause.database_over"), tone=Tone.DONE)
            for person in sorted(over.told):
                await self._tell(person, said, "over", _Outage("", over.at, over.steady))

    async def _trouble(self, why: str) -> None:
        if self._outage is None:
            self._outage = _Outage(why, self.clock.now(), self.clock.steady())
        outage = self._outage
        now = self.clock.steady()
        if now - outage.steady < PATIENCE:
            return
        is_known = bool(outage.told)
        if not is_known and self._rang_at is not None and now - self._rang_at < HUSH:
            return
        values = {"why": outage.why.removeprefix("database: ")}
        said = Reply(text=Text(id="cause.database", values=values), tone=Tone.FAILED)
        for person in self._known:
            if person not in outage.told:
                await self._tell(person, said, "begun", outage)
        if outage.told and not is_known:
            self._rang_at = now

    async def _tell(self, person: Person, said: Reply, word: str, outage: _Outage) -> None:
        platform, id_ = person
        nonce = nonce_of("database", word, *person, repr(outage.at))
        since = outage.begun.get(person)
        message = DirectMessage(person_id=id_, reply=said, nonce=nonce, since=since)
        try:
            async with asyncio.timeout(TELL_TIME):
                await self.platforms[platform].tell(message)
        except Refused as refused:
            log.warning("alarm.untold", platform=platform, code=refused.code)
        except (BotError, TimeoutError, KeyError) as error:
            log.warning("alarm.delayed", platform=platform, error=type(error).__name__)
            if not (isinstance(error, Temporary) and (error.unsent or error.away)):
                outage.begun.setdefault(person, self.clock.now())
            return
        outage.told.add(person)
