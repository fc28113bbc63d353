"""The watch: checks regularly for causes, the lasting troubles that owners are told of.

Each source finds the causes of one kind. If a source fails, its known causes stay as they are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.causes import Cause, Kind
from bot.core.errors import named
from bot.core.ports import Clock
from bot.core.wake import Wake
from bot.log import get_logger

CHECK_EVERY = 30.0
"""Seconds between two checks."""
LEAST = 2.0
"""Least seconds between two checks when the bell rings often."""

Source = Callable[[], Awaitable[Sequence[Cause] | None]]
"""A function that returns the causes of one kind that exist now; None if it can't tell."""
Settle = Callable[[Mapping[Kind, Sequence[Cause]], Collection[str], float], Awaitable[bool]]
"""A function that saves the causes that exist now, by kind, and tells if owners are to be told.

Its other arguments are the rooms and the time. A kind that is missing stays as it is.
"""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Checks all sources regularly, and saves the causes that they find."""

    settle: Settle
    sources: Mapping[Kind, Source]
    rooms: Collection[str]
    clock: Clock
    wake: Wake
    """The bell that starts a check early."""
    changed: Callable[[], None]
    """A function that is called when owners are to be told something."""
    _failing: dict[Kind, str] = field(default_factory=dict, init=False)
    _checked: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self) -> None:
        """Check all sources regularly until cancelled."""
        while True:
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - full or away: it comes back, we go on
                log.warning("watch.failed", why=named(error))
            await self.clock.sleep(LEAST)
            await self.wake.heard_within(self.clock.sleep(CHECK_EVERY - LEAST))

    async def check(self) -> None:
        """Check all sources once, and save what they find."""
        found = {kind: await self._found(kind, source) for kind, source in self.sources.items()}
        known = {kind: causes for kind, causes in found.items() if causes is not None}
        if await self.settle(known, self.rooms, self.clock.now()):
            self.changed()
        self._checked.set()

    async def checked(self) -> None:
        """Wait for the end of the first check: before it, the rows are from an earlier run."""
        await self._checked.wait()

    async def _found(self, kind: Kind, source: Source) -> Sequence[Cause] | None:
        try:
            causes = await source()
        except Exception as error:  # noqa: BLE001 - one source says nothing of the others
            if self._failing.get(kind) != named(error):
                log.warning("watch.blind", kind=kind, why=named(error))
            self._failing[kind] = named(error)
            return None
        self._failing.pop(kind, None)
        return causes
