"""A bell is heard once per ring, by its own listener and by those of the bells it rings along."""

import asyncio

import pytest

from bot.core.wake import Wake


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
