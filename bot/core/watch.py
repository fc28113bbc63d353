"""The watch: looks again and again for what owners have to know of.

Each source looks for the causes of one kind. One that can't tell now leaves its causes as they
are: nothing is over because nobody could look.
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
"""Seconds between two looks."""
LEAST = 2.0
"""Seconds between two looks when somebody rings: an order each second makes no look each second."""

Source = Callable[[], Awaitable[Sequence[Cause] | None]]
"""The causes of a kind that hold now; None: nobody can tell."""
Settle = Callable[[Mapping[Kind, Sequence[Cause]], Collection[str], float], Awaitable[bool]]
"""Writes down all that holds now, of the kinds that were looked at: whether that is to be said."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Looks, and writes down what owners are owed."""

    settle: Settle
    sources: Mapping[Kind, Source]
    rooms: Collection[str]
    clock: Clock
    wake: Wake
    """It is heard."""
    changed: Callable[[], None]
    """It is called when there is something to say."""
    _failing: dict[Kind, str] = field(default_factory=dict, init=False)
    _checked: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - full or away: it comes back, we go on
                log.warning("watch.failed", why=named(error))
            await self.clock.sleep(LEAST)
            await self.wake.heard_within(self.clock.sleep(CHECK_EVERY - LEAST))

    async def check(self) -> None:
        """Once, at everything."""
        found = {kind: await self._found(kind, source) for kind, source in self.sources.items()}
        known = {kind: causes for kind, causes in found.items() if causes is not None}
        if await self.settle(known, self.rooms, self.clock.now()):
            self.changed()
        self._checked.set()

    async def checked(self) -> None:
        """Wait for the end of the first look: what the rows say before is from an earlier run."""
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
