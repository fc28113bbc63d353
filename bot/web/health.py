"""`/readyz`: whether the house can do its work now, for whoever watches over it.

It is handed what to ask and knows nothing of what stands behind. The address is open to the world,
so a look is cheap, has an end, is shared by all who ask at once, and tells strangers nothing but
which of our parts fails.
"""

import asyncio
import shutil
import tempfile
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
_HEADERS = {"Cache-Control": "no-store"}
LEAST_FREE = 200_000_000
"""Bytes: below, the videos under way may not fit. `zoetrope doctor` warns long before."""

log = get_logger()


class Health:
    """Looks by `checks`; each is named by what is said when it does not hold.

    Where one of them fails, this process can't do its work. `notes` are told beside them: they are
    mended neither by a restart nor by sending people elsewhere.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        notes: Mapping[str, Check] | None = None,
        *,
        clock: Clock,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self._checks = checks
        self._notes = notes or {}
        self._clock = clock
        self._time_limit = time_limit
        self._checking = asyncio.Lock()
        self._checked_at = float("-inf")
        self._failures: dict[str, str] = {}
        self._noted: dict[str, str] = {}

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        """Routes for the server."""
        return [web.get("/readyz", self._ready), web.get("/readyz.json", self._told)]

    async def _ready(self, _request: web.Request) -> web.Response:
        await self._fresh()
        lines = [*(self._failures or ["ok"]), *self._noted]
        return web.Response(text="\n".join(lines) + "\n", status=self._status, headers=_HEADERS)

    async def _told(self, _request: web.Request) -> web.Response:
        """The same for programs, with a word for each part."""
        await self._fresh()
        parts = {name.partition(": ")[0]: "ok" for name in (*self._checks, *self._notes)}
        for line in (*self._failures, *self._noted):
            part, _, word = line.partition(": ")
            parts[part] = word
        told = {"ready": not self._failures, "parts": parts}
        return web.json_response(told, status=self._status, headers=_HEADERS)

    @property
    def _status(self) -> int:
        return 503 if self._failures else 200

    async def _fresh(self) -> None:
        async with self._checking:
            if self._clock.steady() - self._checked_at >= FRESH:
                await self._check_all()

    async def _check_all(self) -> None:
        """Ask all at once, and log what has changed."""
        asked = [*self._checks.items(), *self._notes.items()]
        found = await asyncio.gather(*(self._failure(*it) for it in asked))
        many = len(self._checks)
        before, self._failures = self._failures, dict(each for each in found[:many] if each)
        self._noted = dict(each for each in found[many:] if each)
        self._checked_at = self._clock.steady()
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


async def can_write(folder: Path) -> bool:
    """Whether a file can be made there. Raises `OSError` if not."""
    await asyncio.to_thread(_write, folder)
    return True


def _write(folder: Path) -> None:
    """The file has no name where the system can do that, so nobody finds it."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"\0")
