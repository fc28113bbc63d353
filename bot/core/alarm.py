"""The alarm: tell owners that the database accepts no writes.

No row can be written then, so the alarm sends messages directly, to the owners that this process
remembers: once when an outage begins and once when it ends. Outages in quick succession are told at
most once an hour.
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
"""Seconds between two checks of the database."""
PATIENCE = 60.0
"""Seconds of an outage before an owner is told. A restart of a database server is shorter."""

Person = tuple[str, str]

log = get_logger()


@dataclass(slots=True)
class _Outage:
    """An outage: its cause, its beginning by both clocks, and the owners who were told."""

    why: str
    at: float
    steady: float
    alerted: set[Person] = field(default_factory=set)
    begun: dict[Person, float] = field(default_factory=dict)
    """When the first send whose result is unknown began, by person."""


@dataclass(slots=True, kw_only=True)
class Alarm:
    """Checks the database and tells owners of outages."""

    beats: Callable[[], Awaitable[bool | str]]
    """Returns True if a row can be written, else the cause."""
    people: Callable[[], Awaitable[Sequence[Person]]]
    platforms: Mapping[str, Tells]
    clock: Clock
    _known: Sequence[Person] = field(default=(), init=False)
    _outage: _Outage | None = field(default=None, init=False)
    _rang_at: float | None = field(default=None, init=False)
    """When an outage was last told, by the steady clock."""

    async def run(self) -> None:
        """Check the database every `CHECK_EVERY` seconds until cancelled."""
        while True:
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - the next check comes after any error
                log.warning("alarm.failed", error=type(error).__name__)
            await self.clock.sleep(CHECK_EVERY)

    async def check(self) -> None:
        """Check once whether the database can be written. Tell owners of an outage or its end."""
        found = await self.beats()
        if found is True:
            await self._well()
        else:
            await self._trouble(str(found or "?"))

    async def _well(self) -> None:
        self._known = await self.people()  # if this read fails, the outage is not over
        over, self._outage = self._outage, None
        if over is not None:
            said = Reply(text=Text(id="cause.database_over"), tone=Tone.DONE)
            for person in sorted(over.alerted):
                await self._tell(person, said, "over", _Outage("", over.at, over.steady))

    async def _trouble(self, why: str) -> None:
        if self._outage is None:
            self._outage = _Outage(why, self.clock.now(), self.clock.steady())
        outage = self._outage
        now = self.clock.steady()
        if now - outage.steady < PATIENCE:
            return
        is_known = bool(outage.alerted)
        if not is_known and self._rang_at is not None and now - self._rang_at < HUSH:
            return
        values = {"why": outage.why.removeprefix("database: ")}
        said = Reply(text=Text(id="cause.database", values=values), tone=Tone.FAILED)
        for person in self._known:
            if person not in outage.alerted:
                await self._tell(person, said, "begun", outage)
        if outage.alerted and not is_known:
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
        outage.alerted.add(person)
