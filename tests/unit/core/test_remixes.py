"""Buttons that make other videos of other words, and the switches that they carry on."""

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


# --- other words ---------------------------------------------------------------------------------


def test_a_gateway_that_remixes_gets_words_alone() -> None:
    model, request = REMIXING.choose(variations.reworded(made(family="sora"), "a dog"))
    assert (model.name, request.kind, request.remix_of, request.prompt) == (
        "sora-2",
        Kind.REMIX,
        "v1",
        "a dog",
    )
    assert (request.parameters, request.places, request.seconds) == ((), (), 4)


def test_elsewhere_other_words_are_a_video_of_their_own() -> None:
    reworded = variations.reworded(made(family="sora"), "a dog")
    assert CATALOG.choose(reworded)[1].kind is Kind.TEXT
    moved = replace(reworded, remix_of=replace(reworded.remix_of or _made(), gateway="other"))
    assert REMIXING.choose(moved)[1].kind is Kind.TEXT, "another gateway does not know it"


def test_a_remix_that_failed_is_tried_again_from_scratch() -> None:
    wish = replace(variations.reworded(made(family="sora"), "a dog"))
    assert variations.again(failed(Reason.REFUSED, **_fields(wish))).remix_of is None
    assert variations.again(replace(made(), order=wish)).remix_of is not None


def test_what_was_not_made_has_nothing_to_remix() -> None:
    assert variations.reworded(failed(Reason.MODERATED), "a dog").remix_of is None


async def test_a_gateway_that_moved_is_asked_for_a_new_one(workshop: Workshop) -> None:
    """Also if it moved between the press and the words, which may be days."""
    workshop.service.accounts = Accounts(Terms(catalog=REMIXING, limits=FREE))
    job = await workshop.made(order(family="sora"))
    asked = await workshop.service.varied(job.id, Action.REMIX, CALL, prompt="a dog")
    assert asked.remix_of is not None
    moved = replace(asked, remix_of=replace(asked.remix_of, base_url="https://old.test"))
    again = await workshop.submit(moved)
    assert (again.request.kind, again.order.remix_of) == (Kind.TEXT, None)
    remix = await workshop.submit(asked)
    assert (remix.request.kind, remix.order.remix_of) == (Kind.REMIX, asked.remix_of)


async def test_a_remix_needs_no_copy_of_the_picture_it_began_with(workshop: Workshop) -> None:
    workshop.service.accounts = Accounts(Terms(catalog=REMIXING, limits=FREE))
    job = await workshop.made(order(family="sora", pictures=(CAT,)))
    workshop.studio.kept.clear()
    remix = await workshop.service.again(job.id, Action.REMIX, CALL, prompt="a dog")
    await workshop.work(60)
    assert (await workshop.job(remix.id)).gateway_id is not None


# --- pictures of other requests ------------------------------------------------------------------


async def test_a_picture_is_fitted_anew_where_another_fit_is_wanted(workshop: Workshop) -> None:
    """Out of all there was of it: what was cut off for one model may be wanted by another."""
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
async def test_a_picture_of_a_row_that_knows_no_fit_is_fitted_anew(workshop: Workshop) -> None:
    old = replace(CAT, source=None, key="pictures/old.jpg")
    job = await workshop.submit(order(pictures=(old,)))
    assert [each.copy_of for each in job.order.pictures] == ["pictures/old.jpg"]


# --- who, and how often --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "silent", "is_theirs"),
    [
        (HALL, False, True),
        (HALL, True, False),
        (replace(HALL, community=None, channel="bob"), False, False),
        (replace(HALL, community="elsewhere"), False, False),
    ],
)
async def test_nobody_makes_anything_of_what_they_were_not_shown(
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


async def test_nobody_makes_anything_of_a_private_video(workshop: Workshop) -> None:
    job = await workshop.made(order(address=replace(HALL, community=None)))
    with pytest.raises(Refused, match="not_yours"):
        await workshop.service.varied(job.id, Action.RETRY, replace(CALL, person=BOB))


async def test_a_double_tap_is_one_video(workshop: Workshop) -> None:
    job = await workshop.made(order())
    await workshop.service.again(job.id, Action.RETRY, CALL)
    again = replace(CALL, event_id="press 2")
    with pytest.raises(Refused, match="pressed_twice"):
        await workshop.service.again(job.id, Action.RETRY, again)
    await workshop.service.again(job.id, Action.REMIX, again, prompt="another matter")
    await workshop.service.again(job.id, Action.RETRY, CALL)  # told of the first press twice
    workshop.clock.time += DOUBLE
    await workshop.service.again(job.id, Action.RETRY, replace(CALL, event_id="press 3"))
    recent = await workshop.jobs.recent(HALL.platform, ANN.id, most=9)
    assert len(recent) == 4


async def test_a_press_that_was_refused_may_be_pressed_again_at_once(workshop: Workshop) -> None:
    job = await workshop.made(order(family="wan"))
    for event in ("one", "two"):
        call = replace(CALL, event_id=event)
        with pytest.raises(Refused, match="prompt_too_long"):
            await workshop.service.again(job.id, Action.REMIX, call, prompt="x" * 99)


def test_a_remix_has_no_better_and_no_shorter_one() -> None:
    wish = variations.reworded(made(family="sora"), "a dog")
    remix = replace(made(), order=wish, request=REMIXING.choose(wish)[1])
    assert variations.finer(remix, REMIXING) is None
    assert variations.shorter(remix, REMIXING) is None


def test_seeds_are_taken_by_the_models_of_these_tests() -> None:
    assert Extra.SEED in WAN_TEXT.takes


def _made() -> Made:
    raise AssertionError


def _fields(order: Order) -> dict[str, object]:
    wish = order.wish
    return {"remix_of": order.remix_of, "family": wish.family, "prompt": wish.prompt}


# --- what was switched, and a length left to the model -------------------------------------------


WILLING = replace(
    WAN_TEXT,
    auto=True,
    takes=(Extra.AUDIO, Extra.SEED, Extra.PROMPT_EXTEND, Extra.WATERMARK),
    sizes={"720p": {"16:9": "1280*720"}, "480p": {"16:9": "832*480"}},
)
SWITCHED = {"seconds": AUTO, "audio": False, "prompt_extend": False, "watermark": True}


def switched(order: Order | None) -> dict[str, object]:
    assert order is not None
    return {field: getattr(order.wish, field) for field in SWITCHED}


def auto_job(catalog: Catalog, **changes: object) -> Job:
    wish = order(**SWITCHED, quality=DRAFT)
    there = {"status": Status.DELIVERED, "gateway_id": "v1", "video": MP4, **changes}
    request = catalog.choose(wish, spare_seed=7)[1]
    return replace(job(), order=wish, request=request, **there)  # type: ignore[arg-type]


def test_each_button_carries_on_what_was_switched() -> None:
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


def test_of_what_was_switched_only_that_is_given_up_which_another_model_lacks() -> None:
    mute = replace(WILLING, name="mute", family="mute", takes=(Extra.WATERMARK,), silent=True)
    fixed = replace(WILLING, name="fixed", family="fixed", auto=False)
    catalog = Catalog(models=(WILLING, mute, fixed))
    failed = auto_job(catalog, status=Status.FAILED, reason=Reason.REFUSED)
    assert switched(variations.elsewhere(failed, catalog, "fixed")) == SWITCHED | {"seconds": None}
    wordless = SWITCHED | {"prompt_extend": None}
    assert switched(variations.elsewhere(failed, catalog, "mute")) == wordless


def test_all_that_only_some_models_take_can_be_given_up() -> None:
    options = {OPTIONS[name].field: value for name, (_, value) in TYPED.items()}
    *_, bare = variations.relaxed(order(**{extra: options[extra] for extra in Extra}))
    assert bare.wish == order().wish


def test_a_seed_stays_where_another_model_lacks_the_negative_prompt_alone() -> None:
    other = replace(WAN_TEXT, name="other", family="other", takes=(Extra.SEED,))
    failed = made(seed=7, negative_prompt="rain")
    found = variations.elsewhere(failed, Catalog(models=(WAN_TEXT, other)), "other")
    assert found is not None
    assert (found.wish.seed, found.wish.negative_prompt) == (7, "")


def test_shorter_than_a_length_that_the_model_chose_is_less_than_half_of_the_longest() -> None:
    catalog = Catalog(models=(replace(WILLING, seconds=(5, 4, 9, 10)),))
    late = auto_job(catalog, status=Status.FAILED, reason=Reason.TIMED_OUT)
    shorter = variations.shorter(late, catalog)
    assert shorter is not None
    assert shorter.wish.seconds == 4
