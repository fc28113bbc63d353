"""A running simulator with a clock that only the test moves, and a client that has the key."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.simulator.profiles import Profile
from bot.simulator.render import Renderer
from bot.simulator.scenes import Scene
from bot.simulator.server import Simulator

BLANK = b"\0\0\0\x10ftypisom" + bytes(4096)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1_640_995_200.0

    def __call__(self) -> float:
        return self.time


class BlankRenderer(Renderer):
    """A renderer that writes the same few bytes for every video."""

    async def render(self, scene: Scene, path: Path) -> None:
        path.write_bytes(BLANK)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    return Simulator(now=clock, renderer=BlankRenderer())


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        simulator.serve() as url,
        aiohttp.ClientSession(url, headers={"Authorization": "Bearer sk-sim"}) as session,
    ):
        yield session


@contextlib.asynccontextmanager
async def served(
    profile: Profile,
    clock: Clock,
    *,
    tick: float | None = None,
    at_once: int | None = None,
    other_keys: tuple[str, ...] = (),
) -> AsyncIterator[tuple[Simulator, aiohttp.ClientSession]]:
    """Yield a simulator of this profile and a client of it."""
    simulator = Simulator(
        profile=profile, now=clock, renderer=BlankRenderer(), tick=tick, at_once=at_once,
        other_keys=other_keys,
    )  # fmt: skip
    async with (
        simulator.serve() as url,
        aiohttp.ClientSession(url, headers={"Authorization": "Bearer sk-sim"}) as session,
    ):
        yield simulator, session
