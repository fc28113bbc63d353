"""G5: the additional memory of the service's process with 100,000 pending jobs."""

import asyncio
from contextlib import AsyncExitStack

from bench import service
from bench.figures import Figure, Spread, at_most, folder
from bench.process import running
from bench.stub import counted, gateway

GOAL = "G5"
PENDING, STEP = 100_000, 10.0
ROUNDS, SECONDS = 3, 15.0


def figures() -> list[Figure]:
    """Return the MB per 1,000 jobs, measured after both services ran for the same time."""
    found, polls = zip(*(asyncio.run(_round()) for _ in range(ROUNDS)), strict=True)
    what = f"MB for 1,000 of {PENDING} pending jobs ({min(polls)} polls and more)"
    return [at_most("G5", Spread.of(found), 0.1, what=what)]


async def _round() -> tuple[float, int]:
    """Return the MB per 1,000 jobs, and how many polls were made."""
    step = {"GATEWAYS__MAIN__POLL_STEP": str(STEP)}
    async with AsyncExitStack() as stack:
        memory = {}
        for pending in (0, PENDING):
            scratch, url = stack.enter_context(folder()), stack.enter_context(gateway())
            settings = service.config(url, scratch, **step)
            await service.make_rows(settings, running=pending, every=STEP)
            async with running(url, scratch, step) as one:
                await asyncio.sleep(SECONDS)
                memory[pending] = one.memory
        difference = memory[PENDING] - memory[0]
        return difference / (PENDING / 1000) / 1e6, counted(url)["looks"]
