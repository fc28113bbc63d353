"""The other programs that poll jobs: a bare loop of GETs, a naive bot, the OpenAI SDK."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp

from bench.paired import Work
from bench.stub import counted

KEY = {"Authorization": "Bearer sk-bench"}
IN_FLIGHT = 16
"""Simultaneous polls, as many as the service makes."""
MANY = 10_000
"""Jobs of the naive bot, which has a task for each."""
FEW = 1_000
"""Jobs of the SDK, with a task for each. With more jobs it makes hardly any progress."""


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Work]:
    """Poll with `IN_FLIGHT` tasks that GET and read, and store nothing."""
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def poll(number: int) -> None:
            async with session.get(f"{url}/v1/videos/video_{number}", headers=KEY) as answer:
                await answer.read()

        yield by_tasks(poll)


@asynccontextmanager
async def sdk(url: str) -> AsyncIterator[Work]:
    """Poll with the OpenAI SDK's own loop, `videos.poll`, in a task per job, and store nothing."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(api_key="sk-bench", base_url=f"{url}/v1", max_retries=0) as client:
        polls = [client.videos.poll(f"video_{each}", poll_interval_ms=50) for each in range(FEW)]
        tasks = [asyncio.create_task(poll) for poll in polls]

        async def work(seconds: float) -> float:
            before = counted(url)["looks"]
            await asyncio.sleep(seconds)
            return counted(url)["looks"] - before

        yield work
        await _ended(tasks)


@asynccontextmanager
async def naive(url: str, folder: Path) -> AsyncIterator[Work]:
    """Poll like a naive bot: a task per job, with a GET, an UPDATE, a durable commit, a sleep."""
    done = 0
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:
        with closing(_jobs(folder / "naive.db")) as database:

            async def job(number: int) -> None:
                nonlocal done
                while True:
                    async with session.get(
                        f"{url}/v1/videos/video_{number}", headers=KEY
                    ) as answer:
                        state = await answer.json()
                    values = (state["status"], state["progress"], number)
                    with database:
                        database.execute(
                            "UPDATE jobs SET status = ?, progress = ? WHERE id = ?", values
                        )
                    done += 1
                    await asyncio.sleep(0.05)

            tasks = [asyncio.create_task(job(number)) for number in range(MANY)]

            async def work(seconds: float) -> float:
                before = done
                await asyncio.sleep(seconds)
                return done - before

            yield work
            await _ended(tasks)


async def _ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _jobs(file: Path) -> sqlite3.Connection:
    """Create a table of jobs in a database that is as durable as ours."""
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    with database:
        database.execute(
            "CREATE TABLE jobs (id INTEGER PRIMARY KEY, status TEXT, progress INTEGER)"
        )
        rows = [(number, "queued", 0) for number in range(MANY)]
        database.executemany("INSERT INTO jobs VALUES (?, ?, ?)", rows)
    return database


def by_tasks(poll: Callable[[int], Awaitable[None]]) -> Work:
    """Return work that keeps `IN_FLIGHT` polls running until its time is over."""

    async def work(seconds: float) -> float:
        loop = asyncio.get_running_loop()
        ends, numbers = loop.time() + seconds, itertools.count()
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(_until(ends, numbers, poll))
        return next(numbers)

    return work


async def _until(
    ends: float, numbers: Iterator[int], poll: Callable[[int], Awaitable[None]]
) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < ends:
        await poll(next(numbers))
