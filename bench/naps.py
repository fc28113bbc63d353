"""How late a sleep ends: of an event loop that works, and of a machine that others load."""

import asyncio
import time

from bench.figures import p99

NAP = 0.002
"""Seconds."""
QUIET = 0.005
"""Seconds that a process at rest is late at most, 99 of 100 times."""


async def lags(seconds: float) -> list[float]:
    """The lateness of one nap after another, in seconds."""
    clock = time.perf_counter
    ends, found = clock() + seconds, []
    while (begun := clock()) < ends:
        await asyncio.sleep(NAP)
        found.append(clock() - begun - NAP)
    return found


def disturbance(lateness: list[float] | None = None) -> str:
    """The reason why waits say nothing now, if this machine has no time for who wakes up."""
    late = p99(lateness or asyncio.run(lags(2.0)))
    return f"a process at rest is late by {late * 1e3:.0f} ms" if late > QUIET else ""
