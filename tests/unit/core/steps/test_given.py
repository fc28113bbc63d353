"""The step that fetches the video that an order is made from."""

from dataclasses import replace

import pytest

from bot.core import replies
from bot.core.catalog import Catalog
from bot.core.clips import VideoFit
from bot.core.errors import Broken, GivenTooLarge, PictureGone, Refused, Temporary
from bot.core.jobs import CLAIM, MOST_CRASHES, Job, Reason, Status
from bot.core.models import Model
from bot.core.orders import Address, Person
from bot.core.replies import Action
from bot.core.wishes import Use
from bot.i18n import say
from tests.unit.core.kinds import ALL, BY_ID, DANCE, EDITOR, LONGER
from tests.unit.core.orders import offering, order
from tests.unit.core.steps.seconds import HOUR
from tests.unit.core.variations import CALL
from tests.unit.core.workshop import Workshop

PRIVATE = Address(platform="chat", channel="eve")
FREE = replace(EDITOR, video=EDITOR.video and replace(EDITOR.video, priced=False))


@pytest.fixture
def editing(workshop: Workshop) -> Workshop:
    """A workshop with models that take videos."""
    workshop.service.accounts = offering(ALL, workshop.service.accounts)
    return workshop


def failure(job: Job) -> str:
    return say(replies.failure(job).text, "en")


async def test_a_video_of_a_person_is_fetched_measured_kept_and_sent(editing: Workshop) -> None:
    job = await editing.submit(order(video=replace(DANCE, seconds=None)))
    assert (job.request.input_seconds, job.spend_cost) == (10, 1500)
    await editing.work(60)
    done = await editing.job(job.id)
    assert done.status is Status.COMPLETED
    assert [file.name for file in editing.gateway.files] == ["1.mp4"]
    video = done.order.video
    assert video is not None
    assert (video.source, video.key, video.seconds) == (None, "given/1.mp4", 4.2)
    assert (video.fit, video.size) == (EDITOR.video and EDITOR.video.fit, 9)
    # Five seconds of the new video, and the given video of 4.2 seconds rounded up.
    assert (done.request.input_seconds, done.spend_cost) == (5, 1000)


@pytest.mark.parametrize(("wished", "admitted", "made"), [(None, 15, 10), (12, 12, 12)])
async def test_an_extension_of_unknown_length_is_shortened_once_the_video_is_measured(
    editing: Workshop, wished: int | None, admitted: int, made: int
) -> None:
    """The given video has 4.2 seconds, and the model adds 5 by default."""
    unknown = replace(DANCE, seconds=None)
    job = await editing.submit(
        order(family="longer", video=unknown, use=Use.EXTEND, seconds=wished)
    )
    assert (job.request.seconds, job.spend_cost) == (admitted, admitted * 100)
    await editing.work(60)
    done = await editing.job(job.id)
    assert (done.status, done.request.seconds) == (Status.COMPLETED, made)
    assert done.spend_cost == made * 100


async def test_a_video_that_is_longer_than_declared_is_refused_free_of_charge(
    editing: Workshop,
) -> None:
    editing.studio.given_seconds = 6.0
    job = await editing.submit(order(video=replace(DANCE, seconds=4.0)))
    assert job.spend_cost == 1000
    await editing.work(60)
    end = await editing.job(job.id)
    assert (end.status, end.reason, end.spend_cost) == (Status.FAILED, Reason.GIVEN_LONG, 0)
    assert editing.gateway.posts == 0


async def test_a_little_excess_over_the_declared_length_never_costs_more_than_was_admitted(
    editing: Workshop,
) -> None:
    editing.studio.given_seconds = 5.4
    job = await editing.submit(order(video=replace(DANCE, seconds=4.0)))
    await editing.work(60)
    done = await editing.job(job.id)
    assert (done.status, done.request.input_seconds, done.spend_cost) == (Status.COMPLETED, 5, 1000)


@pytest.mark.parametrize(("model", "most"), [(EDITOR, 5), (LONGER, 5), (FREE, 10)])
async def test_a_video_whose_length_counts_may_not_be_longer_than_its_network_declared(
    editing: Workshop, model: Model, most: float
) -> None:
    editing.service.accounts = offering(Catalog(models=(model,)), editing.service.accounts)
    use = Use.EXTEND if model is LONGER else None
    job = await editing.submit(order(video=replace(DANCE, seconds=4.0), use=use))
    fit = job.request.video_fit
    assert fit is not None
    assert (fit.least_seconds, fit.most_seconds) == (2, most)


async def test_a_measured_copy_serves_a_retry_although_its_length_was_declared_first(
    editing: Workshop,
) -> None:
    job = await editing.submit(order(video=replace(DANCE, seconds=4.0)))
    await editing.work(60)
    done = await editing.job(job.id)
    again = await editing.submit(replace(done.order, call=CALL))
    await editing.work(60)
    assert (await editing.job(again.id)).status is Status.COMPLETED
    assert [file.name for file in editing.gateway.files] == ["1.mp4"]


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (PictureGone(), Reason.GIVEN_GONE),
        (GivenTooLarge("video_too_large", megabytes=101.0, most=100.0), Reason.GIVEN_HEAVY),
        (Temporary("unreachable"), Reason.GIVEN_GONE),
    ],
)
async def test_a_video_that_cannot_be_fetched_ends_the_job_free_of_charge(
    editing: Workshop, problem: Refused | Temporary, reason: Reason
) -> None:
    editing.chat.fetches = [problem]
    job = await editing.submit(order(video=DANCE))
    await editing.work(HOUR)
    end = await editing.job(job.id)
    assert (end.reason, end.quota_cost, end.spend_cost) == (reason, 0, 0)
    assert editing.gateway.posts == 0
    assert "video" in failure(end)


@pytest.mark.parametrize(
    ("problem", "reason", "said"),
    [
        (Refused("video_format"), Reason.GIVEN_UNKNOWN, "can't read that file as a video"),
        (Refused("video_broken"), Reason.GIVEN_BAD, "is damaged"),
        (Refused("video_demanding"), Reason.GIVEN_DEMANDING, "enough time or memory"),
        (
            Refused("video_short", seconds=1.0, least=2.0),
            Reason.GIVEN_SHORT,
            "Editor needs at least 2 s",
        ),
        (
            Refused("video_long", seconds=11.0, most=10.0),
            Reason.GIVEN_LONG,
            "Editor takes at most 5 s",
        ),
        (Refused("video_stays_large"), Reason.PICTURE_TOO_LARGE, ""),
        (Broken("worker_died"), Reason.GIVEN_BAD, "is damaged"),
    ],
)
async def test_a_video_that_cannot_be_used_ends_the_job_with_its_reason(
    editing: Workshop, problem: Refused | Broken, reason: Reason, said: str
) -> None:
    editing.studio.bad_given = problem
    job = await editing.submit(order(video=DANCE))
    await editing.work(HOUR)
    end = await editing.job(job.id)
    assert (end.status, end.reason, end.spend_cost) == (Status.FAILED, reason, 0)
    assert said in failure(end)
    assert editing.gateway.posts == 0


async def test_a_video_that_kills_the_process_each_time_ends_its_job(editing: Workshop) -> None:
    job = await editing.submit(order(video=DANCE))
    for _ in range(MOST_CRASHES + 1):
        now = editing.clock.time
        await editing.jobs.claim([Status.QUEUED], now=now, until=now + CLAIM, most=1)
        editing.clock.time += CLAIM + 1
    await editing.work(60)
    assert (await editing.job(job.id)).reason is Reason.GIVEN_BAD


async def test_a_kept_video_is_sent_again_without_asking_the_network(editing: Workshop) -> None:
    job = await editing.submit(order(video=DANCE))
    await editing.work(60)
    editing.chat.fetches = [PictureGone()]
    again = await editing.submit((await editing.job(job.id)).order)
    await editing.work(60)
    assert (await editing.job(again.id)).status is Status.COMPLETED
    assert len(editing.studio.given) == 1


async def test_a_kept_video_is_made_to_fit_again_for_a_model_with_other_limits(
    editing: Workshop,
) -> None:
    job = await editing.submit(order(video=DANCE))
    await editing.work(60)
    assert EDITOR.video is not None
    small = replace(EDITOR, video=replace(EDITOR.video, fit=VideoFit(most_pixels=9_000)))
    editing.service.accounts = offering(Catalog(models=(small,)), editing.service.accounts)
    editing.chat.fetches = [PictureGone()]
    again = await editing.submit((await editing.job(job.id)).order)
    await editing.work(60)
    assert (await editing.job(again.id)).status is Status.COMPLETED
    assert [name for name, _ in editing.studio.given][1:] == ["1.mp4"]


async def test_a_video_of_ours_is_used_from_the_storage_without_a_download(
    editing: Workshop,
) -> None:
    made = await editing.submit(order(family="wan"))
    await editing.work(60)
    key = (await editing.job(made.id)).video
    assert key is not None
    editing.chat.fetches = [PictureGone()]
    ours = replace(DANCE, source=None, video_of=key.key)
    job = await editing.submit(order(event_id="e2", family="longer", video=ours, use=Use.EXTEND))
    await editing.work(60)
    done = await editing.job(job.id)
    assert (done.status, done.order.video and done.order.video.video_of) == (Status.COMPLETED, None)
    assert len(editing.studio.given) == 1


async def test_a_video_of_ours_that_is_gone_ends_the_job_free_of_charge(editing: Workshop) -> None:
    ours = replace(DANCE, source=None, video_of="videos/gone.mp4")
    job = await editing.submit(order(family="longer", video=ours, use=Use.EXTEND))
    await editing.work(HOUR)
    end = await editing.job(job.id)
    assert (end.reason, end.spend_cost, editing.gateway.posts) == (Reason.GIVEN_GONE, 0, 0)


async def test_continue_under_a_video_goes_on_by_its_id_where_its_model_can(
    editing: Workshop,
) -> None:
    job = await editing.submit(order(family="by-id"))
    await editing.work(60)
    again = await editing.service.again(job.id, Action.CONTINUE, CALL, prompt="and then")
    await editing.work(60)
    done = await editing.job(again.id)
    gateway_id = (await editing.job(job.id)).gateway_id
    assert ("previous_job_id", gateway_id) in done.request.parameters
    assert (done.status, editing.studio.given) == (Status.COMPLETED, [])


async def test_continue_under_a_video_sends_the_video_where_its_family_takes_one(
    editing: Workshop,
) -> None:
    both = replace(LONGER, kinds=(*LONGER.kinds, *BY_ID.kinds[:1]))
    catalog = Catalog(models=(both,))
    editing.service.accounts = offering(catalog, editing.service.accounts)
    job = await editing.submit(order(family="longer"))
    await editing.work(60)
    again = await editing.service.again(job.id, Action.CONTINUE, CALL, prompt="and then")
    await editing.work(60)
    done = await editing.job(again.id)
    assert (done.status, len(editing.studio.given)) == (Status.COMPLETED, 1)
    assert [file.name for file in editing.gateway.files] == ["1.mp4"]


async def continued_by_id(editing: Workshop) -> Job:
    """Return the job of *Continue* where a model goes on by the gateway's id."""
    editing.service.accounts = offering(Catalog(models=(BY_ID,)), editing.service.accounts)
    job = await editing.submit(order(family="by-id"))
    await editing.work(60)
    again = await editing.service.again(job.id, Action.CONTINUE, CALL, prompt="and then")
    return await editing.job(again.id)


async def test_a_job_that_goes_on_by_id_remembers_the_video_for_its_retry(
    editing: Workshop,
) -> None:
    onward = await continued_by_id(editing)
    assert onward.order.remix_of is not None
    made = ("previous_job_id", onward.order.remix_of.gateway_id)
    assert made in onward.request.parameters
    retry = await editing.submit(replace(onward.order, call=CALL, is_whole=True))
    assert made in retry.request.parameters


async def test_an_id_of_another_address_is_never_gone_on_from(editing: Workshop) -> None:
    onward = await continued_by_id(editing)
    editing.service.base_urls = dict.fromkeys(editing.service.base_urls, "https://moved.test")
    with pytest.raises(Refused, match="video_not_made_there"):
        await editing.submit(replace(onward.order, call=CALL, is_whole=True))


async def test_a_video_that_a_person_never_saw_is_no_file_for_their_order(
    editing: Workshop,
) -> None:
    job = await editing.submit(order(family="wan"))
    await editing.work(60)
    private = replace(CALL, person=Person(id="eve", name="Eve"), address=PRIVATE)
    with pytest.raises(Refused, match="not_yours"):
        await editing.service.clip_of(job.id, private)
    assert (await editing.service.clip_of(job.id, job.order.call)).video_of is not None
