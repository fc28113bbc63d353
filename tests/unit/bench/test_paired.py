"""Variants take turns in processes of their own; what their work costs is theirs alone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.paired import Failed, Slice, Work, children, cost, disturbed, ratio


@asynccontextmanager
async def ticking() -> AsyncIterator[Work]:
    """A task that goes on by itself, with a deadline of two seconds."""
    ticks, late = 0, False

    async def tick() -> None:
        nonlocal ticks, late
        try:
            async with asyncio.timeout(2.0):
                while True:
                    ticks += 1
                    await asyncio.sleep(0.01)
        except TimeoutError:
            late = True

    task = asyncio.create_task(tick())

    async def work(seconds: float) -> float:
        before = ticks
        await asyncio.sleep(seconds)
        return -1 if late else ticks - before

    yield work
    task.cancel()


@asynccontextmanager
async def absent() -> AsyncIterator[Work]:
    raise ImportError("No module named 'peer'")
    yield


@pytest.mark.proof
def test_a_variant_stands_still_between_its_slices_and_its_deadlines_too() -> None:
    with children({"ticking": ticking}) as begun:
        first = begun["ticking"].work(0.2)
        time.sleep(2.5)
        second = begun["ticking"].work(0.2)
    assert 0 < second.units <= 2 * first.units
    assert second.cpu < 0.2


def test_a_peer_that_is_not_there_is_told_by_its_name() -> None:
    with (
        pytest.raises(Failed, match="peer: ImportError: No module named 'peer'"),
        children({"peer": absent}),
    ):
        pass


def test_the_ratio_is_taken_inside_each_round() -> None:
    """Of a machine that gets twice as slow every round, nothing is seen."""
    found = [
        {"ours": Slice(8, 1.0, 3.0 * slow), "bare": Slice(8, 1.0, 2.0 * slow)}
        for slow in (1.0, 2.0, 4.0)
    ]
    assert ratio(found, "ours", "bare", cost).quartiles == (1.5, 1.5)


@pytest.mark.parametrize(("again", "is_void"), [(1.0, False), (1.06, False), (1.1, True)])
def test_a_run_in_which_the_same_differs_from_itself_is_void(again: float, is_void: bool) -> None:
    found = [{"bare": Slice(10, 1.0, 1.0), "again": Slice(10, 1.0, again)}]
    assert bool(disturbed(found, "bare", "again")) is is_void
