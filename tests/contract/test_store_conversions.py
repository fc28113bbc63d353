"""Jobs that wait for a conversion form a queue, and all their cards can be made due at once."""

import pytest

from bot.core import moves
from bot.core.conversions import Waiting
from bot.core.jobs import Job, Status
from bot.core.posts import PostKind
from bot.store.conversions import ConversionQueue
from tests.contract.rows import NOON, RAW, Store


async def in_line(store: Store, at: float) -> Job:
    """Return a job that waits for its conversion since `at`."""
    job = await store.in_state(Status.COMPLETED)
    return await store.moved(job, moves.converting(job, RAW, now=at))


async def test_jobs_wait_for_conversion_in_the_order_in_which_they_came(store: Store) -> None:
    second, first = await in_line(store, NOON + 2), await in_line(store, NOON + 1)
    third, over = await in_line(store, NOON + 3), await in_line(store, NOON)
    await store.moved(over, moves.stored(over, RAW))
    await store.in_state(Status.COMPLETED)
    await store.claimed(Status.CONVERTING, now=NOON + 1, most=1)
    line = await ConversionQueue(store.database).waiting()
    assert line == [Waiting(each.id, RAW) for each in (first, second, third)]


@pytest.mark.proof
async def test_a_redraw_makes_the_cards_of_jobs_that_wait_for_conversion_due_and_no_other_cards(
    store: Store,
) -> None:
    jobs = [await in_line(store, NOON), await store.in_state(Status.COMPLETED)]
    for job in jobs:
        await store.posts.posted(job, f"card {job.id}", "hall")
    await store.due_posts(now=NOON)
    for post in await store.posts.claim(["discord"], now=NOON, until=NOON + 1, most=9):
        await store.posts.sent(post, post.message_id or "", "hall", now=NOON)
    await ConversionQueue(store.database).redraw(now=NOON + 5)
    assert await store.due_posts(now=NOON + 5) == [(jobs[0].id, PostKind.CARD)]
