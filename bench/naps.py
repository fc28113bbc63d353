"""How late a sleep ends: because the event loop is busy, or because the machine is."""

import asyncio
import time

from bench.figures import p99

NAP = 0.002
"""Seconds of one sleep."""
QUIET = 0.005
"""The most seconds by which an idle process may wake up late on a quiet machine (99th
percentile)."""


async def lags(seconds: float) -> list[float]:
    """Sleep again and again for `seconds`, and return how many seconds late each sleep ended."""
    clock = time.perf_counter
    ends, found = clock() + seconds, []
    while (begun := clock()) < ends:
        await asyncio.sleep(NAP)
        found.append(clock() - begun - NAP)
    return found


def disturbance(lateness: list[float] | None = None) -> str:
    """Return why waiting times mean nothing now: an idle process wakes up late. Empty if not so."""
    late = p99(lateness or asyncio.run(lags(2.0)))
    return f"a process at rest is late by {late * 1e3:.0f} ms" if late > QUIET else ""
