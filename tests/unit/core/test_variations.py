"""Buttons that vary an earlier video, and when each of them is offered."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core import replies, variations
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.jobs import Job, Reason
from bot.core.orders import ANYBODY, Address, Made, Order, Picture
from bot.core.replies import Action
from bot.core.wishes import DRAFT
from bot.i18n import say
from tests.unit.core.orders import (
    BOB,
    CAT,
    CATALOG,
    SORA,
    WAN_PICTURE,
    WAN_TEXT,
    changed,
    order,
)
from tests.unit.core.variations import CALL, failed, made
from tests.unit.core.workshop import Workshop

OURS = replace(CAT, source=None, key="pictures/cat.jpg")


def shown(job: Job, catalog: Catalog = CATALOG) -> list[tuple[str, str | None]]:
    """Return the buttons of a job: the action and the value of each."""
    return [(each.action, each.value) for each in variations.ways(job, catalog)]


# --- draft quality and better versions -----------------------------------------------------------


def test_the_quality_draft_is_the_smallest_of_a_model() -> None:
    assert CATALOG.choose(order(quality=DRAFT))[1].quality == "480p"


def test_the_quality_draft_uses_the_cheapest_and_then_fastest_small_model_of_the_family() -> None:
    small = {"sizes": {"480p": "480P"}, "prices": {"480p": 20}}
    dear = replace(WAN_PICTURE, prices={"720p": 9, "480p": 30})
    cheap, quick = replace(dear, name="b", **small), replace(dear, name="c", **small, typical=9.0)  # type: ignore[arg-type]
    catalog = Catalog(models=(replace(dear, sizes={"720p": "720P"}), dear, cheap, quick))
    model, request = catalog.choose(order(pictures=(CAT,), quality=DRAFT))
    assert (model.name, request.quality) == ("c", "480p")


def test_the_quality_draft_keeps_the_chosen_aspect() -> None:
    assert CATALOG.choose(order(quality=DRAFT, aspect="9:16"))[1].quality == "720p"


def test_a_video_of_draft_quality_gets_a_seed_for_its_better_version() -> None:
    _, draft = CATALOG.choose(order(quality=DRAFT), spare_seed=7)
    assert (draft.seed, ("metadata.seed", 7) in draft.parameters) == (7, True)


@pytest.mark.parametrize(
    ("wish", "seed"),
    [({}, None), ({"seed": 9}, 9), ({"family": "sora"}, None), ({"quality": DRAFT, "seed": 9}, 9)],
)
def test_an_order_in_another_quality_gets_no_seed_of_ours(
    wish: dict[str, object], seed: int | None
) -> None:
    assert CATALOG.choose(order(**wish), spare_seed=7)[1].seed == seed


@pytest.mark.parametrize(("is_needed", "seed"), [(True, 7), (False, None)])
def test_a_model_that_repeats_itself_without_a_seed_gets_one_of_ours_in_each_quality(
    is_needed: bool, seed: int | None
) -> None:
    models = tuple(replace(model, seeded=is_needed) for model in CATALOG.models)
    _, request = replace(CATALOG, models=models).choose(order(), spare_seed=7)
    assert request.seed == seed


def test_the_better_version_keeps_seed_aspect_and_length() -> None:
    wish = order(quality=DRAFT, seconds=10)
    square = replace(WAN_TEXT, sizes={**WAN_TEXT.sizes, "1080p": {"16:9": "x", "1:1": "1440*1440"}})
    catalog = Catalog(models=(square,))
    draft = replace(made(), order=wish, request=catalog.choose(wish, spare_seed=7)[1])
    better = variations.finer(draft, catalog)
    assert better is not None
    request = catalog.choose(better, spare_seed=8)[1]
    assert (request.quality, request.aspect, request.seconds, request.seed) == (
        "1080p",
        "1:1",
        10,
        7,
    )


def test_a_better_version_is_offered_only_if_there_is_a_better_quality() -> None:
    assert shown(made(quality=DRAFT, pictures=(CAT,))) == [("finer", "720p"), ("continue", None)]
    assert shown(made(pictures=(CAT,))) == [("continue", None)], "it is the best already"
    assert shown(made(quality=DRAFT)) == [("continue", None)], "not in this shape"


def test_a_better_version_on_a_model_without_seeds_drops_the_seed() -> None:
    finer = replace(WAN_PICTURE, name="plus", sizes={"1080p": "1080P"}, takes=())
    catalog = Catalog(models=(WAN_PICTURE, finer))
    wish = order(pictures=(OURS,), quality="480p")
    draft = replace(made(), order=wish, request=catalog.choose(wish, spare_seed=7)[1])
    better = variations.finer(draft, catalog)
    assert better is not None
    assert (better.wish.quality, better.wish.seed) == ("1080p", None)


# --- continuations -------------------------------------------------------------------------------


def test_a_continuation_begins_with_the_last_frame_of_the_video() -> None:
    onward = variations.continued(made(seed=3, aspect="9:16"), "it wakes up", CATALOG)
    assert onward is not None
    assert onward.pictures == (
        Picture(
            source=None,
            filename="last.png",
            size=0,
            width=1280,
            height=720,
            author=ANYBODY,
            last_of="videos/a.mp4",
        ),
    )
    assert (onward.wish.prompt, onward.wish.family, onward.wish.seed, onward.wish.aspect) == (
        "it wakes up",
        "wan",
        None,
        None,
    )


def test_a_continuation_without_a_new_prompt_uses_the_old_prompt() -> None:
    onward = variations.continued(made(), "", CATALOG)
    assert onward is not None
    assert onward.wish.prompt == "a cat"


def test_a_continuation_uses_another_family_if_its_own_takes_no_pictures() -> None:
    catalog = Catalog(models=(WAN_TEXT, SORA))
    onward = variations.continued(made(), "", catalog)
    assert onward is not None
    assert catalog.choose(onward)[0].family == "sora"


def test_a_continuation_with_a_too_long_prompt_is_refused_not_moved_to_another_model() -> None:
    """Nor is the refusal about something that no model can make."""
    onward = variations.continued(made(), "x" * 60, replace(CATALOG, default="sora"))
    assert onward is not None
    with pytest.raises(Refused, match="prompt_too_long"):
        CATALOG.choose(onward)


def test_a_video_that_is_gone_offers_no_continuation() -> None:
    gone = replace(made(), video=None)
    assert variations.continued(gone, "", CATALOG) is None
    assert shown(gone) == []


async def test_anybody_may_continue_a_video_from_a_prompt_but_not_from_anothers_picture(
    workshop: Workshop,
) -> None:
    words = await workshop.made(order())
    by_bob = replace(CALL, person=BOB)
    onward = await workshop.service.varied(words.id, Action.CONTINUE, by_bob)
    assert (onward.call.person, onward.call.event_id) == (BOB, "press")
    pictured = await workshop.made(order(pictures=(CAT,)))
    with pytest.raises(Refused, match="not_your_picture"):
        await workshop.service.varied(pictured.id, Action.CONTINUE, by_bob)


async def test_continuing_a_video_that_is_gone_is_refused(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    with pytest.raises(Refused, match="video_gone"):
        await workshop.service.varied(job.id, Action.CONTINUE, CALL)


# --- videos removed by age -----------------------------------------------------------------------


THEN = 1_768_478_400.0


def swept(**changes: object) -> Job:
    """Return a delivered job 31 days later; by default only its video is removed."""
    job = replace(made(pictures=(OURS,)), video=None, ended_at=THEN)
    given: dict[str, Any] = {"video_gone_at": THEN + 31 * 86_400, **changes}
    return replace(job, **given)


@pytest.mark.parametrize(
    ("action", "changes", "code"),
    [
        (Action.CONTINUE, {}, "video_expired"),
        (Action.CONTINUE, {"video_gone_at": THEN + 60}, "video_gone"),
        (Action.RETRY, {"inputs_gone_at": THEN}, "picture_expired"),
        (Action.REMIX, {"inputs_gone_at": THEN}, "picture_expired"),
        (Action.RETRY, {"words_gone_at": THEN, "order": order()}, "words_expired"),
        (Action.FINER, {"words_gone_at": THEN, "order": order()}, "words_expired"),
    ],
)
def test_a_button_that_needs_removed_files_is_refused_with_a_sentence(
    action: Action, changes: dict[str, object], code: str
) -> None:
    job = swept(**changes)
    wordless = changed(variations.again(job), prompt="")
    with pytest.raises(Refused, match=code) as refused:
        variations.check_kept(job, action, wordless)
    assert say(replies.error(refused.value).text, "en").endswith((".", "?"))


def test_a_refusal_for_a_removed_video_says_how_many_days_it_was_kept() -> None:
    said = say(replies.error(variations.video_gone(swept())).text, "en")
    assert said == "I kept that video for 31 days, and my copy is gone now."


@pytest.mark.parametrize("action", [Action.RETRY, Action.REMIX, Action.FINER])
def test_a_button_that_needs_no_removed_file_still_works(action: Action) -> None:
    job = swept()
    variations.check_kept(job, action, variations.again(job))
    gone = swept(inputs_gone_at=THEN, words_gone_at=THEN)
    remix = Made(
        gateway="main",
        base_url="https://g",
        gateway_id="v1",
        model="sora-2",
        seconds=5,
        size=None,
        aspect=None,
        quality=None,
    )
    variations.check_kept(gone, Action.REMIX, changed(gone.order, remix_of=remix, prompt="other"))


# --- buttons after a failure ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "offered"),
    [
        (Reason.MODERATED, ["edit", "tryon", "retry"]),
        (Reason.REFUSED, ["edit", "tryon", "retry"]),
        (Reason.TOO_LONG, ["edit", "tryon"]),
        (Reason.BAD_SIZE, ["tryon"]),
        (Reason.UNKNOWN_MODEL, ["tryon", "retry"]),
        (Reason.WRONG_ADDRESS, ["tryon", "retry"]),
        (Reason.BLOCKED, ["tryon", "retry"]),
        (Reason.NO_BALANCE, ["tryon", "retry"]),
        (Reason.BAD_KEY, ["tryon", "retry"]),
        (Reason.BUSY, ["tryon", "retry"]),
        (Reason.LOST, ["tryon", "retry"]),
        (Reason.CONTENT_GONE, ["tryon", "retry"]),
        (Reason.CONTENT_TOO_LARGE, ["shorter", "tryon", "retry"]),
        (Reason.CONTENT_BAD, ["tryon", "retry"]),
        (Reason.EXPIRED, ["tryon", "retry"]),
        (Reason.TIMED_OUT, ["shorter", "tryon", "retry"]),
        (Reason.PICTURE_GONE, ["retry"]),
        (Reason.PICTURE_BAD, []),
        (Reason.SOUND_GONE, ["retry"]),
        (Reason.SOUND_BAD, []),
    ],
)
def test_each_reason_of_a_failure_offers_its_own_buttons(
    reason: Reason, offered: list[str]
) -> None:
    assert [action for action, _ in shown(failed(reason, seconds=10))] == offered


def test_try_on_another_model_keeps_the_options_that_the_model_takes() -> None:
    wish = {"pictures": (OURS,), "seconds": 10, "aspect": "9:16", "negative_prompt": "rain"}
    other = variations.elsewhere(failed(Reason.MODERATED, **wish), CATALOG)
    assert other is not None
    assert (other.wish.family, other.wish.seconds, other.wish.aspect) == ("sora", None, "9:16")
    assert other.wish.negative_prompt == "", "that one can't leave anything out"


def test_another_model_is_offered_only_if_it_can_make_the_order() -> None:
    only = Catalog(models=(WAN_TEXT, WAN_PICTURE))
    assert shown(failed(Reason.BAD_SIZE), only) == []
    long = failed(Reason.MODERATED, prompt="x" * 50)
    short = replace(CATALOG, models=(WAN_TEXT, replace(SORA, prompt_limit=10)))
    assert ("tryon", "sora") not in shown(long, short)


def test_a_family_whose_name_fits_into_no_button_is_not_offered() -> None:
    names = ("two words", "x" * 33, "good")
    others = tuple(replace(SORA, family=name, label=name) for name in names)
    catalog = Catalog(models=(WAN_TEXT, *others))
    assert ("tryon", "good") in shown(failed(Reason.MODERATED), catalog)


def test_a_model_that_can_make_the_whole_order_is_offered_before_other_models() -> None:
    long = replace(SORA, name="kling", family="kling", label="Kling", seconds=(5, 10))
    catalog = replace(CATALOG, models=(*CATALOG.models, long))
    other = variations.elsewhere(failed(Reason.MODERATED, seconds=10), catalog)
    assert other is not None
    assert (other.wish.family, other.wish.seconds) == ("kling", 10)


@pytest.mark.parametrize(
    "made_of",
    [
        variations.elsewhere(failed(Reason.MODERATED), CATALOG, "gone"),
        variations.elsewhere(failed(Reason.MODERATED), CATALOG, "wan"),
        variations.shorter(failed(Reason.TIMED_OUT, seconds=10), CATALOG, "7"),
        variations.finer(made(quality=DRAFT, pictures=(CAT,)), CATALOG, "1080p"),
    ],
)
def test_a_button_for_a_model_that_cannot_make_the_order_makes_nothing(
    made_of: Order | None,
) -> None:
    assert made_of is None


def test_a_timed_out_job_offers_the_next_shorter_length() -> None:
    assert ("shorter", "5") in shown(failed(Reason.TIMED_OUT, seconds=10))
    assert "shorter" not in dict(shown(failed(Reason.TIMED_OUT))), "there is none"


async def test_the_buttons_for_another_model_and_a_shorter_video_order_what_they_say(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order(seconds=10))
    elsewhere = await workshop.service.again(job.id, Action.TRY_ON, CALL, value="sora")
    assert elsewhere.request.family == "sora"
    again = replace(CALL, event_id="press 2", address=Address(platform="chat", channel="room"))
    shorter = await workshop.service.again(job.id, Action.SHORTER, again, value="5")
    assert (shorter.request.seconds, shorter.order.call.address.channel) == (5, "room")


async def test_a_button_for_something_no_longer_possible_is_refused(workshop: Workshop) -> None:
    job = await workshop.submit(order())
    with pytest.raises(Refused, match="no_way"):
        await workshop.service.again(job.id, Action.FINER, CALL, value="1080p")
