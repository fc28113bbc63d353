"""A bell wakes its own listener once per ring, and the listeners of the bells attached to it."""

import asyncio
import math

import pytest

from bot.core.wake import UNKNOWN, Wake


async def is_heard(bell: Wake) -> bool:
    """Whether the bell's listener is woken at once."""
    try:
        await asyncio.wait_for(bell.heard(), 0.01)
    except TimeoutError:
        return False
    return True


async def test_two_rings_of_a_bell_wake_its_listener_once() -> None:
    bell = Wake()
    bell.ring()
    bell.ring()
    assert [await is_heard(bell), await is_heard(bell)] == [True, False]


@pytest.mark.parametrize("number", [0, 1])
async def test_a_bell_rings_the_bells_attached_to_it(number: int) -> None:
    others = (Wake(), Wake())
    Wake(*others).ring()
    assert await is_heard(others[number])


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_loop_that_sleeps_until_a_time_is_not_woken_by_a_ring_for_a_later_time() -> None:
    bell = Wake()
    resting = asyncio.create_task(bell.heard_within(forever(), until=10.0))
    await asyncio.sleep(0)
    bell.ring(10.0)
    await asyncio.sleep(0)
    assert (resting.done(), bell.due()) == (False, math.inf)
    bell.ring(9.0)
    await resting
    assert (bell.due(), bell.due()) == (9.0, math.inf)


async def test_the_end_of_a_sleep_wakes_a_loop_once() -> None:
    bell = Wake()
    await bell.heard_within(asyncio.sleep(0))
    assert not await is_heard(bell)


async def test_a_ring_that_ends_a_sleep_is_not_heard_a_second_time() -> None:
    bell = Wake()
    bell.ring()
    await bell.heard_within(forever())
    assert not await is_heard(bell)


@pytest.mark.parametrize(
    ("rings", "due"), [([12.0, 11.0, 13.0], 11.0), ([11.0, UNKNOWN], UNKNOWN), ([], math.inf)]
)
async def test_a_bell_tells_the_earliest_time_of_all_its_rings(
    rings: list[float], due: float
) -> None:
    bell = Wake()
    for at in rings:
        bell.ring(at)
    assert bell.due() == due
