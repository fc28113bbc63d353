"""The variants of a benchmark take turns in processes of their own, so that each pays only for its
own work.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.paired import Failed, Slice, Work, children, cost, disturbed, ratio


@asynccontextmanager
async def ticking() -> AsyncIterator[Work]:
    """Yield a task that runs by itself, with a deadline of two seconds."""
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
def test_a_variant_of_a_benchmark_stands_still_between_its_slices() -> None:
    with children({"ticking": ticking}) as begun:
        first = begun["ticking"].work(0.2)
        time.sleep(2.5)
        second = begun["ticking"].work(0.2)
    assert 0 < second.units <= 2 * first.units
    assert second.cpu < 0.2


def test_a_benchmark_peer_that_cannot_be_imported_is_named() -> None:
    with (
        pytest.raises(Failed, match="peer: ImportError: No module named 'peer'"),
        children({"peer": absent}),
    ):
        pass


def test_the_ratio_of_two_benchmark_variants_is_computed_within_each_round() -> None:
    """A machine that becomes twice as slow each round does not change the ratio."""
    found = [
        {"ours": Slice(8, 1.0, 3.0 * slow), "bare": Slice(8, 1.0, 2.0 * slow)}
        for slow in (1.0, 2.0, 4.0)
    ]
    assert ratio(found, "ours", "bare", cost).quartiles == (1.5, 1.5)


@pytest.mark.parametrize(("again", "is_void"), [(1.0, False), (1.06, False), (1.1, True)])
def test_a_benchmark_run_is_void_if_two_equal_variants_differ_too_much(
    again: float, is_void: bool
) -> None:
    found = [{"bare": Slice(10, 1.0, 1.0), "again": Slice(10, 1.0, again)}]
    assert bool(disturbed(found, "bare", "again")) is is_void
