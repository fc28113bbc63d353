"""The steps that fetch a job's pictures and sounds."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.core import replies
from bot.core.catalog import Catalog
from bot.core.errors import (
    GivenTooLarge,
    MovesAlready,
    PictureFormat,
    PictureGone,
    Refused,
    Temporary,
)
from bot.core.jobs import CLAIM, Reason, Status
from bot.core.models import Fields
from bot.core.orders import Kind, SoundFit
from bot.core.outcomes import (
    Fetched,
    Rejected,
    Trouble,
)
from bot.core.steps.jobs import CARE
from bot.i18n import say
from tests.unit.core.orders import (
    CAT,
    CATALOG,
    SINGER,
    SINGING,
    SONG,
    WAN_PICTURE,
    offering,
    order,
)
from tests.unit.core.steps.seconds import HOUR
from tests.unit.core.workshop import Workshop


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (PictureGone(), Reason.PICTURE_GONE),
        (GivenTooLarge(megabytes=9.0), Reason.PICTURE_HEAVY),
        (Temporary("unreachable"), Reason.PICTURE_GONE),
    ],
)
async def test_a_picture_that_cannot_be_fetched_ends_the_job_free_of_charge(
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


async def test_the_log_has_the_gateways_reason_for_a_refusal_but_not_the_prompt(
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


async def test_our_own_copy_of_a_picture_is_used_without_asking_the_chat_network(
    workshop: Workshop,
) -> None:
    workshop.chat.fetches = [PictureGone()]
    workshop.studio.kept = {"pictures/old.jpg", "videos/old.mp4"}
    first = replace(CAT, source=None, copy_of="pictures/old.jpg")
    for picture in (first, replace(first, copy_of=None, last_of="videos/old.mp4")):
        job = await workshop.submit(order(pictures=(picture,)))
        await workshop.work(60)
        [kept] = (await workshop.job(job.id)).order.pictures
        assert (kept.copy_of, kept.last_of, kept.width, kept.height) == (None, None, 640, 360)
        assert kept.key not in (None, "pictures/old.jpg"), "each job has a copy of its own"


async def test_a_picture_whose_copy_is_gone_ends_the_job_free_of_charge(
    workshop: Workshop,
) -> None:
    gone = replace(CAT, source=None, last_of="videos/deleted.mp4")
    job = await workshop.submit(order(pictures=(gone,)))
    await workshop.work(60)
    after = await workshop.job(job.id)
    assert (after.status, after.reason) == (Status.FAILED, Reason.PICTURE_GONE)
    assert (after.quota_cost, after.spend_cost, workshop.gateway.posts) == (0, 0, 0)


async def test_a_picture_that_cannot_be_fetched_for_now_is_tried_again(workshop: Workshop) -> None:
    workshop.chat.fetches = [Temporary("unreachable"), Temporary("unreachable"), None]
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).status is Status.COMPLETED


async def test_a_broken_picture_ends_the_job_as_picture_bad(workshop: Workshop) -> None:
    workshop.studio.bad_picture = Refused("picture_broken")
    job = await workshop.submit(order(pictures=(CAT,)))
    await workshop.work(HOUR)
    assert (await workshop.job(job.id)).reason is Reason.PICTURE_BAD


@pytest.mark.parametrize("when", ["fetched", "read"])
async def test_of_two_pictures_the_failure_names_the_bad_one(workshop: Workshop, when: str) -> None:
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
    assert "I mean picture number 2 of 2." in said


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (Refused("picture_kind", kind="TIFF"), "I can't read TIFF."),
        (MovesAlready(), "that picture already moves"),
        (PictureFormat(), "that file is not a picture"),
        (Refused("picture_demanding"), "I don't have enough time or memory to read that picture"),
    ],
)
async def test_a_failure_over_an_unreadable_picture_names_its_kind(
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
    """A workshop with a model that takes sounds."""
    workshop.service.accounts = offering(SINGING, workshop.service.accounts)
    return workshop


@pytest.mark.proof
async def test_a_sound_is_sent_after_the_picture_and_sets_the_length_and_price_of_the_job(
    singing: Workshop,
) -> None:
    job = await singing.submit(order(pictures=(CAT,), sound=replace(SONG, seconds=None)))
    assert (job.request.seconds, job.spend_cost) == (30, 3000)
    await singing.work(60)
    done = await singing.job(job.id)
    assert (done.status, done.request.seconds, done.spend_cost) == (Status.COMPLETED, 8, 800)
    assert done.order.sound == replace(SONG, source=None, key="sounds/a.mp3")
    assert [file.name for file in singing.gateway.files] == ["0.jpg", "a.mp3"]


async def test_a_sound_that_was_kept_is_sent_again_unchanged(singing: Workshop) -> None:
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


async def test_a_sound_that_was_kept_is_shortened_again_for_a_model_that_takes_less(
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
async def test_a_sound_that_cannot_be_fetched_ends_the_job_free_of_charge(
    singing: Workshop, problem: Refused | Temporary, reason: Reason
) -> None:
    singing.chat.fetches = [None, problem]
    job = await singing.submit(order(pictures=(CAT,), sound=SONG))
    await singing.work(HOUR)
    end = await singing.job(job.id)
    assert (end.reason, end.quota_cost, end.spend_cost) == (reason, 0, 0)
    assert singing.gateway.posts == 0


async def test_a_sound_that_is_too_short_ends_the_job_as_sound_short(singing: Workshop) -> None:
    singing.studio.bad_sound = Refused("sound_short", seconds=2.0, least=3.0)
    job = await singing.submit(order(pictures=(CAT,), sound=SONG))
    await singing.work(HOUR)
    assert (await singing.job(job.id)).reason is Reason.SOUND_SHORT


async def test_a_new_order_with_a_kept_sound_that_is_gone_ends_as_sound_gone(
    singing: Workshop,
) -> None:
    job = await singing.submit(order(pictures=(CAT,), sound=SONG))
    await singing.work(60)
    singing.studio.kept.discard("sounds/a.mp3")
    again = await singing.submit((await singing.job(job.id)).order)
    await singing.work(60)
    assert (await singing.job(again.id)).reason is Reason.SOUND_GONE


async def test_a_sound_that_kills_the_process_each_time_ends_its_job(singing: Workshop) -> None:
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
    """Claim what is due in `states` and crash, `times` times in a row."""
    for _ in range(times):
        now = workshop.clock.time
        await workshop.jobs.claim(states, now=now, until=now + CLAIM, most=9)
        workshop.clock.time += CLAIM + 1


@pytest.mark.parametrize("restarts", [1, 3, 7])
async def test_quick_restarts_delay_no_job_by_more_than_half_a_minute(
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


async def test_a_finished_video_waits_half_a_minute_and_no_more_after_three_crashes(
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
async def test_a_picture_claimed_during_three_crashes_is_tried_alone_before_it_is_blamed(
    workshop: Workshop, deaths: int, reason: Reason | None
) -> None:
    job = await workshop.submit(order(pictures=(CAT,)))
    await died(workshop, [Status.QUEUED], deaths)
    await workshop.work(60)
    row = await workshop.job(job.id)
    assert row.reason is reason
    assert row.status is (Status.FAILED if reason else Status.COMPLETED)


async def test_a_picture_that_waited_while_another_was_tried_alone_is_not_blamed_for_the_crash(
    workshop: Workshop,
) -> None:
    """Two pictures were claimed at three crashes.

    The one that is tried alone crashes the process again.
    """
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
    alone.cancel()  # its claim would be released, so the row is claimed again
    await asyncio.gather(alone, return_exceptions=True)
    await workshop.jobs.claim([Status.QUEUED], now=now, until=now + CLAIM, most=1)
    del workshop.chat.fetch
    workshop.clock.time += CLAIM + 1
    await workshop.work(120)
    assert (await workshop.job(deadly.id)).reason is Reason.PICTURE_BAD
    assert (await workshop.job(innocent.id)).status is Status.COMPLETED
