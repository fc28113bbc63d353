"""The watch: looks again and again for what owners have to know of.

Each source looks for the causes of one kind. One that can't tell now leaves its causes as they
are: nothing is over because nobody could look.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from bot.core.causes import Cause, Kind
from bot.core.errors import BotError
from bot.core.ports import Clock
from bot.core.wake import Wake
from bot.log import get_logger

LOOK = 30.0
"""Seconds between two looks."""
LEAST = 2.0
"""Seconds between two looks when somebody rings: an order each second makes no look each second."""

Source = Callable[[], Awaitable[Sequence[Cause] | None]]
"""The causes of a kind that hold now; None: nobody can tell."""
Settle = Callable[[Mapping[Kind, Sequence[Cause]], Collection[str], float], Awaitable[bool]]
"""Writes down all that holds now, of the kinds that were looked at: whether that is to be said."""

log = get_logger()


class Watch:
    """Looks, and writes down what owners are owed."""

    def __init__(
        self,
        *,
        settle: Settle,
        sources: Mapping[Kind, Source],
        rooms: Collection[str],
        clock: Clock,
        wake: Wake,
        changed: Callable[[], None],
    ) -> None:
        """`wake` is heard; `changed` is called when there is something to say."""
        self._settle = settle
        self._sources = sources
        self._rooms = rooms
        self._clock = clock
        self._wake = wake
        self._changed = changed
        self._failing: dict[Kind, str] = {}
        self._looked = asyncio.Event()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - full or away: it comes back, we go on
                log.warning("watch.failed", why=_why(error))
            await self._clock.sleep(LEAST)
            await self._wake.heard_within(self._clock.sleep(LOOK - LEAST))

    async def look(self) -> None:
        """Once, at everything."""
        found = {kind: await self._found(kind, source) for kind, source in self._sources.items()}
        told = {kind: causes for kind, causes in found.items() if causes is not None}
        if await self._settle(told, self._rooms, self._clock.now()):
            self._changed()
        self._looked.set()

    async def looked(self) -> None:
        """Wait for the end of the first look: what the rows say before is from an earlier run."""
        await self._looked.wait()

    async def _found(self, kind: Kind, source: Source) -> Sequence[Cause] | None:
        try:
            causes = await source()
        except Exception as error:  # noqa: BLE001 - one source says nothing of the others
            if self._failing.get(kind) != _why(error):
                log.warning("watch.blind", kind=kind, why=_why(error))
            self._failing[kind] = _why(error)
            return None
        self._failing.pop(kind, None)
        return causes


def _why(error: Exception) -> str:
    return error.code if isinstance(error, BotError) else type(error).__name__
