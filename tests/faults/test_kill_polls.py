"""SIGKILL between the answers to a batch of polls and their write, again and again.

Every job in progress is delivered in the end, none is charged twice, and none is posted twice.
"""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from bot.simulator.faults import ALWAYS, Fault
from tests.conftest import NewUrl
from tests.e2e.processes import Running
from tests.e2e.world import WAIT, World, is_card, is_result

from .test_kill import died, rows

JOBS = 5


def begun(
    world: World, url: str | None, victim: dict[str, str] | None = None
) -> AbstractAsyncContextManager[Running]:
    """Return the service on this database, or on SQLite if `url` is None."""
    if url is None:
        return world.process(victim=victim)
    return world.process(victim=victim, DATABASE_URL=url)


async def ordered(world: World, url: str | None = None) -> None:
    """Order jobs that are in progress, by a process that has ended since."""
    made = {"status": "in_progress", "progress": 40}
    world.simulator.faults.add(Fault("retrieve", patch=made), ALWAYS)
    async with begun(world, url) as process:
        await world.discord.connected(timeout=WAIT)
        for number in range(JOBS):
            await world.discord.person("ann").slash("video", prompt=f"a cat {number}")
        async with asyncio.timeout(WAIT):
            asked: set[str | None] = set()
            while len(asked) < JOBS:
                asked.add((await world.simulator.next("retrieve")).video)
        process.kill()
        await died(process)


async def killed(world: World, batch: int, url: str | None = None) -> int:
    """Return how many polls were answered before the process was killed at its `batch`-th write."""
    before = _polls(world)
    async with begun(world, url, {"VICTIM_LOOKS": str(batch)}) as process:
        async with asyncio.timeout(2 * WAIT):
            assert await process.wait() == -9
    return _polls(world) - before


async def finished(world: World, url: str | None = None) -> None:
    """Let all go well from here on, and check: each job has one video, one message, one charge."""
    world.simulator.faults.clear()
    async with begun(world, url) as process:
        async with asyncio.timeout(3 * WAIT):
            while not _is_over(world):
                await world.discord.next("request", timeout=2 * WAIT)
        process.terminate()
        assert await process.wait() == 0
    assert world.simulator.charges == JOBS
    said = world.discord.posts()
    assert [len(each.attachments) for each in said] == [1] * JOBS


def _polls(world: World) -> int:
    return sum(entry.operation == "retrieve" for entry in world.simulator.journal)


def _is_over(world: World) -> bool:
    said = world.discord.posts()
    return sum(map(is_result, said)) >= JOBS and not any(map(is_card, said))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "deaths",
    [pytest.param(15, marks=pytest.mark.proof), pytest.param(50, marks=pytest.mark.long)],
)
async def test_many_kills_between_poll_answers_and_their_write_lose_and_double_nothing(
    world: World, deaths: int
) -> None:
    await ordered(world)
    polls = [await killed(world, 1 + number % 3) for number in range(deaths)]
    assert min(polls) >= JOBS, "each batch had its answers"
    await finished(world)
    assert rows(world, "SELECT status, count(*) FROM jobs GROUP BY status") == [("delivered", JOBS)]
    assert rows(world, "SELECT max(crashes) FROM jobs") == [(0,)]


@pytest.mark.proof
async def test_kills_between_poll_answers_and_their_write_on_postgresql_lose_and_double_nothing(
    world: World, new_postgres_url: NewUrl
) -> None:
    url = await new_postgres_url()
    await ordered(world, url)
    for number in range(5):
        await killed(world, 1 + number % 2, url)
    await finished(world, url)
