"""Steps beside each other, and one alone."""

import pytest

from bot.core.alone import ROOM, Alone
from tests.fakes.clock import FakeClock


async def test_who_wants_to_be_alone_lets_those_inside_go_first_and_nobody_else_in() -> None:
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


async def test_one_that_never_comes_back_keeps_the_others_out_for_half_a_minute_only() -> None:
    clock = FakeClock()
    alone = Alone(clock.steady)
    with alone.beside(), alone.alone() as may:
        assert not may
    with alone.beside() as may:
        assert not may
    await clock.advance(ROOM)
    with alone.beside() as may:
        assert may


async def test_one_that_fails_keeps_nobody_out() -> None:
    alone = Alone(FakeClock().steady)
    for way in (alone.beside, alone.alone):
        with pytest.raises(ZeroDivisionError), way():
            raise ZeroDivisionError
        with alone.alone() as may:
            assert may
