"""Steps that run at the same time, and one that runs alone."""

import pytest

from bot.core.alone import ROOM, Alone
from tests.fakes.clock import FakeClock


async def test_a_step_that_asks_to_run_alone_waits_for_running_steps_and_blocks_new_ones() -> None:
    clock = FakeClock()
    alone = Alone(clock.steady)
    with alone.beside() as first, alone.beside() as second:
        assert (first, second) == (True, True)
        with alone.alone() as may:
            assert not may
        with alone.beside() as may:
            assert not may, "or it would wait for ever"
    with alone.alone() as may:
        assert may
        with alone.beside() as beside:
            assert not beside
    with alone.beside() as may:
        assert may


async def test_a_running_step_that_never_ends_blocks_other_steps_for_half_a_minute_at_most() -> (
    None
):
    clock = FakeClock()
    alone = Alone(clock.steady)
    with alone.beside(), alone.alone() as may:
        assert not may
    with alone.beside() as may:
        assert not may
    await clock.advance(ROOM)
    with alone.beside() as may:
        assert may


async def test_a_step_that_raises_blocks_no_other_step() -> None:
    alone = Alone(FakeClock().steady)
    for way in (alone.beside, alone.alone):
        with pytest.raises(ZeroDivisionError), way():
            raise ZeroDivisionError
        with alone.alone() as may:
            assert may
