"""One timer for many requests: each ends after its own time, and for no other reason."""

import asyncio

import pytest

from bot.net.deadlines import Deadline


async def _never(deadline: Deadline) -> None:
    """Wait for ever under this deadline."""
    with deadline:
        await asyncio.Event().wait()


async def test_each_of_many_tasks_under_a_deadline_ends_after_its_time() -> None:
    deadline = Deadline(0.02)
    ended = await asyncio.gather(*(_never(deadline) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in ended] == [TimeoutError] * 5


async def test_a_task_that_starts_later_under_a_deadline_ends_later() -> None:
    deadline, loop = Deadline(0.05), asyncio.get_running_loop()
    first = asyncio.create_task(_never(deadline))
    await asyncio.wait([first], timeout=0.02)
    begun = loop.time()
    with pytest.raises(TimeoutError):
        await _never(deadline)
    assert loop.time() - begun >= 0.05
    assert isinstance(first.exception(), TimeoutError)


async def test_a_task_that_ends_before_its_deadline_is_not_interrupted() -> None:
    deadline = Deadline(0.01)
    with deadline:
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await _never(deadline)  # the time of the first deadline has passed by then, too
    with deadline:
        await asyncio.sleep(0)


async def test_a_task_under_a_deadline_can_be_cancelled_by_others() -> None:
    deadline = Deadline(60.0)
    task = asyncio.create_task(_never(deadline))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_at_the_same_time_as_the_deadline_is_not_lost() -> None:
    deadline = Deadline(0.01)

    async def stubborn() -> None:
        with deadline:
            try:
                await asyncio.Event().wait()
            finally:
                asyncio.current_task().cancel()  # type: ignore[union-attr]
                await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(stubborn())


async def test_an_error_within_a_deadline_is_raised_unchanged() -> None:
    with pytest.raises(KeyError), Deadline(60.0):
        raise KeyError
