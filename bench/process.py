"""The service as a process, between the tests' imitation of Discord and the stub gateway.

The service's real discord.py talks to the imitation. The imitation runs in the process that
measures, so its processor time does not count as the service's.
"""

import asyncio
import itertools
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from bench import service
from bench.paired import Failed, Slice, processor_time_of
from tests.e2e.world import is_result
from tests.fakes.discord import FakeDiscord

WAIT = 120.0
"""The timeout of every wait, in seconds."""
PEOPLE = 50


class Service:
    """A running service, and the people who order from it."""

    def __init__(self, discord: FakeDiscord, pid: int) -> None:
        self.pid = pid
        self._discord = discord
        people = [discord.person(f"person {each}") for each in range(PEOPLE)]
        self._people = itertools.cycle(people)
        self._results = asyncio.Semaphore(0)
        """Counts the results that were posted in the channel and not awaited yet."""

    @property
    def memory(self) -> float:
        """The resident memory of the service's process in bytes."""
        pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
        return int(pages) * float(os.sysconf("SC_PAGE_SIZE"))

    async def acknowledged(self) -> float:
        """Order a video. Return the seconds until its person sees the card; infinity if refused."""
        begun = time.perf_counter()
        taken = await self._order()
        return time.perf_counter() - begun if taken else math.inf

    async def jobs(self, count: int, *, at_once: int) -> Slice:
        """Order `count` videos and wait until all have been posted. A unit is a whole job."""
        cpu, begun = processor_time_of(self.pid), time.perf_counter()
        for number in range(count):
            if number >= at_once:
                await self._result()
            while not await self._order():
                pass  # the service was too busy to take the order
        for _ in range(min(count, at_once)):
            await self._result()
        return Slice(count, time.perf_counter() - begun, processor_time_of(self.pid) - cpu)

    async def watch(self) -> None:
        """Consume the events of the imitation of Discord, so that its queues stay empty."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_results())
            for kind in ("edit", "delete", "interaction", "request"):
                group.create_task(self._forget(kind))

    async def _watch_results(self) -> None:
        while True:
            message = await self._discord.next("message", timeout=1e6)
            if is_result(message):
                self._results.release()

    async def _forget(self, kind: str) -> None:
        while True:
            await self._discord.next(kind, timeout=1e6)  # type: ignore[call-overload]

    async def _result(self) -> None:
        async with asyncio.timeout(WAIT):
            await self._results.acquire()

    async def _order(self) -> bool:
        """Order a video and wait for the answer. True if the order was taken."""
        order = await next(self._people).slash("video", prompt="a cat on the moon")
        return not (await order.answered(WAIT)).ephemeral


@asynccontextmanager
async def running(
    url: str,
    folder: Path,
    changes: Mapping[str, str] = MappingProxyType({}),
    *,
    count: Path | None = None,
) -> AsyncIterator[Service]:
    """Run the service over the stub at `url` and wait until it is connected to Discord.

    `count`: the file for the number of transactions, if they are counted.
    """
    async with FakeDiscord() as discord:
        chat = {
            "PLAYGROUND__ENABLED": "false",
            "DISCORD__TOKEN": discord.token,
            "DISCORD__API_URL": discord.api_url,
            "DISCORD__GATEWAY_URL": discord.gateway_url,
        }
        module = "bench.counted" if count else "bot"
        variables = (
            os.environ
            | {"BENCH_COUNT": str(count)}
            | service.variables(url, folder, **chat, **changes)
        )
        with (folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, "run"), env=variables, stdout=log, stderr=log
            )
            one = Service(discord, process.pid)
            watching = asyncio.create_task(one.watch())
            try:
                await discord.connected(WAIT)
                await discord.offers(WAIT)
                yield one
            finally:
                watching.cancel()
                if process.returncode is not None:
                    raise Failed(f"the service ended by itself: {_last_words(folder / 'log')}")
                await _stopped(process)


def _last_words(log: Path) -> str:
    return log.read_text("utf-8").strip()[-300:]


async def _stopped(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        async with asyncio.timeout(60):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
