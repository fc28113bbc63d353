"""The steps of a job up to the answer to its POST: no order is sent twice or paid unnoticed."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot.core import replies
from bot.core.accounts import Accounts, Terms
from bot.core.context import PAUSE
from bot.core.errors import (
    Refused,
    Temporary,
)
from bot.core.jobs import CLAIM, MOST_CRASHES, Reason, Status
from bot.core.outcomes import (
    Accepted,
    Busy,
    Creation,
    Done,
    Locked,
    NotSent,
    Rejected,
    Running,
    Uncertain,
)
from bot.core.quotas import Limits
from bot.core.replies import Action, Text
from bot.core.service import Actor
from bot.i18n import say
from tests.unit.core.orders import (
    ANN,
    BOB,
    CAT,
    CATALOG,
    order,
)
from tests.unit.core.steps.seconds import HOUR
from tests.unit.core.workshop import Workshop

PATIENCE = 1800.0
"""About how many seconds an order waits for a gateway that takes no orders."""


async def test_a_job_goes_from_its_row_to_a_stored_video_with_one_post(workshop: Workshop) -> None:
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(60)
    done = await workshop.job(job.id)
    assert (done.status, done.gateway_id) == (Status.COMPLETED, "v1")
    assert done.video is not None
    assert done.order.pictures[0].source is None, "the chat's own handle is forgotten"
    assert workshop.gateway.posts == 1


async def test_every_try_of_a_post_gets_fresh_links_to_the_pictures(workshop: Workshop) -> None:
    """The links of an earlier try may have expired."""
    workshop.gateway.creations = [NotSent("refused"), Accepted("v1")]
    begun = workshop.clock.time
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(60)
    tries = [link for (link,) in workshop.gateway.links]
    assert tries == [f"{job.id} {begun:.0f}", f"{job.id} {begun + 5:.0f}"]


async def test_the_words_of_a_preset_are_added_only_once_when_an_order_is_repeated(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order(preset="loop"))
    again = await workshop.submit(job.order)
    assert job.request.prompt == again.request.prompt == "Loop. a cat"


async def test_an_order_waits_for_a_gateway_that_cannot_be_reached(workshop: Workshop) -> None:
    workshop.gateway.creations = [*[NotSent("refused")] * 9, Accepted("v1")]
    job = await workshop.submit(order())
    await workshop.work(PATIENCE)
    assert (await workshop.job(job.id)).status is Status.COMPLETED
    assert workshop.gateway.posts == 1


@pytest.mark.proof
@pytest.mark.parametrize("outcome", [NotSent("refused"), Busy(None), Busy(5.0), Busy(9_999.0)])
async def test_an_order_fails_free_of_charge_after_half_an_hour_without_its_gateway(
    workshop: Workshop, outcome: Creation
) -> None:
    workshop.gateway.creations = [outcome]
    job = await workshop.submit(order())
    await workshop.work(PATIENCE - 120)
    assert (await workshop.job(job.id)).status is Status.QUEUED
    await workshop.work(300)
    end = await workshop.job(job.id)
    assert (end.status, end.reason) == (Status.FAILED, Reason.BUSY)
    assert (end.quota_cost, end.spend_cost) == (0, 0)


async def test_a_refused_key_or_balance_pauses_the_gateway_and_loses_no_order(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Locked(Reason.NO_BALANCE, "empty"), Accepted("v1")]
    first = await workshop.submit(order())
    await workshop.work(1)
    second = await workshop.submit(order())
    await workshop.work(PAUSE - 10)
    for job in (first, second):
        waiting = await workshop.job(job.id)
        assert (waiting.status, waiting.quota_cost) == (Status.QUEUED, 1)
    assert workshop.gateway.posts == 1, "the paused gateway is left alone"
    await workshop.work(60)
    for job in (first, second):
        assert (await workshop.job(job.id)).status is Status.COMPLETED


async def test_a_person_who_orders_during_a_pause_is_told_so_and_may_cancel(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Locked(Reason.NO_BALANCE, "empty")]
    await workshop.submit(order())
    await workshop.work(1)
    second = await workshop.submit(order())
    await workshop.work(1)
    card = await workshop.cards.card(await workshop.job(second.id))
    assert card.text.values["state"] == Text(id="card.waiting_for_operator")
    assert [button.action for button in card.buttons] == [Action.CANCEL]
    ended = await workshop.service.cancel(second.id, Actor(person=ANN))
    assert (ended.status, ended.quota_cost) == (Status.CANCELLED, 0)


async def test_a_job_without_a_free_slot_waits_says_so_and_goes_on_as_soon_as_possible(
    workshop: Workshop,
) -> None:
    workshop.at_once = 1
    workshop.gateway.polls = [*[Running()] * 5, Done()]
    first, second = [await workshop.submit(order()) for _ in range(2)]
    await workshop.work(15)
    waiting = await workshop.job(second.id)
    assert (workshop.gateway.posts, waiting.status, waiting.attempts) == (1, Status.QUEUED, 0)
    card = await workshop.cards.card(waiting)
    assert say(card.text, "en") == (
        "Got it! Your video waits for a free slot: Wan makes one video of this kind at a time, "
        "and one is being made now."
    )
    assert [button.action for button in card.buttons] == [Action.CANCEL]
    await workshop.work(120)
    over, then = await workshop.job(first.id), await workshop.job(second.id)
    assert then.submitted_at == over.completed_at, "not one poll later"


@pytest.mark.proof
@pytest.mark.parametrize("trouble", [ZeroDivisionError(), Temporary("away"), None])
async def test_a_job_that_cannot_begin_although_its_slot_is_free_delays_no_other_job(
    workshop: Workshop, trouble: Exception | None
) -> None:
    """The step raises, the storage is away, or (None) the step kills the process."""

    async def stumble() -> None:
        workshop.gateway.before = None
        if trouble:
            raise trouble

    workshop.at_once = 1
    workshop.gateway.polls = [Running(), Done()]
    first, second, third = [await workshop.submit(order()) for _ in range(3)]
    await workshop.work(5)
    waiting = await workshop.job(second.id)
    crashes = 0 if trouble else MOST_CRASHES
    await workshop.jobs.save(waiting, replace(waiting, crashes=crashes), now=workshop.clock.now())
    workshop.gateway.before = stumble
    await workshop.work(2 * HOUR)
    first, second, third = [await workshop.job(each.id) for each in (first, second, third)]
    assert third.submitted_at == first.completed_at
    assert second.status is Status.COMPLETED


async def test_jobs_that_wait_for_a_slot_at_a_locked_gateway_say_that_it_is_locked(
    workshop: Workshop,
) -> None:
    workshop.at_once = 1
    workshop.gateway.creations = [Accepted("v1"), Locked(Reason.NO_BALANCE, "empty")]
    for _ in range(3):
        await workshop.submit(order())
        await workshop.work(0.5)
    await workshop.work(30)
    recent = await workshop.jobs.recent("chat", ANN.id, most=9)
    waiting = [job for job in recent if job.status is Status.QUEUED]
    assert [job.reason for job in waiting] == [Reason.NO_BALANCE] * 2


@pytest.mark.parametrize(("charged", "spend"), [(False, 0), (True, 1)])
async def test_a_rejected_order_ends_failed_after_one_post(
    workshop: Workshop, charged: bool, spend: int
) -> None:
    workshop.gateway.creations = [Rejected(Reason.MODERATED, "no", charged=charged)]
    job = await workshop.submit(order())
    await workshop.work()
    end = await workshop.job(job.id)
    assert (end.status, end.reason, end.detail) == (Status.FAILED, Reason.MODERATED, "no")
    assert (end.quota_cost, end.spend_cost) == (0, spend)
    assert workshop.gateway.posts == 1


async def test_an_order_with_an_uncertain_answer_is_unconfirmed_and_never_sent_again(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.submit(order())
    await workshop.work()
    end = await workshop.job(job.id)
    assert (end.status, end.quota_cost, end.spend_cost) == (Status.UNCONFIRMED, 0, 1)
    assert workshop.gateway.posts == 1


async def test_a_gateway_that_loses_every_answer_is_paid_at_most_two_videos_beyond_the_limit(
    workshop: Workshop,
) -> None:
    limits = Limits(person_videos=3, person_at_once=None)
    workshop.accounts = Accounts(Terms(catalog=CATALOG, limits=limits), {})
    workshop.service.accounts = workshop.accounts
    workshop.gateway.creations = [Uncertain("reset")]
    refused = []
    for _ in range(10):
        try:
            await workshop.submit(order())
        except Refused as refusal:
            refused.append(say(replies.error(refusal).text, "en"))
        await workshop.work(60)
    assert workshop.gateway.posts == 5
    assert len(refused) == 5
    assert refused[0].startswith(
        "5 orders of yours today may cost money: the video service took them, or gave no clear "
        "answer."
    )


async def test_an_order_answered_with_an_error_is_not_said_to_have_lost_its_connection(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Uncertain("HTTP 503: no", answered=True), Uncertain("reset")]
    said = []
    for _ in range(2):
        job = await workshop.submit(order())
        await workshop.work()
        end = await workshop.job(job.id)
        said.append((end.status, replies.failure(end).text.id))
    assert said == [
        (Status.UNCONFIRMED, "failure.gateway_error"),
        (Status.UNCONFIRMED, "failure.unconfirmed"),
    ]
    assert workshop.gateway.posts == 2


async def test_a_process_that_dies_in_a_post_leaves_the_job_unconfirmed(workshop: Workshop) -> None:
    class Killed(BaseException):
        pass

    async def die() -> None:
        raise Killed

    workshop.gateway.meanwhile = die
    job = await workshop.submit(order())
    with pytest.raises(Killed):
        await workshop.work(1)
    assert (await workshop.job(job.id)).status is Status.SUBMITTING
    workshop.gateway.meanwhile = None
    await workshop.work(CLAIM - 10)
    assert (await workshop.job(job.id)).status is Status.SUBMITTING, "its claim is still good"
    await workshop.work(20)
    assert (await workshop.job(job.id)).status is Status.UNCONFIRMED
    assert workshop.gateway.posts == 1


async def test_an_id_recorded_late_makes_an_unconfirmed_job_go_on_to_its_video(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.submit(order())
    await workshop.work(1)
    await workshop.jobs.accept(job.id, "v9", now=workshop.clock.time, due_at=workshop.clock.time)
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.status, end.gateway_id) == (Status.COMPLETED, "v9")
    assert (end.quota_cost, end.spend_cost) == (0, 1), "the quota stays released"


@pytest.mark.proof
async def test_an_id_that_a_full_database_cannot_store_is_spooled_and_recorded_later(
    workshop: Workshop,
) -> None:
    """The disk is full between the POST and its answer: SQLite itself raises."""

    async def mend() -> None:
        assert list(workshop.spool.read()) == [(job.id, long_id, ())]
        await _pages(workshop, 1_000_000)

    long_id = "v" * 9_000
    workshop.gateway.creations = [Accepted(long_id)]
    job = await workshop.submit(order())
    workshop.gateway.meanwhile = lambda: _pages(workshop, 1)
    workshop.clock.on_nap = mend
    await workshop.work(1)
    assert workshop.clock.naps == 1
    assert (await workshop.job(job.id)).gateway_id == long_id
    assert list(workshop.spool.read()) == [], "the row has it"


async def test_the_log_says_spooled_only_once_the_id_is_on_the_disk(
    workshop: Workshop,
) -> None:
    """If the spool can't be written either, the log says so and both are tried again."""

    async def mend() -> None:
        events.append([it["event"] for it in told if it["event"].startswith("job.id_")])
        if workshop.clock.naps == 1:
            workshop.spool.file.rmdir()
        else:
            await _pages(workshop, 1_000_000)

    events: list[list[str]] = []
    long_id = "v" * 9_000
    workshop.gateway.creations = [Accepted(long_id)]
    job = await workshop.submit(order())
    workshop.gateway.meanwhile = lambda: _pages(workshop, 1)
    workshop.spool.file.mkdir()
    workshop.clock.on_nap = mend
    with capture_logs() as told:
        await workshop.work(1)
    assert events == [["job.id_unspooled"], ["job.id_unspooled", "job.id_spooled"]]
    assert (await workshop.job(job.id)).gateway_id == long_id
    assert list(workshop.spool.read()) == []


async def _pages(workshop: Workshop, most: int) -> None:
    """Make the disk full, or give it room again, by the number of pages that SQLite may use."""

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

    await workshop.database.run(limit)


async def test_dont_post_pressed_during_the_post_loses_no_gateway_id(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    workshop.gateway.meanwhile = lambda: workshop.service.silence(job.id, Actor(person=ANN))
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.status, end.gateway_id, end.silent) == (Status.DELIVERED, "v1", True)
    assert await workshop.posts.get(job.id, "result") is None
    assert end.quota_cost == 1, "it still counts"


async def test_a_job_cancelled_before_the_first_byte_of_its_post_is_not_sent(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order())
    workshop.gateway.before = lambda: workshop.service.cancel(job.id, Actor(person=ANN))
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.status, end.quota_cost, end.spend_cost) == (Status.CANCELLED, 0, 0)
    assert workshop.gateway.posts == 0


async def test_only_its_person_or_a_moderator_may_cancel_a_job(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    with pytest.raises(Refused, match="not_yours"):
        await workshop.service.cancel(job.id, Actor(person=BOB))
    ended = await workshop.service.cancel(job.id, Actor(person=BOB, moderates=True))
    assert ended.reason is Reason.BY_ADMIN


async def test_a_job_that_its_gateway_accepted_can_no_longer_be_cancelled(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.work(5)
    with pytest.raises(Refused, match="too_late_to_cancel"):
        await workshop.service.cancel(job.id, Actor(person=ANN))
