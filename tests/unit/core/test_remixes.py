"""Buttons that make another video from a new prompt, and the switches that they keep."""

from dataclasses import replace

import pytest

from bot.core import variations
from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.jobs import Job, Reason, Status
from bot.core.orders import Address, Kind, Made, Order
from bot.core.replies import Action
from bot.core.service import DOUBLE
from bot.core.wishes import AUTO, DRAFT, OPTIONS, Extra
from tests.contract.options import TYPED
from tests.unit.core.orders import (
    ANN,
    BOB,
    CAT,
    CATALOG,
    HALL,
    SORA,
    WAN_PICTURE,
    WAN_TEXT,
    job,
    order,
)
from tests.unit.core.scripted import FREE
from tests.unit.core.variations import CALL, MP4, failed, made
from tests.unit.core.workshop import Workshop

REMIXING = replace(
    CATALOG,
    models=(WAN_TEXT, WAN_PICTURE, replace(SORA, kinds=(Kind.TEXT, Kind.PICTURE, Kind.REMIX))),
)


# --- remixes -------------------------------------------------------------------------------------


def test_at_a_gateway_with_remixes_a_remix_sends_only_the_new_prompt() -> None:
    model, request = REMIXING.choose(variations.reworded(made(family="sora"), "a dog"))
    assert (model.name, request.kind, request.remix_of, request.prompt) == (
        "sora-2",
        Kind.REMIX,
        "v1",
        "a dog",
    )
    assert (request.parameters, request.places, request.seconds) == ((), (), 4)


def test_without_remix_support_a_new_prompt_makes_a_new_video() -> None:
    reworded = variations.reworded(made(family="sora"), "a dog")
    assert CATALOG.choose(reworded)[1].kind is Kind.TEXT
    moved = replace(reworded, remix_of=replace(reworded.remix_of or _made(), gateway="other"))
    assert REMIXING.choose(moved)[1].kind is Kind.TEXT, "another gateway does not know it"


def test_try_again_after_a_failed_remix_makes_a_new_video() -> None:
    wish = replace(variations.reworded(made(family="sora"), "a dog"))
    assert variations.again(failed(Reason.REFUSED, **_fields(wish))).remix_of is None
    assert variations.again(replace(made(), order=wish)).remix_of is not None


def test_a_video_that_was_not_made_cannot_be_remixed() -> None:
    assert variations.reworded(failed(Reason.MODERATED), "a dog").remix_of is None


async def test_a_remix_at_a_gateway_that_moved_becomes_a_new_video(workshop: Workshop) -> None:
    """This also holds if the gateway moved after the press, before the new prompt."""
    workshop.service.accounts = Accounts(Terms(catalog=REMIXING, limits=FREE))
    job = await workshop.made(order(family="sora"))
    asked = await workshop.service.varied(job.id, Action.REMIX, CALL, prompt="a dog")
    assert asked.remix_of is not None
    moved = replace(asked, remix_of=replace(asked.remix_of, base_url="https://old.test"))
    again = await workshop.submit(moved)
    assert (again.request.kind, again.order.remix_of) == (Kind.TEXT, None)
    remix = await workshop.submit(asked)
    assert (remix.request.kind, remix.order.remix_of) == (Kind.REMIX, asked.remix_of)


async def test_a_remix_needs_no_copy_of_the_original_picture(workshop: Workshop) -> None:
    workshop.service.accounts = Accounts(Terms(catalog=REMIXING, limits=FREE))
    job = await workshop.made(order(family="sora", pictures=(CAT,)))
    workshop.studio.kept.clear()
    remix = await workshop.service.again(job.id, Action.REMIX, CALL, prompt="a dog")
    await workshop.work(60)
    assert (await workshop.job(remix.id)).gateway_id is not None


# --- pictures of earlier orders ------------------------------------------------------------------


async def test_a_picture_is_fitted_again_from_the_whole_original_for_another_model(
    workshop: Workshop,
) -> None:
    """The whole original is used, because another model may want what was cut off for the first."""
    job = await workshop.made(order(pictures=(CAT,)))
    [kept] = job.order.pictures
    same = await workshop.service.again(job.id, Action.RETRY, CALL)
    assert same.order.pictures == (kept,)
    press = replace(CALL, event_id="press 2")
    other = await workshop.service.again(job.id, Action.TRY_ON, press, value="sora")
    assert [(each.copy_of, each.key) for each in other.order.pictures] == [(kept.whole, None)]
    await workshop.work(60)
    assert [each.fit for each in (await workshop.job(other.id)).order.pictures] == [
        other.request.fit
    ]


@pytest.mark.proof
async def test_a_kept_picture_without_a_known_fit_is_fitted_again(workshop: Workshop) -> None:
    old = replace(CAT, source=None, key="pictures/old.jpg")
    job = await workshop.submit(order(pictures=(old,)))
    assert [each.copy_of for each in job.order.pictures] == ["pictures/old.jpg"]


# --- who may vary a video, and how often ---------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "silent", "is_theirs"),
    [
        (HALL, False, True),
        (HALL, True, False),
        (replace(HALL, community=None, channel="bob"), False, False),
        (replace(HALL, community="elsewhere"), False, False),
    ],
)
async def test_nobody_can_vary_a_video_that_was_not_posted_where_they_are(
    workshop: Workshop, address: Address, silent: bool, is_theirs: bool
) -> None:
    job = await workshop.made(order())
    await workshop.jobs.save(job, replace(job, silent=silent), now=0.0)
    bobs = replace(CALL, person=BOB, address=address)
    if is_theirs:
        await workshop.service.varied(job.id, Action.CONTINUE, bobs)
    else:
        with pytest.raises(Refused, match="not_yours"):
            await workshop.service.varied(job.id, Action.CONTINUE, bobs)
    await workshop.service.varied(job.id, Action.CONTINUE, replace(bobs, person=ANN))


async def test_nobody_else_can_vary_a_video_of_a_private_chat(workshop: Workshop) -> None:
    job = await workshop.made(order(address=replace(HALL, community=None)))
    with pytest.raises(Refused, match="not_yours"):
        await workshop.service.varied(job.id, Action.RETRY, replace(CALL, person=BOB))


async def test_a_button_pressed_twice_within_seconds_makes_one_video(workshop: Workshop) -> None:
    job = await workshop.made(order())
    await workshop.service.again(job.id, Action.RETRY, CALL)
    again = replace(CALL, event_id="press 2")
    with pytest.raises(Refused, match="pressed_twice"):
        await workshop.service.again(job.id, Action.RETRY, again)
    await workshop.service.again(job.id, Action.REMIX, again, prompt="another matter")
    await workshop.service.again(
        job.id, Action.RETRY, CALL
    )  # the first press, delivered a second time
    workshop.clock.time += DOUBLE
    await workshop.service.again(job.id, Action.RETRY, replace(CALL, event_id="press 3"))
    recent = await workshop.jobs.recent(HALL.platform, ANN.id, most=9)
    assert len(recent) == 4


async def test_a_refused_press_may_be_repeated_at_once(workshop: Workshop) -> None:
    job = await workshop.made(order(family="wan"))
    for event in ("one", "two"):
        call = replace(CALL, event_id=event)
        with pytest.raises(Refused, match="prompt_too_long"):
            await workshop.service.again(job.id, Action.REMIX, call, prompt="x" * 99)


def test_a_remix_offers_neither_a_better_nor_a_shorter_video() -> None:
    wish = variations.reworded(made(family="sora"), "a dog")
    remix = replace(made(), order=wish, request=REMIXING.choose(wish)[1])
    assert variations.finer(remix, REMIXING) is None
    assert variations.shorter(remix, REMIXING) is None


def test_the_sample_model_of_these_tests_takes_seeds() -> None:
    assert Extra.SEED in WAN_TEXT.takes


def _made() -> Made:
    raise AssertionError


def _fields(order: Order) -> dict[str, object]:
    wish = order.wish
    return {"remix_of": order.remix_of, "family": wish.family, "prompt": wish.prompt}


# --- switches, and a length left to the model ----------------------------------------------------


WILLING = replace(
    WAN_TEXT,
    auto=True,
    takes=(Extra.AUDIO, Extra.SEED, Extra.PROMPT_EXTEND, Extra.WATERMARK),
    sizes={"720p": {"16:9": "1280*720"}, "480p": {"16:9": "832*480"}},
)
SWITCHED = {"seconds": AUTO, "audio": False, "prompt_extend": False, "watermark": True}


def switched(order: Order | None) -> dict[str, object]:
    """Return the switches and the length of an order."""
    assert order is not None
    return {field: getattr(order.wish, field) for field in SWITCHED}


def auto_job(catalog: Catalog, **changes: object) -> Job:
    """Return a delivered job with an auto length and all switches set."""
    wish = order(**SWITCHED, quality=DRAFT)
    there = {"status": Status.DELIVERED, "gateway_id": "v1", "video": MP4, **changes}
    request = catalog.choose(wish, spare_seed=7)[1]
    return replace(job(), order=wish, request=request, **there)  # type: ignore[arg-type]


def test_every_variation_keeps_the_switches_of_its_original() -> None:
    other = replace(WILLING, name="other", family="other", label="Other")
    moving = replace(
        WAN_PICTURE, name="moving", takes=WILLING.takes, auto=True, family=WILLING.family
    )
    catalog = Catalog(models=(WILLING, moving, other))
    made = auto_job(catalog)
    assert switched(variations.again(made)) == SWITCHED
    assert switched(variations.reworded(made, "a dog")) == SWITCHED
    assert switched(variations.continued(made, "it runs", catalog)) == SWITCHED
    assert switched(variations.finer(made, catalog)) == SWITCHED
    assert switched(variations.elsewhere(made, catalog, "other")) == SWITCHED


def test_only_the_switches_that_another_model_lacks_are_dropped_for_it() -> None:
    mute = replace(WILLING, name="mute", family="mute", takes=(Extra.WATERMARK,), silent=True)
    fixed = replace(WILLING, name="fixed", family="fixed", auto=False)
    catalog = Catalog(models=(WILLING, mute, fixed))
    failed = auto_job(catalog, status=Status.FAILED, reason=Reason.REFUSED)
    assert switched(variations.elsewhere(failed, catalog, "fixed")) == SWITCHED | {"seconds": None}
    wordless = SWITCHED | {"prompt_extend": None}
    assert switched(variations.elsewhere(failed, catalog, "mute")) == wordless


def test_every_option_that_only_some_models_take_can_be_dropped() -> None:
    options = {OPTIONS[name].field: value for name, (_, value) in TYPED.items()}
    *_, bare = variations.relaxed(order(**{extra: options[extra] for extra in Extra}))
    assert bare.wish == order().wish


def test_a_seed_is_kept_for_another_model_that_lacks_only_the_negative_prompt() -> None:
    other = replace(WAN_TEXT, name="other", family="other", takes=(Extra.SEED,))
    failed = made(seed=7, negative_prompt="rain")
    found = variations.elsewhere(failed, Catalog(models=(WAN_TEXT, other)), "other")
    assert found is not None
    assert (found.wish.seed, found.wish.negative_prompt) == (7, "")


def test_a_shorter_video_after_an_auto_length_is_less_than_half_of_the_longest() -> None:
    catalog = Catalog(models=(replace(WILLING, seconds=(5, 4, 9, 10)),))
    late = auto_job(catalog, status=Status.FAILED, reason=Reason.TIMED_OUT)
    shorter = variations.shorter(late, catalog)
    assert shorter is not None
    assert shorter.wish.seconds == 4
