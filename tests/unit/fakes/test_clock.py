"""The clock that only tests move: sleepers wake at their times, in order."""

import asyncio

from tests.fakes.clock import FakeClock


async def test_sleepers_of_the_fake_clock_wake_in_the_order_of_their_times() -> None:
    clock, woken = FakeClock(at=0.0), list[tuple[str, float]]()

    async def sleep(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, clock.now()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleep("long", 30))
        group.create_task(sleep("short", 10, 10, 5))
        await clock.asleep(2)
        await clock.advance(29)
        assert woken == [("short", 10), ("short", 20), ("short", 25)]
        assert clock.now() == 29
        await clock.advance(1)
    assert woken[-1] == ("long", 30)


async def test_sleeping_zero_or_negative_seconds_on_the_fake_clock_ends_at_once() -> None:
    clock = FakeClock()
    await clock.sleep(0)
    await clock.sleep(-5)


async def test_a_cancelled_sleeper_is_no_longer_counted_by_the_fake_clock() -> None:
    clock = FakeClock(at=0.0)
    gone = asyncio.create_task(clock.sleep(5))
    await clock.asleep()
    gone.cancel()
    await asyncio.wait([gone])
    waiting = asyncio.create_task(clock.asleep())
    await clock.advance(10)
    assert not waiting.done()
    waiting.cancel()
    assert clock.now() == 10
