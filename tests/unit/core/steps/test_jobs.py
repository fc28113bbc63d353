"""Each step for each outcome: money is never in doubt without our saying so."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot.core import replies
from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from bot.core.desk import PAUSE
from bot.core.errors import (
    GivenTooLarge,
    MovesAlready,
    PictureFormat,
    PictureGone,
    Refused,
    StorageAway,
    Temporary,
    VideoTruncated,
)
from bot.core.jobs import CLAIM, HARD_DEADLINE, LAST_DEADLINE, MOST_CRASHES, Reason, Status
from bot.core.learned import Key
from bot.core.models import Fields
from bot.core.orders import Kind, SoundFit
from bot.core.outcomes import (
    Accepted,
    Busy,
    Creation,
    Done,
    Failed,
    Fetched,
    Locked,
    Missing,
    NotSent,
    Rejected,
    Running,
    Trouble,
    Uncertain,
)
from bot.core.plans import WIDEST_STEP
from bot.core.quotas import Limits
from bot.core.replies import Action
from bot.core.schedule import LEAST_SAMPLES
from bot.core.service import Actor
from bot.core.steps.content import CONTENT_PATIENCE
from bot.core.steps.jobs import CARE
from bot.core.steps.waiting import LOST_AFTER
from bot.i18n import say
from tests.unit.core.orders import (
    ANN,
    BOB,
    CAT,
    CATALOG,
    SINGER,
    SINGING,
    SONG,
    WAN_PICTURE,
    offering,
    order,
)
from tests.unit.core.workshop import Workshop

HOUR = 3600.0
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
        "Taken. It waits its turn: Wan makes one video of this kind at a time, "
        "and one is being made."
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
        "5 requests of yours were taken today, or may have been without my hearing of it, and each "
        "may cost money."
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


async def test_progress_only_rises_and_does_not_end_anything(workshop: Workshop) -> None:
    reported = [30, None, 10, 250, 100]
    seen = []
    workshop.gateway.polls = [*(Running(progress) for progress in reported), Running()]
    job = await workshop.submit(order())
    await workshop.work(1)
    for _ in reported:
        await workshop.work(10)
        seen.append((await workshop.job(job.id)).progress)
    assert seen == [30, 30, 30, 99, 99]


async def test_a_job_that_failed_there_says_why_and_does_not_count(workshop: Workshop) -> None:
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    job = await workshop.submit(order())
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.status, end.reason) == (Status.FAILED, Reason.MODERATED)
    assert (end.quota_cost, end.spend_cost) == (0, 0)


async def test_where_failures_are_not_refunded_the_spend_stays(workshop: Workshop) -> None:
    workshop.gateway.refunds_failed = False
    workshop.gateway.polls = [Failed(Reason.REFUSED, "oops")]
    job = await workshop.submit(order())
    await workshop.work(60)
    end = await workshop.job(job.id)
    assert (end.quota_cost, end.spend_cost) == (0, 1)


async def test_an_unknown_id_is_believed_after_ten_minutes_and_five_looks(
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
async def test_an_outage_that_ends_with_one_unknown_id_is_no_loss(workshop: Workshop) -> None:
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
        # Such a gateway is asked every minute: thousands of times.
        pytest.param(Locked(Reason.BAD_KEY, "401"), 0.0, marks=pytest.mark.long),
    ],
)
async def test_a_stuck_job_is_looked_at_for_two_days_then_given_up(
    workshop: Workshop, silence: Trouble | Running | Locked, down: float
) -> None:
    """Also if nobody looks at it for a time, as our service is `down`."""
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
async def test_a_success_after_the_hard_deadline_is_still_fetched(workshop: Workshop) -> None:
    workshop.gateway.poll_step = 900.0
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.work(HARD_DEADLINE + HOUR)
    workshop.gateway.polls = [Done()]
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_content_that_cannot_be_had_is_tried_for_two_hours(workshop: Workshop) -> None:
    workshop.gateway.fetches = [Trouble("404", definite=True)]
    job = await workshop.submit(order())
    await workshop.work(CONTENT_PATIENCE - 600)
    assert (await workshop.job(job.id)).status is Status.COMPLETED
    await workshop.work(HOUR)
    end = await workshop.job(job.id)
    assert (end.reason, end.quota_cost, end.spend_cost) == (Reason.CONTENT_GONE, 0, 1)
    assert workshop.gateway.posts == 1


@pytest.mark.proof
async def test_bytes_that_are_no_video_are_never_taken_for_one(workshop: Workshop) -> None:
    workshop.studio.bad_video = VideoTruncated()
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is None
    workshop.studio.bad_video = None
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is not None


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (PictureGone(), Reason.PICTURE_GONE),
        (GivenTooLarge(megabytes=9.0), Reason.PICTURE_HEAVY),
        (Temporary("unreachable"), Reason.PICTURE_GONE),
    ],
)
async def test_a_picture_that_cannot_be_had_ends_the_job_before_it_costs(
    workshop: Workshop, problem: Refused | Temporary, reason: Reason
) -> None:
    workshop.chat.fetches = [problem]
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(HOUR)
    end = await workshop.job(job.id)
    assert (end.status, end.reason, end.quota_cost, end.spend_cost) == (
        Status.FAILED,
        reason,
        0,
        0,
    )
    assert workshop.gateway.posts == 0


async def test_why_a_gateway_refused_is_in_the_log_and_what_was_asked_is_not(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = "my neighbour Zed, dancing"
    said = f'HTTP 400: DataInspectionFailed in "{prompt}", see https://log.test/?sig=1'
    workshop.gateway.creations = [Rejected(Reason.MODERATED, said)]
    await workshop.submit(order(prompt=prompt))
    await workshop.work(60)
    log = "".join(capsys.readouterr())
    assert "DataInspectionFailed in" in log
    assert not any(each in log for each in ("neighbour", "Zed", "dancing", "log.test"))


async def test_our_own_copy_and_our_own_video_are_asked_of_nobody(workshop: Workshop) -> None:
    workshop.chat.fetches = [PictureGone()]
    workshop.studio.kept = {"pictures/old.jpg", "videos/old.mp4"}
    first = replace(CAT, source=None, copy_of="pictures/old.jpg")
    for picture in (first, replace(first, copy_of=None, last_of="videos/old.mp4")):
        job = await workshop.submit(order(pictures=(picture,)))
        await workshop.work(60)
        [kept] = (await workshop.job(job.id)).order.pictures
        assert (kept.copy_of, kept.last_of, kept.width, kept.height) == (None, None, 640, 360)
        assert kept.key not in (None, "pictures/old.jpg"), "each job has a copy of its own"


async def test_a_copy_that_is_no_longer_there_ends_the_job_before_it_costs(
    workshop: Workshop,
) -> None:
    gone = replace(CAT, source=None, last_of="videos/deleted.mp4")
    job = await workshop.submit(order(pictures=(gone,)))
    await workshop.work(60)
    after = await workshop.job(job.id)
    assert (after.status, after.reason) == (Status.FAILED, Reason.PICTURE_GONE)
    assert (after.quota_cost, after.spend_cost, workshop.gateway.posts) == (0, 0, 0)


async def test_a_picture_that_is_slow_to_come_is_waited_for(workshop: Workshop) -> None:
    workshop.chat.fetches = [Temporary("unreachable"), Temporary("unreachable"), None]
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


async def test_a_bad_picture_is_refused_before_it_costs(workshop: Workshop) -> None:
    workshop.studio.bad_picture = Refused("picture_broken")
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).reason is Reason.PICTURE_BAD


@pytest.mark.parametrize("when", ["fetched", "read"])
async def test_of_two_pictures_the_bad_one_is_named(workshop: Workshop, when: str) -> None:
    places = Fields(files={Kind.KEY_FRAMES: (("first",), ("last",))})
    model = replace(WAN_PICTURE, kinds=(Kind.KEY_FRAMES,), places=places)
    catalog = replace(CATALOG, models=(model,))
    workshop.service.accounts = offering(catalog, workshop.service.accounts)
    if when == "fetched":
        workshop.chat.fetches = [None, GivenTooLarge()]
    else:
        workshop.studio.bad_picture = Refused("picture_broken")
        workshop.studio.bad_picture.which = (2, 2)
    job = await workshop.submit(order(pictures=(CAT, CAT)))
    await workshop.work(60)
    failed = await workshop.job(job.id)
    assert (failed.status, failed.quota_cost, workshop.gateway.posts) == (Status.FAILED, 0, 0)
    said = [say(fact, "en") for fact in replies.failure(failed).facts]
    assert "I mean number 2 of 2." in said


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (Refused("picture_kind", kind="TIFF"), "I can't read TIFF."),
        (MovesAlready(), "that one moves already"),
        (PictureFormat(), "that is no picture that I can read"),
        (Refused("picture_demanding"), "more time or memory to read than I have"),
    ],
)
async def test_a_picture_that_is_not_read_is_told_by_its_kind(
    workshop: Workshop, problem: Refused, told: str
) -> None:
    workshop.studio.bad_picture = problem
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(60)
    failure = replies.failure(await workshop.job(job.id))
    assert told in say(failure.text, "en")
    assert len(failure.facts) == 1


# --- sounds --------------------------------------------------------------------------------------


@pytest.fixture
def singing(workshop: Workshop) -> Workshop:
    workshop.service.accounts = offering(SINGING, workshop.service.accounts)
    return workshop


@pytest.mark.proof
async def test_a_sound_goes_along_after_the_picture_and_the_job_is_as_long_as_it_is(
    singing: Workshop,
) -> None:
    job = await singing.submit(order(pictures=(CAT,), sound=replace(SONG, seconds=None)))
    assert (job.request.seconds, job.spend_cost) == (30, 3000)
    await singing.work(60)
    done = await singing.job(job.id)
    assert (done.status, done.request.seconds, done.spend_cost) == (Status.COMPLETED, 8, 800)
    assert done.order.sound == replace(SONG, source=None, key="sounds/a.mp3")
    assert [file.name for file in singing.gateway.files] == ["0.jpg", "a.mp3"]


async def test_a_sound_that_was_kept_is_sent_again_as_it_is(singing: Workshop) -> None:
    job = await singing.submit(
        order(pictures=(CAT,), sound=replace(SONG, seconds=None), seconds=30)
    )
    await singing.work(60)
    singing.chat.fetches = [PictureGone()]
    done = await singing.job(job.id)
    again = await singing.submit(done.order)
    assert (again.request.seconds, again.spend_cost) == (8, 800)
    await singing.work(60)
    assert (await singing.job(again.id)).status is Status.COMPLETED


async def test_a_sound_that_was_kept_is_fitted_anew_where_a_model_takes_less(
    singing: Workshop,
) -> None:
    job = await singing.submit(order(pictures=(CAT,), sound=SONG))
    await singing.work(60)
    small = replace(SINGER, sound=SoundFit(most_seconds=5))
    singing.service.accounts = offering(Catalog(models=(small,)), singing.service.accounts)
    singing.chat.fetches = [PictureGone()]
    again = await singing.submit((await singing.job(job.id)).order)
    await singing.work(60)
    end = await singing.job(again.id)
    assert end.order.sound is not None
    assert (end.status, end.order.sound.seconds) == (Status.COMPLETED, 5)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (PictureGone(), Reason.SOUND_GONE),
        (Refused("sound_too_large", megabytes=16.0, most=15.0), Reason.SOUND_HEAVY),
        (Temporary("unreachable"), Reason.SOUND_GONE),
    ],
)
async def test_a_sound_that_cannot_be_had_ends_the_job_before_it_costs(
    singing: Workshop, problem: Refused | Temporary, reason: Reason
) -> None:
    singing.chat.fetches = [None, problem]
    job = await singing.submit(order(pictures=(CAT,), sound=SONG))
    await singing.work(HOUR)
    end = await singing.job(job.id)
    assert (end.reason, end.quota_cost, end.spend_cost) == (reason, 0, 0)
    assert singing.gateway.posts == 0


async def test_a_bad_sound_is_refused_before_it_costs(singing: Workshop) -> None:
    singing.studio.bad_sound = Refused("sound_short", seconds=2.0, least=3.0)
    job = await singing.submit(order(pictures=(CAT,), sound=SONG))
    await singing.work(HOUR)
    assert (await singing.job(job.id)).reason is Reason.SOUND_SHORT


async def test_a_kept_sound_that_is_no_longer_there_is_said_to_be_gone(singing: Workshop) -> None:
    job = await singing.submit(order(pictures=(CAT,), sound=SONG))
    await singing.work(60)
    singing.studio.kept.discard("sounds/a.mp3")
    again = await singing.submit((await singing.job(job.id)).order)
    await singing.work(60)
    assert (await singing.job(again.id)).reason is Reason.SOUND_GONE


async def test_a_sound_that_kills_the_process_ends_its_job(singing: Workshop) -> None:
    job = await singing.submit(order(pictures=(CAT,), sound=SONG))
    now = singing.clock.time
    [row] = await singing.jobs.claim([Status.QUEUED], now=now, until=now + CLAIM, most=1)
    await singing.steps.take(row)
    for _ in range(4):
        now = singing.clock.time
        await singing.jobs.claim([Status.QUEUED], now=now, until=now + CLAIM, most=1)
        singing.clock.time += CLAIM + 1
    await singing.work(60)
    assert (await singing.job(job.id)).reason is Reason.SOUND_BAD


async def died(workshop: Workshop, states: Sequence[Status], times: int) -> None:
    """The process claims what is due in `states`, and dies of something, so many times in a row."""
    for _ in range(times):
        now = workshop.clock.time
        await workshop.jobs.claim(states, now=now, until=now + CLAIM, most=9)
        workshop.clock.time += CLAIM + 1


@pytest.mark.parametrize("restarts", [1, 3, 7])
async def test_restarts_in_a_hurry_put_off_nothing_for_more_than_half_a_minute(
    workshop: Workshop, restarts: int
) -> None:
    running = await workshop.submit(order())
    await died(workshop, [Status.QUEUED], restarts)
    await workshop.work(CARE * 1.1 + 1)
    assert workshop.gateway.posts == 1

    workshop.clock.time += 60
    await died(workshop, [Status.IN_PROGRESS], restarts)
    await workshop.work(CARE * 1.1 + 1)
    assert (await workshop.job(running.id)).status is Status.COMPLETED


async def test_a_finished_video_waits_half_a_minute_after_three_deaths_and_no_more(
    workshop: Workshop,
) -> None:
    workshop.gateway.fetches = [Trouble("down"), Fetched(9)]
    job = await workshop.submit(order())
    await workshop.work(12)
    assert (await workshop.job(job.id)).status is Status.COMPLETED
    workshop.clock.time += 60
    await died(workshop, [Status.COMPLETED], 3)
    await workshop.work(CARE * 0.9 - 1)
    assert (await workshop.job(job.id)).video is None, "put aside: it may be what we died of"
    await workshop.work(CARE * 0.2 + 2)
    assert (await workshop.job(job.id)).video is not None


@pytest.mark.parametrize(("deaths", "reason"), [(3, None), (4, Reason.PICTURE_BAD)])
async def test_a_picture_in_hand_at_three_deaths_is_tried_by_itself_before_it_is_blamed(
    workshop: Workshop, deaths: int, reason: Reason | None
) -> None:
    job = await workshop.submit(order(pictures=(CAT,)))
    await died(workshop, [Status.QUEUED], deaths)
    await workshop.work(60)
    row = await workshop.job(job.id)
    assert row.reason is reason
    assert row.status is (Status.FAILED if reason else Status.COMPLETED)


async def test_a_picture_that_only_waited_while_another_was_tried_alone_is_not_blamed(
    workshop: Workshop,
) -> None:
    """Two in hand at three deaths; the one that was tried alone kills the process again."""
    deadly, innocent = [await workshop.submit(order(pictures=(CAT,))) for _ in range(2)]
    await died(workshop, [Status.QUEUED], 3)
    inside = asyncio.Event()

    async def fetch(*_: object, **__: object) -> None:
        inside.set()
        await asyncio.Event().wait()

    now = workshop.clock.time
    rows = await workshop.jobs.claim([Status.QUEUED], now=now, until=now + CLAIM, most=9)
    assert [row.id for row in rows] == [deadly.id, innocent.id]
    workshop.chat.fetch = fetch  # type: ignore[method-assign]
    alone = asyncio.create_task(workshop.steps.take(rows[0]))
    await inside.wait()
    await workshop.steps.take(rows[1])
    turned_away = await workshop.job(innocent.id)
    assert (turned_away.claimed_until, turned_away.crashes) == (None, 3)
    alone.cancel()  # as far as the rows go: its claim would be given back, so it is taken again
    await asyncio.gather(alone, return_exceptions=True)
    await workshop.jobs.claim([Status.QUEUED], now=now, until=now + CLAIM, most=1)
    del workshop.chat.fetch
    workshop.clock.time += CLAIM + 1
    await workshop.work(120)
    assert (await workshop.job(deadly.id)).reason is Reason.PICTURE_BAD
    assert (await workshop.job(innocent.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_a_job_whose_gateway_left_the_configuration_waits(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    workshop.gateway.base_url = "https://elsewhere.test"
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.QUEUED
    assert workshop.gateway.posts == 0
    workshop.gateway.base_url = job.base_url
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_the_pace_of_looking_is_learned_from_finished_videos(workshop: Workshop) -> None:
    for _ in range(LEAST_SAMPLES):
        workshop.gateway.polls = [*[Running()] * 9, Done()]
        await workshop.submit(order())
        await workshop.work(HOUR)
    job = await workshop.submit(order())
    await workshop.work(5)
    begun = await workshop.job(job.id)
    assert begun.submitted_at is not None
    assert begun.due_at is not None
    assert begun.due_at - begun.submitted_at > 50, "no look where nothing is to be expected"


async def test_a_video_that_was_made_while_we_were_down_teaches_nothing(
    workshop: Workshop,
) -> None:
    """When it was made is not known; one that is found by a look in time is a lesson."""
    job = await workshop.submit(order())
    await workshop.work(5)
    workshop.clock.time += HOUR
    await workshop.work(5)
    assert (await workshop.job(job.id)).made_after is None
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).made_after == 0.0


@pytest.mark.parametrize("error", [Trouble("down"), Locked(Reason.BAD_KEY, "no")])
async def test_a_video_that_was_made_while_its_gateway_was_down_teaches_nothing(
    workshop: Workshop, error: Trouble | Locked
) -> None:
    workshop.gateway.polls = [*[error] * 9, Done()]
    job = await workshop.submit(order())
    await workshop.work(HOUR)
    made = await workshop.job(job.id)
    assert (made.completed_at is None, made.made_after) == (False, None)


async def test_the_write_that_ends_a_job_tells_how_long_its_video_took(workshop: Workshop) -> None:
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
async def test_jobs_that_an_outage_put_off_together_do_not_come_back_together(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Trouble("down")]
    jobs = [await workshop.submit(order()) for _ in range(9)]
    await workshop.work(60)
    due = {(await workshop.job(job.id)).due_at for job in jobs}
    assert len(due) == 9


async def test_somebody_elses_picture_is_not_taken(workshop: Workshop) -> None:
    theirs = replace(CAT, author="bob")
    with pytest.raises(Refused, match="not_your_picture"):
        await workshop.submit(order(pictures=(theirs,)))


async def test_somebody_elses_voice_is_not_taken(workshop: Workshop) -> None:
    workshop.service.accounts = offering(SINGING, workshop.service.accounts)
    theirs = replace(SONG, author="bob")
    with pytest.raises(Refused, match="not_your_sound"):
        await workshop.submit(order(pictures=(CAT,), sound=theirs))


async def test_a_worker_that_slept_past_its_claim_takes_nothing_back(workshop: Workshop) -> None:
    """A pauses before it connects, B submits meanwhile, A wakes up with 'not sent'."""
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


async def test_a_first_try_that_comes_late_is_not_the_last(workshop: Workshop) -> None:
    """The bot was down, or the gateway paused: half an hour counts from the first try."""
    job = await workshop.submit(order())
    workshop.clock.time += HOUR
    workshop.gateway.creations = [NotSent("refused"), Accepted("v1")]
    await workshop.work(120)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_a_short_spell_of_unknown_late_in_a_job_is_no_loss(workshop: Workshop) -> None:
    """A gateway being redeployed answers 404 for a minute or two."""
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
async def test_an_outage_after_completion_is_waited_out(workshop: Workshop) -> None:
    workshop.gateway.fetches = [Trouble("ClientConnectorError")]
    job = await workshop.submit(order())
    await workshop.work(CONTENT_PATIENCE + HOUR)
    workshop.gateway.fetches = [Fetched(9)]
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is not None


@pytest.mark.proof
async def test_storage_that_is_away_holds_a_finished_video_up_and_nothing_more(
    workshop: Workshop,
) -> None:
    workshop.studio.bad_video = StorageAway()
    job = await workshop.submit(order())
    await workshop.work(CONTENT_PATIENCE + HOUR)
    workshop.studio.bad_video = None
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).video is not None


@pytest.mark.proof
async def test_storage_that_is_away_is_not_blamed_on_the_picture(workshop: Workshop) -> None:
    workshop.studio.bad_picture = StorageAway()
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.QUEUED
    workshop.studio.bad_picture = None
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.proof
async def test_a_step_that_raises_is_tried_again_soon(workshop: Workshop) -> None:
    async def stumble() -> None:
        workshop.gateway.before = None
        raise ZeroDivisionError

    workshop.gateway.before = stumble
    job = await workshop.submit(order())
    await workshop.work(60)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


async def test_being_told_to_stop_is_no_crash(workshop: Workshop) -> None:
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


async def test_a_row_that_cannot_be_read_holds_nobody_up_and_stays_out_of_the_log(
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


async def test_looks_stay_frequent_enough_to_notice_that_videos_got_faster(
    workshop: Workshop,
) -> None:
    """Three videos noticed hours late must not make the next ones late as well."""
    workshop.gateway.polls = [Trouble("down"), Done()]
    for _ in range(3):
        await workshop.submit(order())
    await workshop.work(HOUR)
    workshop.gateway.polls = [Done()]
    job = await workshop.submit(order())
    await workshop.work(60)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


@pytest.mark.parametrize(("settled", "status"), [(599, "in_progress"), (600, "failed")])
async def test_nothing_is_given_up_by_a_clock_that_was_set_just_now(
    workshop: Workshop, settled: float, status: str
) -> None:
    """Three days passed while we were down, or so says a clock that no time server has seen yet."""
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
        assert row.due_at - now <= WIDEST_STEP, "and it is looked at as often as ever"
