"""The machine's clock, corrected for jumps."""

import pytest

from bot.core.clock import STEP, SystemClock


class Machine:
    """A wall clock that can be set and a steady clock."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.steady = 50.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.mark.parametrize("step", [86_400.0, -86_400.0, 3 * 86_400.0, STEP, -STEP])
def test_a_jump_of_the_clock_is_ignored_until_it_is_adopted(step: float) -> None:
    machine = Machine()
    clock = SystemClock(lambda: machine.wall, lambda: machine.steady)
    machine.passes(100)
    machine.wall += step
    assert clock.now() == 1_000_100.0
    assert clock.step() == pytest.approx(step)
    assert clock.now() == 1_000_100.0
    clock.adopt(clock.step())
    assert clock.now() == 1_000_100.0 + step
    assert clock.step() == 0.0


def test_a_small_correction_of_the_clock_is_followed_at_once() -> None:
    machine = Machine()
    clock = SystemClock(lambda: machine.wall, lambda: machine.steady)
    for _ in range(100):
        machine.passes(60)
        machine.wall += 0.9 * STEP
        assert clock.step() == 0.0
        assert clock.now() == pytest.approx(machine.wall)
    assert clock.settled() == 6000.0


def test_settled_tells_the_seconds_since_the_last_jump_of_the_clock() -> None:
    machine = Machine()
    clock = SystemClock(lambda: machine.wall, lambda: machine.steady)
    machine.passes(100)
    machine.wall += 3600
    assert clock.settled() == 100
    clock.adopt(clock.step())
    machine.passes(7)
    assert clock.settled() == 7
