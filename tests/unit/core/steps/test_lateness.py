"""The steps of a job while clocks, networks, storage or workers are late or fail."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.errors import (
    Refused,
    StorageAway,
)
from bot.core.jobs import CLAIM, Reason, Status
from bot.core.learned import Key
from bot.core.outcomes import (
    Accepted,
    Done,
    Fetched,
    Locked,
    Missing,
    NotSent,
    Running,
    Trouble,
)
from bot.core.plans import WIDEST_STEP
from bot.core.schedule import LEAST_SAMPLES
from bot.core.steps.content import CONTENT_PATIENCE
from bot.core.steps.waiting import LOST_AFTER
from tests.unit.core.orders import (
    CAT,
    SINGING,
    SONG,
    offering,
    order,
)
from tests.unit.core.steps.seconds import HOUR
from tests.unit.core.workshop import Workshop


@pytest.mark.proof
async def test_a_job_whose_gateway_left_the_configuration_waits_until_it_is_back(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order())
    workshop.gateway.base_url = "https://elsewhere.test"
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.QUEUED
    assert workshop.gateway.posts == 0
    workshop.gateway.base_url = job.base_url
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_the_time_of_the_next_poll_is_learned_from_finished_videos(
    workshop: Workshop,
) -> None:
    for _ in range(LEAST_SAMPLES):
        workshop.gateway.polls = [*[Running()] * 9, Done()]
        await workshop.submit(order())
        await workshop.work(HOUR)
    job = await workshop.submit(order())
    await workshop.work(5)
    begun = await workshop.job(job.id)
    assert begun.submitted_at is not None
    assert begun.due_at is not None
    assert begun.due_at - begun.submitted_at > 50, "no poll before the video is likely to be done"


async def test_a_video_made_while_the_bot_was_down_teaches_nothing_about_durations(
    workshop: Workshop,
) -> None:
    """It is not known when the video was made.

    A video that is found by a timely poll does teach.
    """
    job = await workshop.submit(order())
    await workshop.work(5)
    workshop.clock.time += HOUR
    await workshop.work(5)
    assert (await workshop.job(job.id)).made_after is None
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).made_after == 0.0


@pytest.mark.parametrize("error", [Trouble("down"), Locked(Reason.BAD_KEY, "no")])
async def test_a_video_made_while_its_gateway_was_down_teaches_nothing_about_durations(
    workshop: Workshop, error: Trouble | Locked
) -> None:
    workshop.gateway.polls = [*[error] * 9, Done()]
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    made = await workshop.job(job.id)
    assert (made.completed_at is None, made.made_after) == (False, None)


async def test_the_write_that_ends_a_job_teaches_how_long_its_video_took(
    workshop: Workshop,
) -> None:
    key = Key.of(await workshop.submit(order()))
    pace = await workshop.learned.pace(key)
    assert not pace.took
    await workshop.work(HOUR)
    for _ in range(LEAST_SAMPLES - 1):
        await workshop.submit(order())
        await workshop.work(HOUR)
    pace = await workshop.learned.pace(key)
    assert [took.after for took in pace.took] == [0.0] * LEAST_SAMPLES


@pytest.mark.proof
async def test_jobs_that_an_outage_put_off_together_are_due_at_different_times(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Trouble("down")]
    jobs = [await workshop.submit(order()) for _ in range(9)]
    await workshop.work(60)
    due = {(await workshop.job(job.id)).due_at for job in jobs}
    assert len(due) == 9


async def test_a_picture_posted_by_another_person_is_refused(workshop: Workshop) -> None:
    theirs = replace(CAT, author="bob")
    with pytest.raises(Refused, match="not_your_picture"):
        await workshop.submit(order(pictures=(theirs,)))


async def test_a_sound_posted_by_another_person_is_refused(workshop: Workshop) -> None:
    workshop.service.accounts = offering(SINGING, workshop.service.accounts)
    theirs = replace(SONG, author="bob")
    with pytest.raises(Refused, match="not_your_sound"):
        await workshop.submit(order(pictures=(CAT,), sound=theirs))


async def test_a_worker_that_slept_past_its_claim_cannot_undo_the_work_of_another_worker(
    workshop: Workshop,
) -> None:
    """Worker A sleeps before it connects, B submits meanwhile, and A wakes up with 'not sent'."""
    job = await workshop.submit(order())
    now = workshop.clock.time
    (slow,) = await workshop.jobs.claim([Status.QUEUED], now=now, until=now + 1, most=1)
    workshop.clock.time += 2
    await workshop.work(1)
    assert (await workshop.job(job.id)).status is Status.IN_PROGRESS
    workshop.gateway.creations = [NotSent("refused")]
    await workshop.steps.take(slow)
    workshop.gateway.creations = [Accepted("v2")]
    await workshop.work(60)
    assert (await workshop.job(job.id)).gateway_id == "v1"
    assert workshop.gateway.posts == 1


async def test_a_first_try_that_comes_late_is_followed_by_more_tries(workshop: Workshop) -> None:
    """The bot was down or the gateway paused: the half hour counts from the first try."""
    job = await workshop.submit(order())
    workshop.clock.time += HOUR
    workshop.gateway.creations = [NotSent("refused"), Accepted("v1")]
    await workshop.work(120)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_a_few_minutes_of_unknown_id_late_in_a_job_do_not_end_it(workshop: Workshop) -> None:
    """A gateway that is being redeployed answers 404 for a minute or two."""
    workshop.gateway.poll_step = 8.0
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.work(LOST_AFTER + 300)
    workshop.gateway.polls = [Missing()]
    await workshop.work(240)
    workshop.gateway.polls = [Done()]
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_an_outage_after_completion_is_waited_out_and_the_video_is_fetched(
    workshop: Workshop,
) -> None:
    workshop.gateway.fetches = [Trouble("ClientConnectorError")]
    job = await workshop.submit(order())
    await workshop.work(CONTENT_PATIENCE + HOUR)
    workshop.gateway.fetches = [Fetched(9)]
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is not None


@pytest.mark.proof
async def test_a_finished_video_waits_for_unreachable_storage_and_is_then_stored(
    workshop: Workshop,
) -> None:
    workshop.studio.bad_video = StorageAway()
    job = await workshop.submit(order())
    await workshop.work(CONTENT_PATIENCE + HOUR)
    workshop.studio.bad_video = None
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is not None


@pytest.mark.proof
async def test_unreachable_storage_is_not_taken_for_a_bad_picture(workshop: Workshop) -> None:
    workshop.studio.bad_picture = StorageAway()
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.QUEUED
    workshop.studio.bad_picture = None
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_a_step_that_raises_is_tried_again_within_a_minute(workshop: Workshop) -> None:
    async def stumble() -> None:
        workshop.gateway.before = None
        raise ZeroDivisionError

    workshop.gateway.before = stumble
    job = await workshop.submit(order())
    await workshop.work(60)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


async def test_cancelling_a_step_at_shutdown_counts_no_crash(workshop: Workshop) -> None:
    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    reached = asyncio.Event()
    workshop.gateway.before = hang
    job = await workshop.submit(order())
    now = workshop.clock.time
    for _ in range(4):
        reached.clear()
        (claimed,) = await workshop.jobs.claim([Status.QUEUED], now=now, until=now + CLAIM, most=1)
        step = asyncio.create_task(workshop.steps.take(claimed))
        await reached.wait()
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
    row = await workshop.job(job.id)
    assert (row.crashes, row.claimed_until) == (0, None)


async def test_an_unreadable_row_does_not_delay_other_jobs_and_is_not_logged(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = await workshop.submit(order(prompt="secret words"))
    good = await workshop.submit(order())

    def spoil(connection: Connection) -> None:
        connection.execute(
            sa.text('UPDATE jobs SET order_data = \'{"prompt": "secret words"}\' WHERE id = :id'),
            {"id": bad.id},
        )

    await workshop.database.run(spoil)
    await workshop.work(60)
    assert (await workshop.job(good.id)).status is Status.COMPLETED
    said = "".join(capsys.readouterr())
    assert "job.unreadable" in said
    assert "secret words" not in said


async def test_polls_stay_frequent_enough_to_notice_that_videos_got_faster(
    workshop: Workshop,
) -> None:
    """Three videos that were noticed hours late must not delay the polls of the next ones."""
    workshop.gateway.polls = [Trouble("down"), Done()]
    for _ in range(3):
        await workshop.submit(order())
    await workshop.work(HOUR)
    workshop.gateway.polls = [Done()]
    job = await workshop.submit(order())
    await workshop.work(60)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.parametrize(("settled", "status"), [(599, "in_progress"), (600, "failed")])
async def test_no_job_is_given_up_by_a_clock_that_was_set_just_now(
    workshop: Workshop, settled: float, status: str
) -> None:
    """Three days passed while the bot was down, or its clock is not synchronized yet."""
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.work(60)
    workshop.clock.time += 3 * 24 * HOUR
    workshop.clock.settled_at = workshop.clock.time
    now = workshop.clock.time = workshop.clock.time + settled
    (claimed,) = await workshop.jobs.claim([Status.IN_PROGRESS], now=now, until=now, most=1)
    await workshop.steps.take(claimed)
    row = await workshop.job(job.id)
    assert row.status == status
    if row.due_at is not None:
        assert row.due_at - now <= WIDEST_STEP, "and it is polled as often as usual"
