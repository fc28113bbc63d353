"""Steps beside each other, and one alone."""

import asyncio

from bot.core.alone import Alone


async def test_whoever_is_alone_waits_for_those_inside_and_keeps_those_who_come_outside() -> None:
    alone, leave, seen = Alone(), asyncio.Event(), list[str]()

    async def beside(name: str) -> None:
        async with alone.beside():
            seen.append(f"{name} in")
            await leave.wait()
            seen.append(f"{name} out")

    async def by_itself() -> None:
        async with alone.alone():
            seen.append("alone in")
            await asyncio.sleep(0)
            seen.append("alone out")

    async with asyncio.TaskGroup() as group:
        group.create_task(beside("a"))
        group.create_task(beside("b"))
        await asyncio.sleep(0)
        group.create_task(by_itself())
        await asyncio.sleep(0)
        group.create_task(beside("c"))
        await asyncio.sleep(0)
        assert seen == ["a in", "b in"]
        leave.set()
    assert seen == ["a in", "b in", "a out", "b out", "alone in", "alone out", "c in", "c out"]


async def test_one_that_fails_or_is_told_to_stop_keeps_nobody_out() -> None:
    alone = Alone()
    for way in (alone.beside, alone.alone):
        try:
            async with way():
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    waiting = asyncio.create_task(_in(alone))
    async with alone.beside():
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), alone.alone():
        pass


async def _in(alone: Alone) -> None:
    async with alone.alone():
        pass
