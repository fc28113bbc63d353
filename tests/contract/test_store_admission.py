"""Admission: an order becomes a row once and never exceeds a limit, however many arrive at once."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.util import await_

from bot.core import moves
from bot.core.errors import Refused
from bot.core.jobs import SOFT_DEADLINE, Job, Reason, Status
from bot.core.posts import CARD_GRACE, PostKind
from bot.core.quotas import IN_DOUBT, Limits, Purse, Usage
from bot.store.database import Database, open_database
from bot.store.engines import Result
from tests.conftest import NewUrl
from tests.contract.rows import FREE, NOON, PRICE, Store, a_job

DAY = 86_400.0


async def test_an_admitted_job_is_stored_with_a_card_to_post(store: Store) -> None:
    job = a_job()
    admitted = await store.admitted(job)
    assert admitted == job
    assert await store.jobs.get(job.id) == job
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert (card.due_at, card.message_id) == (NOON + CARD_GRACE, None)


async def test_an_unknown_job_id_finds_no_job(store: Store) -> None:
    assert await store.jobs.get("nobody") is None


async def test_a_repeated_event_returns_the_same_job_even_beyond_the_limits(store: Store) -> None:
    first = await store.admitted(a_job(event="click"))
    await store.jobs.claim([Status.QUEUED], now=NOON, until=NOON + 60, most=1)
    again = await store.admitted(a_job(event="click"), Limits(person_at_once=0))
    assert again == replace(first, version=2, claimed_until=NOON + 60)
    assert (await store.usage(first)).purse_videos == 1


async def test_the_same_event_id_on_another_platform_is_another_job(store: Store) -> None:
    here = await store.admitted(a_job(event="1", platform="discord"))
    there = await store.admitted(a_job(event="1", platform="telegram"))
    assert here.id != there.id


async def test_fifty_simultaneous_deliveries_of_one_event_make_one_job(store: Store) -> None:
    jobs = [a_job(event="click") for _ in range(50)]
    admitted = await asyncio.gather(*(store.admitted(job) for job in jobs))
    assert len({job.id for job in admitted}) == 1
    assert (await store.usage(jobs[0])).purse_videos == 1


LIMITS = {
    "limit_person_videos": replace(FREE, person_videos=5),
    "limit_person_at_once": replace(FREE, person_at_once=5),
    "limit_community_videos": replace(FREE, community_videos=5),
    "limit_purse_videos": replace(FREE, purse_videos=5),
    "limit_purse_money": replace(FREE, purse_money=5 * PRICE + PRICE - 1),
}


@pytest.mark.proof
@pytest.mark.parametrize("code", LIMITS)
async def test_of_a_hundred_simultaneous_orders_exactly_the_limit_of_five_is_admitted(
    store: Store, code: str
) -> None:
    answers = await _a_hundred_at_once(store, code)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert {refusal.code for refusal in refused} == {code}
    assert len(refused) == 95
    assert len(await store.claimed(most=100)) == 5


async def test_negative_control_without_its_lock_admission_exceeds_the_limit(
    new_postgres_url: NewUrl,
) -> None:
    """Shows that the lock is what keeps the limit in the test above."""

    together = asyncio.Barrier(10)
    arrived = itertools.count(1)

    class Unlocked(Database):
        async def admit(self, work: Callable[[Connection], Result]) -> Result:
            def admits(connection: Connection) -> Result:
                # The first ten read the usage at the same time, whatever else the machine does.
                if next(arrived) <= together.parties:
                    connection.execute(sa.select(1))
                    await_(together.wait())
                return work(connection)

            return await self.run(admits)

    async with open_database(await new_postgres_url(), patience=60.0) as database:
        database.__class__ = Unlocked
        store = Store(database)
        answers = await _a_hundred_at_once(store, "limit_person_videos")
    assert sum(not isinstance(answer, Refused) for answer in answers) > 5


async def _a_hundred_at_once(store: Store, code: str) -> list[Job | BaseException]:
    """Admit a hundred orders at the same time, and return their jobs and refusals."""
    shared = "person" in code
    jobs = [a_job(person="ada" if shared else f"person {number}") for number in range(100)]
    admissions = (store.admitted(job, LIMITS[code]) for job in jobs)
    return await asyncio.gather(*admissions, return_exceptions=True)


OPERATORS = Purse(others=frozenset({"club"}))
CLUBS = Purse(gateway="club")
PURSES = {"main": OPERATORS, "gone from the configuration": OPERATORS, "club": CLUBS}


@pytest.mark.parametrize("gateway", PURSES)
async def test_a_video_counts_only_for_the_purse_that_pays_for_it(
    store: Store, gateway: str
) -> None:
    job = await store.admitted(a_job(gateway=gateway))
    for purse in (OPERATORS, CLUBS):
        counted = await store.usage(job, limits=replace(FREE, purse=purse))
        full = replace(FULL, person_at_once=1)
        assert counted == (full if purse == PURSES[gateway] else Usage())


@pytest.mark.proof
async def test_with_one_slot_left_in_each_of_two_purses_one_order_each_is_admitted(
    store: Store,
) -> None:
    limits = replace(FREE, purse_videos=1)
    jobs = [a_job(gateway=("main", "club")[number % 2]) for number in range(40)]
    admissions = (store.admitted(job, replace(limits, purse=PURSES[job.gateway])) for job in jobs)
    answers = await asyncio.gather(*admissions, return_exceptions=True)
    through = [answer for answer in answers if isinstance(answer, Job)]
    assert sorted(job.gateway for job in through) == ["club", "main"]


async def test_a_refusal_over_a_limit_says_the_limit_the_use_and_when_it_resets(
    store: Store,
) -> None:
    limits = replace(FREE, person_videos=1)
    await store.admitted(limits=limits)
    with pytest.raises(Refused) as refusal:
        await store.admitted(limits=limits)
    assert refusal.value.values == {"limit": 1, "used": 1, "resets_at": NOON + DAY / 2}


async def test_a_refused_order_leaves_no_row_behind(store: Store) -> None:
    job = a_job()
    with pytest.raises(Refused):
        await store.admitted(job, Limits(purse_videos=0))
    assert await store.jobs.get(job.id) is None
    assert await store.post(job, PostKind.CARD) is None
    assert await store.usage(job) == Usage()


FULL = Usage(
    person_videos=1,
    person_tries=1,
    person_paid=1,
    community_videos=1,
    purse_videos=1,
    purse_money=PRICE,
)
TRIED = Usage(person_tries=1)
PURSE_ONLY = Usage(person_tries=1, person_paid=1, purse_videos=1, purse_money=PRICE)
ELSEWHERE: dict[str, tuple[Job, Usage]] = {
    "the same": (
        a_job(),
        replace(FULL, person_at_once=1),
    ),
    "another person": (
        a_job(person="bob"),
        Usage(community_videos=1, purse_videos=1, purse_money=PRICE),
    ),
    "another community": (
        a_job(community="pub"),
        replace(FULL, person_at_once=1, community_videos=0),
    ),
    "in private": (
        a_job(community=None),
        replace(FULL, person_at_once=1, community_videos=None),
    ),
    "another platform": (
        a_job(platform="telegram"),
        Usage(purse_videos=1, purse_money=PRICE),
    ),
}


@pytest.mark.parametrize(("asker", "counted"), ELSEWHERE.values(), ids=ELSEWHERE)
async def test_a_video_counts_for_its_person_its_community_and_the_purse(
    store: Store, asker: Job, counted: Usage
) -> None:
    await store.admitted(a_job())
    assert await store.usage(asker) == counted


async def test_private_chats_count_for_no_community(store: Store) -> None:
    await store.admitted(a_job(community=None))
    assert (await store.usage(a_job(community=None))).community_videos is None


COUNTS = {
    Status.QUEUED: replace(FULL, person_at_once=1),
    Status.SUBMITTING: replace(FULL, person_at_once=1),
    Status.IN_PROGRESS: replace(FULL, person_at_once=1),
    Status.COMPLETED: FULL,
    Status.CONVERTING: FULL,
    Status.DELIVERED: FULL,
    Status.FAILED: TRIED,
    Status.CANCELLED: TRIED,
    Status.UNCONFIRMED: PURSE_ONLY,
}


@pytest.mark.parametrize("status", Status)
async def test_how_a_job_counts_depends_on_its_state(store: Store, status: Status) -> None:
    job = await store.in_state(status)
    assert await store.usage(job) == COUNTS[status]


@pytest.mark.parametrize(("charged", "counted"), [(True, PURSE_ONLY), (False, TRIED)])
async def test_a_failed_video_never_counts_for_its_person_but_a_charged_one_for_the_purse(
    store: Store, charged: bool, counted: Usage
) -> None:
    job = await store.in_state(Status.IN_PROGRESS)
    await store.moved(job, moves.failed(job, Reason.TIMED_OUT, charged=charged))
    assert await store.usage(job) == counted


@pytest.mark.proof
async def test_an_unconfirmed_job_that_turns_up_stays_free_for_its_person(store: Store) -> None:
    job = await store.in_state(Status.UNCONFIRMED)
    await store.jobs.accept(job.id, "late", now=NOON, due_at=NOON)
    assert await store.usage(job) == replace(PURSE_ONLY, person_at_once=1)


async def test_lost_answers_let_a_person_exceed_the_limit_by_two_paid_videos_at_most(
    store: Store,
) -> None:
    """A lost answer gives the video back, but the possibly paid video is still counted."""
    limits = replace(FREE, person_videos=3)
    lost = []
    for _ in range(3 + IN_DOUBT):
        job = await store.admitted(limits=limits)
        lost.append(await _lost(store, job))
    with pytest.raises(Refused, match="limit_person_paid") as refusal:
        await store.admitted(limits=limits)
    assert refusal.value.values == {"limit": 5, "used": 5, "resets_at": NOON + DAY / 2}
    assert await store.admitted(a_job(person="bob"), limits)
    # The operator found out that the gateway never took one of them.
    await store.moved(lost[0], moves.failed(lost[0], Reason.BY_ADMIN, charged=False))
    await store.admitted(limits=limits)


@pytest.mark.proof
async def test_admitting_many_jobs_before_their_answers_are_lost_does_not_bypass_the_limit(
    store: Store,
) -> None:
    """Jobs that were admitted together and whose answers are lost later give nothing back."""
    limits = replace(FREE, person_videos=3)
    sent = 0
    for _ in range(4):
        answers = await asyncio.gather(
            *(store.admitted(limits=limits) for _ in range(10)), return_exceptions=True
        )
        through = [answer for answer in answers if isinstance(answer, Job)]
        for job in through:
            await _lost(store, job)
        sent += len(through)
    assert sent == 3 + IN_DOUBT


async def test_refused_orders_and_repeated_tries_of_a_job_do_not_count_as_paid(
    store: Store,
) -> None:
    limits = replace(FREE, person_videos=3)
    for _ in range(9):
        job = await store.admitted(limits=limits)
        sent = await store.moved(job, moves.submitting(job, now=NOON))
        again = await store.moved(sent, moves.requeued(sent, due_at=NOON, attempts=1))
        assert (await store.usage(job)).person_paid == 1
        sent = await store.moved(again, moves.submitting(again, now=NOON))
        await store.moved(sent, moves.failed(sent, Reason.MODERATED, charged=False))


async def test_a_video_that_costs_more_than_a_whole_day_allows_is_refused_as_too_dear(
    store: Store,
) -> None:
    with pytest.raises(Refused, match="limit_too_dear"):
        await store.admitted(limits=replace(FREE, purse_money=PRICE - 1))
    await store.admitted(limits=replace(FREE, purse_money=PRICE))
    with pytest.raises(Refused, match="limit_purse_money"):
        await store.admitted(limits=replace(FREE, purse_money=PRICE))


@pytest.mark.parametrize("code", ["limit_purse_videos", "limit_purse_money"])
async def test_an_unconfirmed_video_counts_for_its_purse(store: Store, code: str) -> None:
    for _ in range(5):
        await _lost(store, await store.admitted(limits=LIMITS[code]))
    with pytest.raises(Refused, match=code):
        await store.admitted(limits=LIMITS[code])


async def _lost(store: Store, job: Job) -> Job:
    """Send the job's POST and lose its answer."""
    sent = await store.moved(job, moves.submitting(job, now=NOON))
    return await store.moved(sent, moves.unconfirmed(sent, detail="reset"))


@pytest.mark.parametrize(("waited", "at_once"), [(SOFT_DEADLINE - 1, 1), (SOFT_DEADLINE, 0)])
async def test_a_video_that_takes_too_long_does_not_count_as_one_at_once(
    store: Store, waited: float, at_once: int
) -> None:
    job = await store.in_state(Status.IN_PROGRESS)
    assert (await store.usage(job, now=NOON + waited)).person_at_once == at_once


async def test_a_parked_job_does_not_count_as_one_at_once(store: Store) -> None:
    """A parked job moves only by an operator, so its person would wait for ever."""
    job = await store.admitted()
    await store.moved(job, replace(job, due_at=None))
    assert (await store.usage(job)).person_at_once == 0


async def test_a_parked_job_that_took_too_long_is_subtracted_only_once(store: Store) -> None:
    """Subtracting the job twice would allow its person one job more than the limit."""
    job = await store.in_state(Status.IN_PROGRESS)
    await store.moved(job, replace(job, due_at=None))
    other = await store.admitted()
    assert (await store.usage(other, now=NOON + SOFT_DEADLINE)).person_at_once == 1


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"])
async def test_a_day_of_the_limits_begins_at_midnight_of_the_configured_time_zone(
    store: Store, zone: str
) -> None:
    midnight = datetime(2026, 1, 16, tzinfo=ZoneInfo(zone)).timestamp()
    limits = replace(FREE, person_videos=1, time_zone=zone)
    await store.admitted(a_job(now=midnight - 1), limits)
    with pytest.raises(Refused) as refusal:
        await store.admitted(a_job(now=midnight - 0.001), limits)
    assert refusal.value.values["resets_at"] == midnight
    await store.admitted(a_job(now=midnight), limits)


async def test_a_running_video_of_yesterday_still_counts_as_one_at_once(store: Store) -> None:
    limits = replace(FREE, person_at_once=1, person_videos=1)
    await store.admitted(a_job(now=NOON - DAY / 2 - 60))
    with pytest.raises(Refused, match="limit_person_at_once"):
        await store.admitted(a_job(), limits)
