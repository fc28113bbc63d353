"""G4: how long a person waits for the card, at rest and beside 1,000 polls a second.

The time runs from the click in the tests' imitation of Discord to the answer with the card. The
service sends that answer once the order is durable. The gateway is on hold, so earlier orders
cause no work. The next order follows after a pause.
"""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bench import service
from bench.figures import Figure, Spread, at_most, folder, p99
from bench.naps import disturbance
from bench.process import Service, running
from bench.stub import counted, gateway

GOAL = "G4"
BLOCKS, ORDERS = 2, 500
"""Blocks of each kind, and orders in a block: 1,000 orders of each kind."""
PAUSE = 0.03
"""Seconds before each order."""
PENDING, STEP = 10_000, 10.0
"""Running jobs, and seconds between two polls of the same job."""


def figures() -> list[Figure]:
    """Return the milliseconds at rest, and the time under load as a multiple of that."""
    rest: list[list[float]] = []
    busy: list[list[float]] = []
    commits: list[float] = []
    polls: list[float] = []
    void = ""
    for _ in range(BLOCKS):
        with folder() as scratch, gateway() as url:
            rest.append(asyncio.run(_block(url, scratch, 0))[0])
            commits += _commits(scratch)
            void = void or disturbance()
        with folder() as scratch, gateway() as url:
            waits, rate = asyncio.run(_block(url, scratch, PENDING))
            busy.append(waits)
            polls.append(rate)
    idle, loaded = (p99([each for block in blocks for each in block]) for blocks in (rest, busy))
    disk = f"a bare commit takes {p99(commits) * 1e3:.1f}"
    note = f"{loaded * 1e3:.1f} ms at {PENDING} pending and {min(polls):.0f} polls/s"
    slow = "" if min(polls) > 0.9 * PENDING / STEP else "its polls fell behind"
    ratio = Spread.of([p99(one) / p99(other) for one, other in zip(busy, rest, strict=True)])
    return [
        at_most(
            "G4 idle", idle * 1e3, 15, what=f"ms to the card, p99 of 1,000 ({disk})", void=void
        ),
        at_most("G4 loaded", ratio, 2.5, what=f"÷ at rest: {note}", void=void or slow),
    ]


async def _block(url: str, scratch: Path, pending: int) -> tuple[list[float], float]:
    """Return the waiting times at one service, and its polls per second meanwhile."""
    step = {"GATEWAYS__MAIN__POLL_STEP": str(STEP)}
    settings = service.config(url, scratch, **step)
    await service.make_rows(settings, running=pending, every=STEP, held=True)
    async with running(url, scratch, step) as one:
        await _warm(one)
        before, begun = counted(url)["looks"], time.perf_counter()
        waits = [await _paced(one) for _ in range(ORDERS)]
        return waits, (counted(url)["looks"] - before) / (time.perf_counter() - begun)


async def _warm(one: Service) -> None:
    """Wait until the service works at its usual pace."""
    for _ in range(20):
        await _paced(one)
    await asyncio.sleep(STEP / 2)


async def _paced(one: Service) -> float:
    await asyncio.sleep(PAUSE)
    return await one.acknowledged()


def _commits(scratch: Path) -> list[float]:
    """Return the seconds of some durable transactions on this disk: the least that is possible."""
    found = []
    with closing(sqlite3.connect(scratch / "bare.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE rows (value TEXT)")
        for _ in range(ORDERS):
            begun = time.perf_counter()
            database.execute("INSERT INTO rows VALUES ('a')")
            found.append(time.perf_counter() - begun)
            time.sleep(0.005)
    return found
