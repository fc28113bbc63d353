"""G11: whole jobs, from the order in Discord to the posted video, per second of processor time.

Only the service's main process counts, not the worker processes that check videos. The video is
ready at the first poll, because G1 measures polls.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import service
from bench.figures import Figure, Spread, at_least, at_most, folder
from bench.paired import Slice
from bench.process import Service, running
from bench.stub import Stub, gateway
from bot.simulator.render import encode
from bot.simulator.scenes import Scene

GOAL = "G11"
TODAY = 10_000
ROUNDS, JOBS, AT_ONCE = 9, 12, 4
COUNTED = 12
"""Jobs whose transactions are counted, one job after the other."""


def figures() -> list[Figure]:
    """Let two services take turns, and count the transactions of a third."""
    stub = Stub(ready_after=0.0, video=video())
    with folder() as empty, folder() as full, folder() as third, gateway(stub) as url:
        folders = {"empty": empty, "full": full}
        found = asyncio.run(_rounds(url, folders))
        writes = asyncio.run(_writes(url, third))
    per_second = {
        name: Spread.of([each[name].units / each[name].cpu for each in found]) for name in folders
    }
    what = "whole jobs per CPU s of the service"
    return [
        at_least("G11 empty", per_second["empty"], 40, what=f"{what}, an empty day"),
        at_least("G11 full", per_second["full"], 40, what=f"{what}, {TODAY} jobs today"),
        at_most("G11 writes", writes, 8, what=f"write transactions of a job, of {COUNTED} in turn"),
    ]


def video() -> bytes:
    """Return a video of four seconds, like those of gateways."""
    clip = Scene(model="sora-2", prompt="a cat", width=640, height=360, seconds=4)
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "video.mp4"
        encode(clip, path)
        return path.read_bytes()


async def _rounds(url: str, folders: dict[str, Path]) -> list[dict[str, Slice]]:
    async with AsyncExitStack() as stack:
        services: dict[str, Service] = {}
        for name, scratch in folders.items():
            today = TODAY if name == "full" else 0
            await service.make_rows(service.config(url, scratch), delivered=today)
            services[name] = await stack.enter_async_context(running(url, scratch))
            await services[name].jobs(AT_ONCE, at_once=AT_ONCE)  # warm up: connect and learn
        found = []
        for number in range(ROUNDS):
            names = list(services) if number % 2 else list(reversed(services))
            found.append({it: await services[it].jobs(JOBS, at_once=AT_ONCE) for it in names})
        return found


async def _writes(url: str, scratch: Path) -> float:
    """Return the write transactions of one job while no other job is there."""
    file = scratch / "count"
    async with running(url, scratch, count=file) as one:
        await one.jobs(1, at_once=1)
        before = int(file.read_text("ascii"))
        await one.jobs(COUNTED, at_once=1)
        return (int(file.read_text("ascii")) - before) / COUNTED
