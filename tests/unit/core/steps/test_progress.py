"""The steps of a job that its gateway is making: polls, failures and the download."""

import pytest

from bot.core.errors import (
    VideoTruncated,
)
from bot.core.jobs import HARD_DEADLINE, LAST_DEADLINE, Reason, Status
from bot.core.outcomes import (
    Done,
    Failed,
    Locked,
    Missing,
    Running,
    Trouble,
)
from bot.core.steps.content import CONTENT_PATIENCE
from bot.core.steps.waiting import LOST_AFTER
from tests.unit.core.orders import (
    order,
)
from tests.unit.core.steps.seconds import HOUR
from tests.unit.core.workshop import Workshop


async def test_the_progress_of_a_job_never_falls_and_100_percent_does_not_end_the_job(
    workshop: Workshop,
) -> None:
    reported = [30, None, 10, 250, 100]
    seen = []
    workshop.gateway.polls = [*(Running(progress) for progress in reported), Running()]
    job = await workshop.submit(order())
    await workshop.work(1)
    for _ in reported:
        await workshop.work(10)
        seen.append((await workshop.job(job.id)).progress)
    assert seen == [30, 30, 30, 99, 99]


async def test_a_job_that_failed_at_its_gateway_says_why_and_does_not_count(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    job = await workshop.submit(order())
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.status, end.reason) == (Status.FAILED, Reason.MODERATED)
    assert (end.quota_cost, end.spend_cost) == (0, 0)


async def test_a_failed_job_is_still_paid_at_a_gateway_that_does_not_refund(
    workshop: Workshop,
) -> None:
    workshop.gateway.refunds_failed = False
    workshop.gateway.polls = [Failed(Reason.REFUSED, "oops")]
    job = await workshop.submit(order())
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.quota_cost, end.spend_cost) == (0, 1)


async def test_an_unknown_id_is_believed_after_ten_minutes_and_five_polls(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Missing()]
    job = await workshop.submit(order())
    await workshop.work(LOST_AFTER - 20)
    assert (await workshop.job(job.id)).status is Status.IN_PROGRESS
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.reason, end.quota_cost, end.spend_cost) == (Reason.LOST, 0, 1)


@pytest.mark.proof
async def test_one_unknown_id_after_an_outage_does_not_end_the_job(workshop: Workshop) -> None:
    workshop.gateway.polls = [*[Trouble("502")] * 60, Missing(), Running(), Done()]
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.parametrize(
    ("silence", "down"),
    [
        pytest.param(Trouble("502"), 0.0, marks=pytest.mark.proof),
        pytest.param(Running(100), 0.0, marks=pytest.mark.proof),
        pytest.param(Locked(Reason.BAD_KEY, "401"), 44 * HOUR, marks=pytest.mark.proof),
        # Such a gateway is polled every minute, thousands of times.
        pytest.param(Locked(Reason.BAD_KEY, "401"), 0.0, marks=pytest.mark.long),
    ],
)
async def test_a_stuck_job_is_polled_for_two_days_and_then_given_up(
    workshop: Workshop, silence: Trouble | Running | Locked, down: float
) -> None:
    """The deadline also holds if the bot is `down` for some seconds meanwhile."""
    workshop.gateway.poll_step = 900.0
    workshop.gateway.polls = [silence]
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    workshop.clock.time += down
    await workshop.work(LAST_DEADLINE - 2 * HOUR - down)
    assert (await workshop.job(job.id)).status is Status.IN_PROGRESS
    await workshop.work(2 * HOUR)
    end = await workshop.job(job.id)
    assert (end.reason, end.quota_cost, end.spend_cost) == (Reason.TIMED_OUT, 0, 1)


@pytest.mark.proof
async def test_a_video_finished_after_the_hard_deadline_is_still_fetched(
    workshop: Workshop,
) -> None:
    workshop.gateway.poll_step = 900.0
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.work(HARD_DEADLINE + HOUR)
    workshop.gateway.polls = [Done()]
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_content_that_cannot_be_downloaded_is_tried_for_two_hours(workshop: Workshop) -> None:
    workshop.gateway.fetches = [Trouble("404", definite=True)]
    job = await workshop.submit(order())
    await workshop.work(CONTENT_PATIENCE - 600)
    assert (await workshop.job(job.id)).status is Status.COMPLETED
    await workshop.work(HOUR)
    end = await workshop.job(job.id)
    assert (end.reason, end.quota_cost, end.spend_cost) == (Reason.CONTENT_GONE, 0, 1)
    assert workshop.gateway.posts == 1


@pytest.mark.proof
async def test_downloaded_bytes_that_are_no_video_are_not_stored_as_a_video(
    workshop: Workshop,
) -> None:
    workshop.studio.bad_video = VideoTruncated()
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is None
    workshop.studio.bad_video = None
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is not None
