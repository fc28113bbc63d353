"""`/readyz`: whether the service can do its work now, for monitoring.

The caller supplies the checks; this module does not know what they check. The address is public,
so a check is cheap, has a timeout, is shared by simultaneous requests, and reveals only which part
fails.
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
"""A check: returns True if all is well, else False or a line that says more than its name."""

TIME_LIMIT = 3.0
"""Timeout of a check in seconds: long enough for a database to report its own error."""
FRESH = 1.0
"""Seconds for which the latest results are used again, so that requests can't cause more checks."""
_HEADERS = {"Cache-Control": "no-store"}
LEAST_FREE = 200_000_000
"""Bytes of free space that open jobs may need. `zoetrope doctor` warns long before."""

log = get_logger()


class Health:
    """The routes of `/readyz`. The name of each check is the line shown when it fails.

    If one of `checks` fails, this process can't do its work. `notes` are shown too but do not
    change the status: neither a restart nor another instance would repair them.
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
        """The routes for the server."""
        return [web.get("/readyz", self._ready), web.get("/readyz.json", self._ready_json)]

    async def _ready(self, _request: web.Request) -> web.Response:
        await self._fresh()
        lines = [*(self._failures or ["ok"]), *self._noted]
        return web.Response(text="\n".join(lines) + "\n", status=self._status, headers=_HEADERS)

    async def _ready_json(self, _request: web.Request) -> web.Response:
        """Answer the same as JSON, with a word for each part."""
        await self._fresh()
        parts = {name.partition(": ")[0]: "ok" for name in (*self._checks, *self._notes)}
        for line in (*self._failures, *self._noted):
            part, _, word = line.partition(": ")
            parts[part] = word
        body = {"ready": not self._failures, "parts": parts}
        return web.json_response(body, status=self._status, headers=_HEADERS)

    @property
    def _status(self) -> int:
        return 503 if self._failures else 200

    async def _fresh(self) -> None:
        async with self._checking:
            if self._clock.steady() - self._checked_at >= FRESH:
                await self._check_all()

    async def _check_all(self) -> None:
        """Run all checks at once, and log changes."""
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
        """Run a check. If it fails, return the line to show and the reason for the log."""
        try:
            async with asyncio.timeout(self._time_limit):
                found = await check()
        except Exception as error:  # noqa: BLE001  # any error means that the check fails
            return name, type(error).__name__
        if found is True:
            return None
        return found or name, "false"


async def has_room(folder: Path, *, least: int = LEAST_FREE) -> bool:
    """Whether `least` bytes are free on the disk of `folder`. Raises `OSError` without a folder."""
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    return usage.free >= least


async def can_write(folder: Path) -> bool:
    """Return True if a file can be made in `folder`. Raises `OSError` if not."""
    await asyncio.to_thread(_write, folder)
    return True


def _write(folder: Path) -> None:
    """Write a temporary file, nameless if the system can do that, so that no scan finds it."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"\0")
