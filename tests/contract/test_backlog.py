"""The oldest due row that no worker claimed, as `/readyz` reports it."""

import pytest

from bot.core import moves
from bot.core.jobs import Status
from bot.healths import BEHIND, backlog
from tests.contract.rows import NOON, RAW, Store, a_job
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize("status", [Status.QUEUED, Status.IN_PROGRESS, Status.COMPLETED])
async def test_a_due_row_that_no_worker_claims_counts_as_backlog(
    store: Store, status: Status
) -> None:
    clock = FakeClock()
    await store.in_state(status)
    await clock.advance(BEHIND - 1)
    assert await backlog(store.jobs, store.posts, [], clock) is True
    await clock.advance(61)
    assert await backlog(store.jobs, store.posts, [], clock) == "backlog: 6 minutes"


async def test_a_claimed_row_and_a_video_in_the_queue_of_conversions_are_no_backlog(
    store: Store,
) -> None:
    clock = FakeClock()
    await store.in_state(Status.QUEUED)
    await store.jobs.claim([Status.QUEUED], now=NOON, until=NOON + 9 * BEHIND, most=9)
    made = await store.in_state(Status.COMPLETED, a_job())
    await store.moved(made, moves.converting(made, RAW, now=NOON))
    await clock.advance(2 * BEHIND)
    assert await backlog(store.jobs, store.posts, [], clock) is True
    assert await backlog(store.jobs, store.posts, ["discord"], clock) == "backlog: 10 minutes"
