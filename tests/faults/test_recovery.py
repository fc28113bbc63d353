"""After any single fault, everything that is due goes on within a minute.

Each fault happens to the real service in a process of its own. The time counts from the end of the
fault (the next start, or the gateway's last bad answer) until the channel shows the end. The
seconds per fault and database are shown by `pytest -n0 -rP -m "proof or long"
tests/faults/test_recovery.py`.
"""

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bot.simulator.faults import Fault
from tests.conftest import NewUrl
from tests.e2e.world import WAIT, World, is_result

from .test_kill import asked, died, settled

LIMIT = 60.0
"""The most seconds that a recovery may take."""
Recovery = Callable[[World, str], Awaitable[float]]


async def until_settled(world: World) -> None:
    async with asyncio.timeout(LIMIT + WAIT):
        while not settled(world):
            await world.discord.next("request", timeout=LIMIT + WAIT)


@asynccontextmanager
async def started(world: World, url: str) -> AsyncIterator[None]:
    """Run the service once more, until the channel shows the end."""
    async with world.process(DATABASE_URL=url) as process:
        await world.discord.connected(timeout=WAIT)
        yield
        await until_settled(world)
        process.terminate()
        await died(process)


async def after_a_start(world: World, url: str) -> float:
    """Return the seconds from a start until the channel shows the end."""
    async with started(world, url):
        began = time.monotonic()
    return time.monotonic() - began


def killed_while(operation: str, times: int = 1) -> Recovery:
    """Kill the process `times` times in a row while the gateway works on such a request."""

    async def recovery(world: World, url: str) -> float:
        async with world.simulator.holding(operation):  # type: ignore[arg-type]
            async with asked(world, DATABASE_URL=url) as (process, _, _):
                await world.simulator.next(operation)  # type: ignore[arg-type]
                process.kill()
                await died(process)
            for _ in range(times - 1):
                async with world.process(DATABASE_URL=url) as process:
                    await world.simulator.next(operation)  # type: ignore[arg-type]
                    process.kill()
                    await died(process)
        return await after_a_start(world, url)

    return recovery


async def killed_while_posting(world: World, url: str) -> float:
    hold = world.discord.hold("POST", r"/channels/\d+/messages$")
    async with asked(world, DATABASE_URL=url) as (process, _, _):
        await hold.reached(timeout=WAIT)
        process.kill()
        await died(process)
    hold.release()
    return await after_a_start(world, url)


def answered(operation: str, status: int, times: int, body: str | None = None) -> Recovery:
    """Let the gateway answer this `times` times, and measure from its last bad answer."""

    async def recovery(world: World, url: str) -> float:
        fault = Fault(operation, "answer", status, body=body)  # type: ignore[arg-type]
        world.simulator.faults.add(fault, times=times)
        async with asked(world, DATABASE_URL=url) as (process, _, _):
            for _ in range(times):
                await world.simulator.next(operation)  # type: ignore[arg-type]
            began = time.monotonic()
            await until_settled(world)
            process.terminate()
            await died(process)
        return time.monotonic() - began

    return recovery


async def full_disk(world: World, url: str) -> float:
    """Let the kernel refuse all writes for eight seconds, just as the video is made."""
    async with asked(world, DATABASE_URL=url) as (process, _, _):
        async with world.simulator.holding("content"):
            await world.simulator.next("content")
            before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 8)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
        began = time.monotonic()
        await until_settled(world)
        process.terminate()
        await died(process)
    return time.monotonic() - began


FAULTS: dict[str, Recovery] = {
    "killed in the POST": killed_while("create"),
    "killed in a poll": killed_while("retrieve"),
    "killed while fetching the video": killed_while("content"),
    "killed three times while fetching the video": killed_while("content", 3),
    "killed while posting": killed_while_posting,
    "one 401 to the POST": answered("create", 401, 1),
    "one 401 to a poll": answered("retrieve", 401, 1),
    "one 401 to the download": answered("content", 401, 1),
    "ten times 502 to polls": answered("retrieve", 502, 10),
    "eight seconds of a full disk": full_disk,
}


LONG = {"one 401 to a poll", "one 401 to the download"}
"""Faults that take almost a minute, each like another fault of the table."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(it, marks=pytest.mark.long if it in LONG else pytest.mark.proof)
        for it in FAULTS
    ],
)
async def test_everything_due_goes_on_within_a_minute_of_any_single_fault(
    world: World, new_url: NewUrl, fault: str
) -> None:
    url = await new_url()
    seconds = await FAULTS[fault](world, url)
    sys.stdout.write(f"{url.partition('+')[0]:<12}{fault:<48}{seconds:6.1f} s\n")
    assert seconds < LIMIT
    assert world.simulator.charges <= 1
    results = [message for message in world.discord.posts() if is_result(message)]
    assert world.discord.posts() == results
    assert len(results) == 1
    unsure = "killed in the POST" in fault
    assert bool(results[0].attachments) is not unsure


@pytest.mark.proof
@pytest.mark.timeout(200)
async def test_a_stop_during_a_post_takes_less_than_a_minute_and_its_end_is_shown(
    world: World,
) -> None:
    async with world.simulator.holding("create"), asked(world) as (process, _, _):
        await world.simulator.next("create")
        began = time.monotonic()
        process.terminate()
        async with asyncio.timeout(LIMIT + WAIT):
            assert await process.wait() == 0
        assert 30 < time.monotonic() - began < LIMIT
    async with world.process() as process:
        await world.discord.connected(timeout=WAIT)
        await until_settled(world)
    assert world.simulator.charges == 1
