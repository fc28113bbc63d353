"""G12: memory and processor time of the idle service, beside an earlier build ("part 4").

Both builds run as an operator runs them, with Discord and Telegram on, in this environment: their
lock files name the same versions of all packages that both need. Each build was started before, so
its modules are compiled and its tables exist. The build of part 4 runs twice in a round, as the
control.
"""

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from asyncio import create_subprocess_exec
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, Spread, at_most, folder, void
from bench.paired import CONTROL
from tests.fakes.discord import FakeDiscord
from tests.fakes.telegram import FakeTelegram

GOAL = "G12"
PART_4 = "dbd992a0be8852532aa4b3e0525c2432ee9fadeb"
"""The last commit of part 4."""
MOST_MEMORY, MOST_CPU = 0.5, 0.4
ROUNDS = 5
IDLE = 5.0
"""Seconds from ready until the memory is read."""
PATIENCE = 60.0
HERE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Build:
    """A tree of sources, and the data folder of the service that runs from it."""

    sources: Path
    data: Path


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one process and its running children."""

    cpu: float
    """Seconds of processor time until Telegram was polled and Discord had the commands."""
    resident: float
    """MB of resident memory (RSS) while idle."""
    share: float
    """MB of proportional memory (PSS) while idle: a shared page counts in part."""


@dataclass(frozen=True, slots=True)
class Round:
    former: Cost
    ours: Cost
    control: Cost

    def ratio(self, of: Callable[[Cost], float]) -> float:
        return of(self.ours) / of(self.former)

    def drift(self, of: Callable[[Cost], float]) -> float:
        """Return the ratio of the earlier build to itself: 1 if nothing disturbed the round."""
        return of(self.control) / of(self.former)


def figures() -> list[Figure]:
    """Return the ratios of memory and processor time, each taken within a round."""
    with folder() as scratch:
        try:
            former = _former(scratch)
        except (OSError, subprocess.CalledProcessError) as error:
            why = f"part 4 can't be checked out: {error}"
            return [
                void("G12 memory", f"≤ {MOST_MEMORY:g}", why),
                void("G12 CPU", f"≤ {MOST_CPU:g}", why),
            ]
        rounds = asyncio.run(_rounds(former, Build(HERE, scratch / "ours")))
    pss = Spread.of([each.ratio(_share) for each in rounds]).median
    memory = f"MB of idle RSS beside part 4's; PSS {pss:.2f}"
    return [
        _judged("G12 memory", rounds, _resident, MOST_MEMORY, what=memory),
        _judged("G12 CPU", rounds, _cpu, MOST_CPU, what="s of CPU until ready beside part 4's"),
    ]


def _resident(cost: Cost) -> float:
    return cost.resident


def _share(cost: Cost) -> float:
    return cost.share


def _cpu(cost: Cost) -> float:
    return cost.cpu


def _judged(
    name: str, rounds: list[Round], of: Callable[[Cost], float], limit: float, *, what: str
) -> Figure:
    drift = Spread.of([each.drift(of) for each in rounds]).median
    lowest, highest = CONTROL
    why = "" if lowest <= drift <= highest else f"part 4 beside itself is {drift:.2f}"
    ours = Spread.of([of(each.ours) for each in rounds]).median
    ratio = Spread.of([each.ratio(of) for each in rounds])
    return at_most(name, ratio, limit, what=f"{ours:.3g} {what}", void=why)


def _former(scratch: Path) -> Build:
    """Check out the build of part 4 from the repository into `place`."""
    command = ["git", "archive", PART_4, "bot"]
    archive = subprocess.run(command, cwd=HERE, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(scratch / "part-4", filter="data")
    return Build(scratch / "part-4", scratch / "former")


async def _rounds(former: Build, ours: Build) -> list[Round]:
    for build in (former, ours):
        build.data.mkdir()
        (build.data / "config.toml").touch()
        await _cost(build, idle=0.0)
    found = []
    for number in range(ROUNDS):
        first, mine, second = [await _cost(build) for build in (former, ours, former)]
        found.append(Round(first, mine, second) if number % 2 else Round(second, mine, first))
    return found


async def _cost(build: Build, *, idle: float = IDLE) -> Cost:
    async with FakeDiscord() as discord, FakeTelegram() as telegram:
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run", "--config", str(build.data / "config.toml")),
            cwd=build.sources,
            env=_environment(build, discord, telegram),
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        try:
            await discord.connected(PATIENCE)
            await discord.offers(PATIENCE)
            await telegram.next("poll", timeout=PATIENCE)
            cpu = _seconds(process.pid)
            await asyncio.sleep(idle)
            resident, share = (_megabytes(process.pid, kind) for kind in ("Rss", "Pss"))
            return Cost(cpu=cpu, resident=resident, share=share)
        finally:
            process.kill()
            await process.wait()
            telegram.updates.end_poll()


def _environment(build: Build, discord: FakeDiscord, telegram: FakeTelegram) -> dict[str, str]:
    ours = {
        "DATA_DIR": str(build.data),
        "WEB__PORT": "0",
        "ACCESS": "open",
        "DISCORD__TOKEN": discord.token,
        "DISCORD__API_URL": discord.api_url,
        "DISCORD__GATEWAY_URL": discord.gateway_url,
        "TELEGRAM__TOKEN": telegram.token,
        "TELEGRAM__API_URL": telegram.api_url,
        "GATEWAYS__MAIN__BASE_URL": "http://127.0.0.1:9/v1",
        "GATEWAYS__MAIN__API_KEY": "sk-nobody",
    }
    variables = {f"ZOETROPE_{name}": value for name, value in ours.items()}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(build.sources), **variables}


def _seconds(pid: int) -> float:
    """Return the processor time of a process and its ended children: columns 14 to 17 of
    `/proc/PID/stat`, see proc(5)."""
    columns = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return sum(map(int, columns[11:15])) / os.sysconf("SC_CLK_TCK")


def _megabytes(pid: int, kind: str) -> float:
    """Return the memory of a process and its children in MB. `kind` is a key of smaps_rollup."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return sum(_kilobytes(each, kind) for each in (str(pid), *children)) / 1024


def _kilobytes(pid: str, kind: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))
