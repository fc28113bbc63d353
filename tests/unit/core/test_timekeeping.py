"""A clock that cannot be noted is logged once when that begins and once when it ends."""

import asyncio

from structlog.testing import capture_logs

from bot.core.errors import Unwritten
from bot.core.timekeeping import CHECK_EVERY, NOTED, Timekeeper
from tests.fakes.clock import FakeClock


class Times:
    """Rows that may refuse all writes for a while."""

    full = False

    async def seen(self) -> float | None:
        return None

    async def note(self, now: float) -> None:
        if self.full:
            raise Unwritten("database_full")

    async def shift(self, seconds: float, *, now: float, since: float = 0.0) -> None:
        await self.note(now)

    async def settle(self, *, now: float) -> None:
        await self.note(now)


async def test_a_full_disk_under_the_timekeeper_is_logged_once_at_its_beginning_and_end() -> None:
    clock, times = FakeClock(), Times()
    with capture_logs() as logs:
        keeping = asyncio.create_task(Timekeeper(clock, times).run())
        for full in (False, True, False, True, False):
            times.full = full
            for _ in range(40):
                await clock.advance(CHECK_EVERY)
        keeping.cancel()
    assert NOTED < 40 * CHECK_EVERY
    assert [each["event"] for each in logs] == ["clock.not_kept", "clock.kept_again"] * 2
