"""A bell is heard once per ring, by its own listener and by those of the bells it rings along."""

import asyncio
import math

import pytest

from bot.core.wake import UNKNOWN, Wake


async def is_heard(bell: Wake) -> bool:
    try:
        await asyncio.wait_for(bell.heard(), 0.01)
    except TimeoutError:
        return False
    return True


async def test_a_ring_is_heard_once() -> None:
    bell = Wake()
    bell.ring()
    bell.ring()
    assert [await is_heard(bell), await is_heard(bell)] == [True, False]


@pytest.mark.parametrize("number", [0, 1])
async def test_bells_ring_along(number: int) -> None:
    others = (Wake(), Wake())
    Wake(*others).ring()
    assert await is_heard(others[number])


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_loop_that_waits_for_a_time_hears_no_ring_of_a_later_one() -> None:
    bell = Wake()
    resting = asyncio.create_task(bell.heard_within(forever(), until=10.0))
    await asyncio.sleep(0)
    bell.ring(10.0)
    await asyncio.sleep(0)
    assert (resting.done(), bell.due()) == (False, math.inf)
    bell.ring(9.0)
    await resting
    assert (bell.due(), bell.due()) == (9.0, math.inf)


async def test_the_end_of_a_nap_wakes_once() -> None:
    bell = Wake()
    await bell.heard_within(asyncio.sleep(0))
    assert not await is_heard(bell)


async def test_a_ring_ends_the_nap_which_is_not_heard_afterwards() -> None:
    bell = Wake()
    bell.ring()
    await bell.heard_within(forever())
    assert not await is_heard(bell)


@pytest.mark.parametrize(
    ("rings", "due"), [([12.0, 11.0, 13.0], 11.0), ([11.0, UNKNOWN], UNKNOWN), ([], math.inf)]
)
async def test_the_earliest_of_all_rings_is_told(rings: list[float], due: float) -> None:
    bell = Wake()
    for at in rings:
        bell.ring(at)
    assert bell.due() == due
