"""Polls: jobs in progress are claimed and saved many at a time, on both databases."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.core import moves
from bot.core.jobs import CLAIM, Job, Reason, Status
from bot.core.pending import Pending, Seen
from bot.core.posts import EDIT_PACE, PostKind
from bot.store import tables
from bot.store.polls import Polls
from tests.contract.rows import NOON, Store, silent

LATER = NOON + 60
"""A time at which all jobs of these tests are due for a poll."""


@pytest.fixture
def polls(store: Store) -> Polls:
    return Polls(store.database)


async def made(store: Store, count: int) -> list[Job]:
    """Store jobs in progress, each due a second after the one before."""
    rows = [await store.in_state(Status.IN_PROGRESS) for _ in range(count)]
    return [await store.moved(row, replace(row, due_at=NOON + at)) for at, row in enumerate(rows)]


async def claimed(
    polls: Polls, *, now: float = LATER, most: int = 200, but: Sequence[str] = ()
) -> list[Pending]:
    """Claim due jobs for polls."""
    return await polls.claim(now=now, until=now + CLAIM, most=most, but=but)


def ids(rows: Sequence[Pending | Job]) -> list[str]:
    return sorted(row.id for row in rows)


def seen(job: Pending, *, progress: int = 40, due: float = 10.0, shows: bool = False) -> Seen:
    """Return a poll's answer that the job is still being made."""
    return Seen(job.id, job.version, progress, due, shows)


async def row(store: Store, job_id: str) -> Job:
    """Return the whole row as it is now."""
    job = await store.jobs.get(job_id)
    assert job is not None
    return job


async def test_a_poll_claims_only_due_jobs_in_progress_with_the_fields_it_needs(
    store: Store, polls: Polls
) -> None:
    job, later = await made(store, 2)
    for status in (Status.QUEUED, Status.SUBMITTING, Status.COMPLETED, Status.DELIVERED):
        await store.in_state(status)
    held = await claimed(polls, now=NOON)
    assert held == [
        Pending(
            id=job.id,
            version=(await row(store, job.id)).version,
            gateway="main",
            base_url="https://gateway.example",
            gateway_id=f"gateway {job.id}",
            model="wan2.5-t2v-preview",
            seconds=5,
            quality=None,
            created_at=NOON,
            submitted_at=NOON,
            progress=0,
        )
    ]
    assert await polls.next_due(but=[job.id]) == NOON + 1 == later.due_at


async def test_polls_claim_the_earliest_due_jobs_first_and_none_twice(
    store: Store, polls: Polls
) -> None:
    rows = await made(store, 5)
    first = await claimed(polls, most=2)
    assert ids(first) == ids(rows[:2])
    assert ids(await claimed(polls, but=ids(first))) == ids(rows[2:])
    assert await claimed(polls, but=ids(rows)) == []
    assert await polls.next_due(but=ids(rows)) is None


async def test_one_write_saves_many_polls_of_jobs_that_are_still_being_made(
    store: Store, polls: Polls
) -> None:
    rows = await made(store, 3)
    held = await claimed(polls)
    await polls.write([seen(it) for it in held], now=LATER, ahead=LATER)
    versions = {it.id: it.version + 1 for it in held}
    for before in rows:
        after = replace(before, version=versions[before.id], progress=40, due_at=LATER + 10.0)
        assert await row(store, before.id) == after
    assert await claimed(polls) == []
    assert ids(await claimed(polls, now=LATER + 10)) == ids(rows)


async def test_the_write_of_a_poll_does_not_overwrite_a_job_that_was_moved_meanwhile(
    store: Store, polls: Polls
) -> None:
    job, other = await made(store, 2)
    held = await claimed(polls)
    job, other = await row(store, job.id), await row(store, other.id)
    done = await store.moved(job, moves.completed(job, now=NOON, sources=()))
    hushed = await store.moved(other, silent(other))
    await polls.write([seen(it) for it in held], now=LATER, ahead=LATER)
    assert await row(store, job.id) == replace(done, claimed_until=None)
    assert (await row(store, other.id)).due_at == hushed.due_at
    assert ids(await claimed(polls)) == [other.id], "it goes on at once"


async def test_a_poll_that_is_written_twice_counts_once(store: Store, polls: Polls) -> None:
    """A write that failed may have reached the database all the same."""
    (job,) = await made(store, 1)
    (held,) = await claimed(polls)
    for due in (10.0, 99.0):
        await polls.write([seen(held, due=due)], now=LATER, ahead=LATER)
    after = await row(store, job.id)
    assert (after.version, after.due_at) == (held.version + 1, LATER + 10.0)


async def test_a_poll_makes_a_card_due_only_if_the_card_shows_the_progress(
    store: Store, polls: Polls
) -> None:
    rows = await made(store, 3)
    for each in rows:
        await store.jobs.get(each.id)
        post = await store.post(each, PostKind.CARD)
        assert post is not None
        await store.posts.posted(each, f"message of {each.id}", "lounge")
    first, second, third = await claimed(polls)
    told = [seen(first, shows=True), seen(second), seen(third, shows=True)]
    assert await polls.write(told, now=LATER, ahead=LATER)
    due = {}
    for each in rows:
        post = await store.post(each, PostKind.CARD)
        due[each.id] = post and post.due_at
    soon = LATER + EDIT_PACE
    assert due == {first.id: soon, second.id: None, third.id: soon}


async def test_a_poll_makes_no_card_due_for_a_job_that_ended_meanwhile(
    store: Store, polls: Polls
) -> None:
    (job,) = await made(store, 1)
    await store.posts.posted(job, "card", "lounge")
    (held,) = await claimed(polls)
    job = await row(store, job.id)
    await store.moved(job, moves.completed(job, now=LATER, sources=()), now=LATER)
    before = await store.posts.get(job.id, PostKind.CARD)
    await polls.write([seen(held, shows=True)], now=NOON, ahead=0.0)
    assert await store.posts.get(job.id, PostKind.CARD) == before


async def test_the_whole_row_of_a_polled_job_is_read_unless_the_job_has_moved_on(
    store: Store, polls: Polls
) -> None:
    job, other = await made(store, 2)
    held = {it.id: it for it in await claimed(polls)}
    whole = await polls.whole(held[job.id])
    assert whole is not None
    assert replace(whole, claimed_until=None, version=job.version) == job
    other = await row(store, other.id)
    hushed = await store.moved(other, silent(other))
    assert await polls.whole(held[other.id]) is None
    assert (await row(store, other.id)).claimed_until is None
    assert hushed.version == (await row(store, other.id)).version


@pytest.mark.parametrize("column", ["order_data", "request_data"])
async def test_an_unreadable_row_does_not_stop_the_polls_of_other_jobs(
    store: Store, polls: Polls, column: str
) -> None:
    bad, good = await made(store, 2)
    # SQLite accepts text that is no JSON if somebody writes it by hand.
    value = sa.text("'{'" if store.database.is_sqlite else "'{}'")
    broken = sa.update(tables.jobs).where(tables.jobs.c.id == bad.id).values({column: value})
    await store.database.write(broken)
    held = await claimed(polls)
    assert ids(held) == ids([bad, good])
    (it,) = (each for each in held if each.id == bad.id)
    assert await polls.whole(it) is None
    assert ids(await claimed(polls, but=[good.id], now=LATER + 2 * CLAIM)) == []


async def test_a_renewed_claim_of_a_polled_job_lasts_as_long_as_it_is_renewed(
    store: Store, polls: Polls
) -> None:
    (job,) = await made(store, 1)
    later = LATER + 3 * CLAIM
    await polls.renew(ids(await claimed(polls)), until=later)
    until = (await row(store, job.id)).claimed_until
    assert until == (None if store.database.is_sqlite else later)


async def test_a_released_poll_can_be_claimed_again_at_once(store: Store, polls: Polls) -> None:
    rows = await made(store, 2)
    await polls.release(ids(await claimed(polls)))
    assert ids(await claimed(polls)) == ids(rows)
    await polls.release(ids(rows))
    await polls.finish()
    assert await interrupted(store, polls) == [], "after a clean end nothing is suspected"


# --- jobs that a dead process was polling --------------------------------------------------------


async def interrupted(store: Store, polls: Polls, *, most: int = 16) -> list[Job]:
    """Return the jobs that are taken up one by one after another start."""
    now = LATER + 1
    await store.jobs.expire_claims(now=now)
    await polls.expire_claims(now=now)
    return await polls.claim_interrupted(now=now, until=now + CLAIM, most=most, but=[])


async def test_jobs_that_a_dead_process_polled_are_taken_up_one_by_one_counting_a_crash(
    store: Store, polls: Polls
) -> None:
    first, second, third = await made(store, 3)
    held = await claimed(polls, most=2)
    found = await interrupted(store, polls)
    assert ids(found) == ids(held) == ids([first, second])
    assert [(it.crashes, it.version) for it in found] == [(1, held[0].version + 1)] * 2
    assert await polls.next_interrupted(but=[]) == LATER + 1 + CLAIM
    assert await polls.next_interrupted(but=ids(found)) is None
    assert ids(await claimed(polls)) == [third.id], "in a batch there is none of them"


async def test_only_a_few_jobs_of_a_dead_process_are_taken_up_at_once(
    store: Store, polls: Polls
) -> None:
    """Otherwise two hundred innocent jobs would be counted together with the one that kills."""
    rows = await made(store, 5)
    await claimed(polls)
    assert len(await interrupted(store, polls, most=2)) == 2
    crashes = [(await row(store, each.id)).crashes for each in rows]
    assert sorted(crashes) == [0, 0, 0, 1, 1]


async def test_a_poll_that_was_saved_before_the_process_died_counts_no_crash(
    store: Store, polls: Polls
) -> None:
    job, other = await made(store, 2)
    held = await claimed(polls)
    mine = [seen(it) for it in held if it.id == job.id]
    await polls.write(mine, now=LATER, ahead=LATER)
    assert other.id in ids(await interrupted(store, polls))


async def test_a_job_that_ended_before_its_process_died_is_not_taken_up(
    store: Store, polls: Polls
) -> None:
    (job,) = await made(store, 1)
    await claimed(polls)
    job = await row(store, job.id)
    await store.moved(job, moves.failed(job, Reason.REFUSED, charged=False))
    assert await interrupted(store, polls) == []
