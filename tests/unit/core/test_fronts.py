"""A proxy refuses large requests: its limit is learned, and a smaller request is sent."""

from dataclasses import replace

import pytest

from bot.core.catalog import Catalog
from bot.core.fronts import LEAST, LIFETIME, USUAL
from bot.core.jobs import Job, Reason, Status
from bot.core.orders import Picture, Transport
from bot.core.outcomes import Accepted, Busy, Rejected
from bot.core.parts import weight
from bot.core.replies import Action, Text, failure
from bot.i18n import say
from bot.store.settings import StoredValues
from tests.unit.core.orders import CAT, SINGING, SONG, SORA, offering, order
from tests.unit.core.workshop import Workshop

URL = "https://gateway.test"
TOO_LARGE = Rejected(Reason.PICTURE_TOO_LARGE, "HTTP 413: <html>")
PHOTO = replace(CAT, size=3_200_000)
LARGE = 2_000_000
"""Size in bytes of our own copy of the picture."""


@pytest.fixture
def large(workshop: Workshop) -> Workshop:
    """A workshop whose pictures are large files, behind a proxy that refuses the first one."""
    workshop.studio.most = LARGE
    workshop.gateway.creations = [TOO_LARGE, Accepted("v1")]
    return workshop


async def ordered(workshop: Workshop, *pictures: Picture) -> Job:
    """Order a video from the pictures, by default a photo, and return the job after a minute."""
    job = await workshop.submit(order(pictures=pictures or (PHOTO,), family="sora"))
    await workshop.work(60)
    return await workshop.job(job.id)


# --- the learned limits --------------------------------------------------------------------------


async def test_a_refused_large_body_sets_a_limit_for_a_week(workshop: Workshop) -> None:
    fronts = workshop.fronts
    assert await fronts.most("main", URL) is None
    assert await fronts.refused("main", URL, 3_000_000) == USUAL
    assert await fronts.most("main", URL) == USUAL
    workshop.clock.time += LIFETIME
    assert await fronts.most("main", URL) == USUAL
    workshop.clock.time += 1
    assert await fronts.most("main", URL) is None


async def test_a_learned_body_limit_holds_for_its_gateway_at_its_address_only(
    workshop: Workshop,
) -> None:
    await workshop.fronts.refused("main", URL, 3_000_000)
    assert await workshop.fronts.most("main", "https://elsewhere.test") is None
    assert await workshop.fronts.most("club", URL) is None


@pytest.mark.parametrize("body", [0, 900, 128_000, LEAST])
async def test_a_refused_body_that_is_small_sets_no_limit(workshop: Workshop, body: int) -> None:
    assert await workshop.fronts.refused("main", URL, body) is None
    assert await workshop.fronts.most("main", URL) is None


async def test_a_limit_that_is_refused_again_is_halved_down_to_a_least_value(
    workshop: Workshop,
) -> None:
    bodies = [5_000_000, USUAL, USUAL // 2, 260_000]
    learned = [await workshop.fronts.refused("main", URL, body) for body in bodies]
    assert learned == [USUAL, USUAL // 2, LEAST, LEAST]
    assert await workshop.fronts.refused("main", URL, 3_000_000) == LEAST, "what held still holds"


@pytest.mark.parametrize("value", ["", "{}", "no", "[]", '{"most":"x","at":1,"url":"u"}', "null"])
async def test_an_unreadable_stored_limit_counts_as_none(workshop: Workshop, value: str) -> None:
    await StoredValues(workshop.database).put("front.main", value)
    assert await workshop.fronts.most("main", URL) is None


# --- the order that was refused ------------------------------------------------------------------


async def test_an_order_refused_as_too_large_is_sent_again_with_a_smaller_copy(
    large: Workshop,
) -> None:
    done = await ordered(large)

    assert (done.status, done.reason, large.gateway.posts) == (Status.COMPLETED, None, 2)
    before, after = (fit.most_bytes for fit in large.studio.fits)
    assert before > LARGE > USUAL > after
    assert large.gateway.files[0].stat().st_size == after
    assert weight(done.request, [after], linked=False) <= USUAL
    assert done.spend_cost > 0


async def test_an_order_refused_as_too_large_is_sent_again_only_while_its_copy_gets_smaller(
    large: Workshop,
) -> None:
    large.gateway.creations = [TOO_LARGE]
    failed = await ordered(large)

    assert (failed.status, failed.reason) == (Status.FAILED, Reason.PICTURE_TOO_LARGE)
    assert (failed.quota_cost, failed.spend_cost, large.gateway.posts) == (0, 0, 4)
    assert failed.detail is not None
    assert failed.detail.startswith("HTTP 413: <html> (a body of ")
    most = await large.fronts.most("main", URL)
    assert most is not None
    assert most < USUAL


async def test_an_order_made_smaller_for_a_known_limit_may_be_made_smaller_again(
    large: Workshop,
) -> None:
    """This refusal counts as the job's first one, whatever its row copied from the earlier job."""
    large.gateway.creations = [Accepted("v1")]
    first = await ordered(large)
    await large.fronts.refused("main", URL, 3_000_000)
    large.gateway.creations = [TOO_LARGE, Accepted("v2")]
    again = await large.submit(first.order)
    await large.work(60)

    assert (await large.job(again.id)).status is Status.COMPLETED
    assert large.gateway.posts == 3


async def test_an_order_refused_as_too_large_and_then_as_busy_is_still_sent_again(
    large: Workshop,
) -> None:
    large.gateway.creations = [TOO_LARGE, Busy(None), Accepted("v1")]
    assert (await ordered(large)).status is Status.COMPLETED


async def test_later_orders_are_sent_with_a_copy_within_the_learned_limit_at_once(
    large: Workshop,
) -> None:
    await ordered(large)
    large.gateway.posts = 0
    later = await ordered(large)

    assert (later.status, large.gateway.posts, len(large.studio.fits)) == (Status.COMPLETED, 1, 3)
    assert later.request.fit == large.studio.fits[-1] == large.studio.fits[-2]


async def test_a_copy_made_before_the_limit_was_known_is_made_smaller_before_the_post(
    large: Workshop,
) -> None:
    large.gateway.creations = [Accepted("v1")]
    first = await ordered(large)
    await large.fronts.refused("main", URL, 3_000_000)
    again = await large.submit(first.order)
    await large.work(60)

    assert (await large.job(again.id)).status is Status.COMPLETED
    assert [fit.most_bytes < USUAL for fit in large.studio.fits] == [False, True]
    assert large.gateway.posts == 2


@pytest.mark.proof
async def test_a_week_after_a_refusal_pictures_are_sent_in_full_size_again(large: Workshop) -> None:
    await ordered(large)
    large.clock.time += LIFETIME + 1
    await ordered(large)
    assert large.studio.fits[-1] == large.studio.fits[0]


async def test_with_links_a_picture_over_the_limit_is_sent_by_link_unchanged(
    large: Workshop,
) -> None:
    assert SORA.picture is not None
    rule = replace(SORA.picture, transport=Transport.BASE64, url_above=700_000)
    linking = Catalog(models=(replace(SORA, picture=rule),), linked=True)
    large.service.accounts = offering(linking, large.accounts)
    large.studio.most = 600_000
    done = await ordered(large)

    assert (done.status, large.gateway.posts, len(large.studio.fits)) == (Status.COMPLETED, 2, 1)
    assert done.request.url_above is not None
    assert done.request.url_above < 600_000, "so its link goes instead"


async def test_a_sound_is_made_smaller_together_with_its_picture(large: Workshop) -> None:
    large.service.accounts = offering(SINGING, large.accounts)
    large.studio.sizes["sounds/a.mp3"] = large.studio.most = 350_000
    job = await large.submit(order(pictures=(PHOTO,), sound=SONG))
    await large.work(60)
    done = await large.job(job.id)

    assert (done.status, large.gateway.posts) == (Status.COMPLETED, 2)
    assert done.request.fit is not None
    assert done.request.sound_fit is not None
    assert done.request.fit.most_bytes == done.request.sound_fit.most_bytes < 350_000


async def test_an_order_without_a_picture_refused_as_too_large_fails_and_says_so(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [TOO_LARGE]
    job = await workshop.submit(order())
    await workshop.work(60)
    failed = await workshop.job(job.id)

    assert (failed.status, failed.reason) == (Status.FAILED, Reason.PICTURE_TOO_LARGE)
    assert (workshop.gateway.posts, await workshop.fronts.most("main", URL)) == (1, None)
    assert "although it has no picture" in say(failure(failed).text, "en")


async def test_a_failure_over_a_too_large_request_says_how_large_the_picture_is(
    large: Workshop,
) -> None:
    large.gateway.creations = [TOO_LARGE]
    failed = await ordered(large)
    assert "what you sent is 3.2 MB" in say(failure(failed).text, "en")
    unmeasured = await ordered(large, replace(PHOTO, size=0))
    assert "the picture for this video is larger" in say(failure(unmeasured).text, "en")


async def test_the_card_of_an_order_that_is_being_made_smaller_says_preparing(
    large: Workshop,
) -> None:
    job = await large.submit(order(pictures=(PHOTO,), family="sora"))
    await large._round()
    await large._round()
    waiting = await large.job(job.id)
    assert (waiting.status, waiting.reason) == (Status.QUEUED, Reason.PICTURE_TOO_LARGE)
    card = await large.cards.card(waiting)
    assert card.text.values["state"] == Text(id="card.preparing")
    assert [button.action for button in card.buttons] == [Action.CANCEL]
