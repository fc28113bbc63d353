"""The steps of a job up to the answer to its POST: no order is sent twice or paid unseen."""

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
from bot.core.replies import Action
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
"""Seconds that a gateway which takes nothing is waited for, about."""


async def test_a_job_goes_from_its_row_to_a_stored_video_with_one_post(workshop: Workshop) -> None:
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(60)
    done = await workshop.job(job.id)
    assert (done.status, done.gateway_id) == (Status.COMPLETED, "v1")
    assert done.video is not None
    assert done.order.pictures[0].source is None, "the chat's own handle is forgotten"
    assert workshop.gateway.posts == 1


async def test_every_try_gets_fresh_links_to_the_pictures(workshop: Workshop) -> None:
    """Those of an earlier one may have expired."""
    workshop.gateway.creations = [NotSent("refused"), Accepted("v1")]
    begun = workshop.clock.time
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(60)
    tries = [link for (link,) in workshop.gateway.links]
    assert tries == [f"{job.id} {begun:.0f}", f"{job.id} {begun + 5:.0f}"]


async def test_a_preset_speaks_once_however_often_it_is_tried(workshop: Workshop) -> None:
    job = await workshop.submit(order(preset="loop"))
    again = await workshop.submit(job.order)
    assert job.request.prompt == again.request.prompt == "Loop. a cat"


async def test_a_gateway_that_cannot_be_reached_is_waited_for(workshop: Workshop) -> None:
    workshop.gateway.creations = [*[NotSent("refused")] * 9, Accepted("v1")]
    job = await workshop.submit(order())
    await workshop.work(PATIENCE)
    assert (await workshop.job(job.id)).status is Status.COMPLETED
    assert workshop.gateway.posts == 1


@pytest.mark.proof
@pytest.mark.parametrize("outcome", [NotSent("refused"), Busy(None), Busy(5.0), Busy(9_999.0)])
async def test_but_not_for_ever_and_then_it_does_not_count(
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


async def test_a_refused_key_or_balance_pauses_the_gateway_and_loses_nothing(
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


async def test_whoever_orders_during_a_pause_is_told_of_it_and_may_cancel(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Locked(Reason.NO_BALANCE, "empty")]
    await workshop.submit(order())
    await workshop.work(1)
    second = await workshop.submit(order())
    await workshop.work(1)
    card = await workshop.cards.card(await workshop.job(second.id))
    assert card.text.id == "card.waiting_for_operator"
    assert [button.action for button in card.buttons] == [Action.CANCEL]
    ended = await workshop.service.cancel(second.id, Actor(person=ANN))
    assert (ended.status, ended.quota_cost) == (Status.CANCELLED, 0)


async def test_what_finds_no_place_waits_its_turn_says_so_and_goes_on_as_soon_as_it_can(
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
    assert then.submitted_at == over.completed_at, "not one look later"


@pytest.mark.proof
@pytest.mark.parametrize("trouble", [ZeroDivisionError(), Temporary("away"), None])
async def test_whose_turn_it_is_and_who_cannot_begin_keeps_nobody_waiting(
    workshop: Workshop, trouble: Exception | None
) -> None:
    """A step that raises, storage that is away, a step that kills the process (None)."""

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


async def test_what_waits_its_turn_while_the_gateway_is_locked_says_that(
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
async def test_a_definite_no_ends_it(workshop: Workshop, charged: bool, spend: int) -> None:
    workshop.gateway.creations = [Rejected(Reason.MODERATED, "no", charged=charged)]
    job = await workshop.submit(order())
    await workshop.work()
    end = await workshop.job(job.id)
    assert (end.status, end.reason, end.detail) == (Status.FAILED, Reason.MODERATED, "no")
    assert (end.quota_cost, end.spend_cost) == (0, spend)
    assert workshop.gateway.posts == 1


async def test_what_may_have_been_accepted_is_never_sent_again(workshop: Workshop) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.submit(order())
    await workshop.work()
    end = await workshop.job(job.id)
    assert (end.status, end.quota_cost, end.spend_cost) == (Status.UNCONFIRMED, 0, 1)
    assert workshop.gateway.posts == 1


async def test_a_gateway_that_loses_every_answer_is_paid_for_two_beyond_the_limit(
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
        "5 orders of yours today were accepted by the video service, or may have been: "
        "I got no clear answer. Each may cost money,"
    )


async def test_an_order_answered_with_an_error_is_not_said_to_have_lost_the_line(
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


async def test_a_process_that_dies_in_its_post_leaves_it_unconfirmed(workshop: Workshop) -> None:
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


async def test_an_id_that_turns_up_late_is_taken_and_its_video_delivered(
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
async def test_an_id_that_the_database_cannot_take_is_spooled_and_recorded_later(
    workshop: Workshop,
) -> None:
    """A full disk between the POST and its answer: SQLite itself says so."""

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


async def test_the_log_says_spooled_only_once_the_disk_has_it(
    workshop: Workshop,
) -> None:
    """A spool that can't be written either is tried again, and the log says so at once."""

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
    """A full disk, or room on it again."""

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

    await workshop.database.run(limit)


async def test_dont_post_pressed_in_the_middle_of_the_post_loses_no_id(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    workshop.gateway.meanwhile = lambda: workshop.service.silence(job.id, Actor(person=ANN))
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.status, end.gateway_id, end.silent) == (Status.DELIVERED, "v1", True)
    assert await workshop.posts.get(job.id, "result") is None
    assert end.quota_cost == 1, "it still counts"


async def test_cancelled_before_the_first_byte_means_not_one_leaves(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    workshop.gateway.before = lambda: workshop.service.cancel(job.id, Actor(person=ANN))
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.status, end.quota_cost, end.spend_cost) == (Status.CANCELLED, 0, 0)
    assert workshop.gateway.posts == 0


async def test_only_its_owner_or_a_moderator_may_withdraw_a_job(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    with pytest.raises(Refused, match="not_yours"):
        await workshop.service.cancel(job.id, Actor(person=BOB))
    ended = await workshop.service.cancel(job.id, Actor(person=BOB, moderates=True))
    assert ended.reason is Reason.BY_ADMIN


async def test_once_the_gateway_has_it_cancel_is_too_late(workshop: Workshop) -> None:
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.work(5)
    with pytest.raises(Refused, match="too_late_to_cancel"):
        await workshop.service.cancel(job.id, Actor(person=ANN))
