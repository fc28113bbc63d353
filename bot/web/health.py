"""`/readyz`: whether the house can do its work now, for whoever watches over it.

It is handed what to ask and knows nothing of what stands behind. The address is open to the world,
so a look is cheap, has an end, is shared by all who ask at once, and tells strangers nothing but
which of our parts fails.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web

from bot.core.ports import Clock
from bot.log import get_logger

Check = Callable[[], Awaitable[bool | str]]
"""Whether something holds; if not, perhaps a line that says more than its name."""

TIME_LIMIT = 3.0
"""Seconds that a check may take, or it has failed. A database has said why by then."""
FRESH = 1.0
"""Seconds for which the last look is the answer: nobody makes us look more often."""
LEAST_FREE = 200_000_000
"""Bytes: below, the videos under way may not fit. `zoetrope doctor` warns long before."""

log = get_logger()


class Health:
    """Looks by `checks`; each is named by what is said when it does not hold."""

    def __init__(
        self, checks: Mapping[str, Check], *, clock: Clock, time_limit: float = TIME_LIMIT
    ) -> None:
        self._checks = checks
        self._clock = clock
        self._time_limit = time_limit
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._failures: dict[str, str] = {}

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        """Routes for the server."""
        return [web.get("/readyz", self._ready)]

    async def _ready(self, _request: web.Request) -> web.Response:
        async with self._looking:
            if self._clock.steady() - self._looked_at >= FRESH:
                await self._look()
        lines = list(self._failures) or ["ok"]
        return web.Response(
            text="\n".join(lines) + "\n",
            status=503 if self._failures else 200,
            headers={"Cache-Control": "no-store"},
        )

    async def _look(self) -> None:
        """Ask all at once, and log what has changed."""
        found = await asyncio.gather(*(self._failure(*it) for it in self._checks.items()))
        before, self._failures = self._failures, dict(each for each in found if each)
        self._looked_at = self._clock.steady()
        if self._failures.keys() - before.keys():
            log.warning("health.lost", failures=self._failures)
        elif before and not self._failures:
            log.info("health.regained")

    async def _failure(self, name: str, check: Check) -> tuple[str, str] | None:
        """The line that is said, and for the log why."""
        try:
            async with asyncio.timeout(self._time_limit):
                found = await check()
        except Exception as error:  # noqa: BLE001  # whatever it is, the check does not hold
            return name, type(error).__name__
        if found is True:
            return None
        return found or name, "false"


async def has_room(folder: Path, *, least: int = LEAST_FREE) -> bool:
    """Whether that many bytes are free where `folder` lies. Raises `OSError` if it is not there."""
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    return usage.free >= least
