"""The real service while its machine's clock is set: a video in progress is posted all the same."""

import time

import pytest

from bot.core.clock import SystemClock
from bot.simulator.faults import Fault
from tests.e2e.world import World

DAY = 86_400.0


class Settable(SystemClock):
    """The system's clock, plus the seconds by which a test has set it."""

    def __init__(self) -> None:
        self.ahead = 0.0
        super().__init__(wall=lambda: time.time() + self.ahead)


@pytest.mark.parametrize(
    "step", [3 * DAY, *(pytest.param(it, marks=pytest.mark.proof) for it in (DAY, -DAY, -3 * DAY))]
)
async def test_a_video_in_progress_is_posted_although_the_machines_clock_was_set(
    world: World, step: float
) -> None:
    world.clock = clock = Settable()
    world.simulator.faults.add(Fault("retrieve", "answer", 500), times=10)
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        clock.ahead += step
        assert (await world.result()).attachments
        assert clock.now() == pytest.approx(time.time() + step, abs=1), "it was noticed meanwhile"
    assert world.simulator.charges == 1
