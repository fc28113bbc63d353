"""Claims: a due row goes to one worker at a time, in a fair order, until the claim runs out."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from bot.core import moves
from bot.core.jobs import CLAIM, Reason, Status
from bot.core.orders import Address
from tests.contract.rows import NOON, Store, a_job
from tests.unit.core.orders import changed

RUNNING = (Status.SUBMITTING, Status.IN_PROGRESS)


@pytest.mark.proof
async def test_no_row_is_claimed_by_two_workers_and_none_is_left_out(store: Store) -> None:
    ids = [(await store.admitted()).id for _ in range(40)]
    hands = await asyncio.gather(*(store.claimed(most=3) for _ in range(20)))
    handed = Counter(id_ for hand in hands for id_ in hand)
    assert max(len(hand) for hand in hands) <= 3
    assert max(handed.values()) == 1
    rest = await store.claimed()
    assert sorted([*handed, *rest]) == sorted(ids)


async def test_a_claim_is_saved_in_the_row(store: Store) -> None:
    job = await store.admitted()
    (claimed,) = await store.jobs.claim([Status.QUEUED], now=NOON, until=NOON + 60, most=9)
    assert claimed == replace(job, claimed_until=NOON + 60, version=job.version + 1)
    assert await store.jobs.get(job.id) == claimed


@pytest.mark.parametrize("status", [Status.QUEUED, Status.COMPLETED])
async def test_a_claim_leaves_out_the_rows_in_hand_at_the_time_of_its_call(
    store: Store, status: Status
) -> None:
    """The rows in hand may change while the claim waits; those at the time of its call count."""
    job = await store.in_state(status)
    hand: set[str] = set()
    for before, after, found in (({job.id}, set(), []), (set(), {job.id}, [job.id])):
        hand.clear()
        hand.update(before)
        claim = store.jobs.claim([status], now=NOON + 60, until=NOON + 120, most=9, but=hand)
        asked = asyncio.create_task(claim)
        await asyncio.sleep(0)
        hand.clear()
        hand.update(after)
        assert [each.id for each in await asked] == found


async def test_a_claim_that_ran_out_counts_as_a_crash(store: Store) -> None:
    job = await store.admitted()
    assert await store.claimed(now=NOON) == [job.id]
    assert await store.claimed(now=NOON + 59.9) == []
    assert await store.claimed(now=NOON + 60) == [job.id]
    assert await store.claimed(now=NOON + 120) == [job.id]
    row = await store.jobs.get(job.id)
    assert row is not None
    assert row.crashes == 2


async def test_a_claim_that_was_given_back_does_not_count_as_a_crash(store: Store) -> None:
    job = await store.admitted()
    (claimed,) = await store.jobs.claim([Status.QUEUED], now=NOON, until=NOON + 60, most=1)
    await store.moved(claimed, replace(claimed, claimed_until=None))
    (again,) = await store.jobs.claim([Status.QUEUED], now=NOON + 1, until=NOON + 60, most=1)
    assert (again.id, again.crashes) == (job.id, 0)


async def test_claims_of_a_dead_process_can_be_ended_before_they_run_out(store: Store) -> None:
    job = await store.admitted()
    waiting = await store.admitted()
    await store.claimed(most=1)
    assert await store.jobs.expire_claims(now=NOON + 1) == 1
    rows = await store.jobs.claim([Status.QUEUED], now=NOON + 1, until=NOON + 60, most=9)
    assert {row.id: row.crashes for row in rows} == {job.id: 1, waiting.id: 0}


async def test_only_due_rows_are_claimed_and_parked_rows_never(store: Store) -> None:
    early = await store.admitted()
    later = await store.admitted()
    parked = await store.admitted()
    await store.moved(later, moves.requeued(later, due_at=NOON + 10, attempts=1))
    await store.moved(parked, replace(parked, due_at=None))
    assert await store.claimed(now=NOON + 9.9) == [early.id]
    assert await store.claimed(now=NOON + 10) == [later.id]


@pytest.mark.parametrize("status", Status)
async def test_a_claim_returns_only_rows_of_the_states_it_names(
    store: Store, status: Status
) -> None:
    job = await store.in_state(status)
    others = [other for other in Status if other is not status]
    assert await store.claimed(*others) == []
    due = [job.id] if job.due_at is not None else []
    # A submitting row is claimed by the worker that sends its POST.
    assert await store.claimed(status, now=NOON + CLAIM) == due


async def test_one_claim_can_take_queued_and_running_rows_together(store: Store) -> None:
    ids = {(await store.in_state(status)).id for status in (Status.QUEUED, *RUNNING)}
    assert await store.jobs.next_due([Status.QUEUED, *RUNNING]) == NOON
    later = NOON + CLAIM
    assert set(await store.claimed(Status.QUEUED, *RUNNING, now=later)) == ids


async def test_a_person_who_floods_the_queue_does_not_delay_other_people(store: Store) -> None:
    floods = [(await store.admitted(a_job(person="ada", now=NOON + at))).id for at in range(10)]
    first, second = [(await store.admitted(a_job(person="bob", now=NOON + 10))).id for _ in "ab"]
    order = [id_ for _ in range(12) for id_ in await store.claimed(now=NOON + 20, most=1)]
    assert order == [floods[0], first, floods[1], second, *floods[2:]]


async def test_a_newcomer_takes_turns_with_waiting_people_and_does_not_go_before_all_of_them(
    store: Store,
) -> None:
    """Bob comes when Ada's first job is gone.

    Her second job is older than his, so it goes first.
    """
    floods = [await store.admitted(a_job(person="ada", now=NOON + at)) for at in range(3)]
    await store.moved(floods[0], moves.submitting(floods[0], now=NOON + 5))
    bob = await store.admitted(a_job(person="bob", now=NOON + 10))
    order = [id_ for _ in range(3) for id_ in await store.claimed(now=NOON + 20, most=1)]
    assert order == [floods[1].id, bob.id, floods[2].id]


async def test_the_same_person_id_on_two_platforms_is_two_people_in_the_queue(store: Store) -> None:
    await store.admitted(a_job(person="1", platform="discord"))
    second = await store.admitted(a_job(person="1", platform="discord"))
    other = await store.admitted(a_job(person="1", platform="telegram"))
    assert (second.turn, other.turn) == (1, 0)


async def test_a_new_job_takes_the_latest_turn_even_if_the_queue_is_empty(store: Store) -> None:
    """A job that comes after a rush never overtakes a job of the rush that is put back."""
    rush = [await store.admitted(a_job(now=NOON + at)) for at in range(4)]
    for job in rush:
        await store.moved(job, moves.cancelled(job, Reason.BY_PERSON))
    assert (await store.admitted(a_job(person="bob", now=NOON + 9))).turn == rush[-1].turn


async def test_running_jobs_are_claimed_in_the_order_they_are_due(store: Store) -> None:
    due = [NOON + 30, NOON + 10, NOON + 20]
    jobs = [await store.in_state(Status.IN_PROGRESS) for _ in due]
    for job, at in zip(jobs, due, strict=True):
        await store.moved(job, replace(job, due_at=at))
    order = [id_ for _ in due for id_ in await store.claimed(*RUNNING, now=NOON + 60, most=1)]
    assert order == [jobs[1].id, jobs[2].id, jobs[0].id]


async def test_a_claim_of_many_rows_returns_them_in_queue_order(store: Store) -> None:
    floods = [(await store.admitted(a_job(person="ada"))).id for _ in range(20)]
    assert await store.claimed(most=20) == floods


async def test_next_due_tells_when_the_next_job_is_due_or_its_claim_ends(store: Store) -> None:
    assert await store.jobs.next_due([Status.QUEUED]) is None
    first = await store.admitted()
    second = await store.admitted()
    parked = await store.admitted()
    await store.moved(second, moves.requeued(second, due_at=NOON + 90, attempts=1))
    await store.moved(parked, replace(parked, due_at=None))
    await store.in_state(Status.DELIVERED)
    assert await store.jobs.next_due([Status.QUEUED]) == NOON
    assert await store.claimed() == [first.id]
    assert await store.jobs.next_due([Status.QUEUED]) == NOON + 60
    assert await store.jobs.next_due(RUNNING) is None


@pytest.mark.proof
@pytest.mark.parametrize(
    ("community", "channel", "expected"),
    [("club", "elsewhere", ["hall", "topic"]), (None, "ada", ["private"])],
)
async def test_waiting_jobs_are_found_by_their_community_or_private_channel(
    store: Store, community: str | None, channel: str, expected: list[str]
) -> None:
    """A community is found with all of its channels; a private channel is found alone."""
    for id_, where in {"hall": "1", "topic": "1/2", "private": "ada", "other": "bob"}.items():
        plain = a_job(id_=id_, community="club" if id_ in ("hall", "topic") else None)
        address = replace(plain.order.call.address, channel=where)
        await store.admitted(replace(plain, order=changed(plain.order, address=address)))
    await store.admitted(a_job(community="ada"))
    await store.admitted(a_job(community="club", platform="telegram"))
    await store.in_state(Status.IN_PROGRESS, a_job(community="club"))
    place = Address(platform="discord", channel=channel, community=community)
    assert [job.id for job in await store.jobs.waiting(place)] == expected
