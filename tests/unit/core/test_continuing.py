"""Buttons under videos of the kinds r2v, v2v and extend, and true extension by *Continue*."""

from dataclasses import replace

import pytest

from bot.core import variations
from bot.core.cards import card
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.jobs import Job, Reason, Status
from bot.core.models import Model
from bot.core.orders import ANYBODY, Kind, Order
from bot.core.replies import Action
from bot.core.wishes import Use
from tests.unit.core.kinds import ALL, BY_ID, CAST, DANCE, EDITOR, LONGER
from tests.unit.core.orders import CAT, SORA, WAN_PICTURE, WAN_TEXT, job, order
from tests.unit.core.variations import MP4

OURS = replace(CAT, source=None, key="pictures/cat.jpg", whole="originals/cat.jpg")
KEPT = replace(DANCE, source=None, key="given/a.mp4")


def made(model: Model, wish: Order, **changes: object) -> Job:
    """Return a job of this model whose video is stored."""
    _, request = ALL.choose(wish.wishing(replace(wish.wish, family=model.family)))
    done = job(status=Status.DELIVERED, gateway_id="v1", video=MP4)
    return replace(done, order=wish, request=request, **changes)  # type: ignore[arg-type]


def test_continue_extends_the_video_where_a_model_of_its_family_can() -> None:
    longer = replace(LONGER, family="wan")
    catalog = Catalog(models=(WAN_TEXT, WAN_PICTURE, SORA, EDITOR, LONGER, longer))
    onward = variations.continued(made(WAN_TEXT, order()), "and then", catalog)
    assert onward is not None
    assert (onward.wish.use, onward.wish.family, onward.pictures) == (Use.EXTEND, "wan", ())
    assert onward.video is not None
    assert (onward.video.video_of, onward.video.seconds) == ("videos/a.mp4", 5.0)
    assert onward.video.author == ANYBODY
    assert catalog.choose(onward)[1].kind is Kind.EXTEND


def test_continue_extends_the_video_at_its_gateway_if_its_family_cannot() -> None:
    elsewhere = replace(LONGER, name="far", family="far", gateway="club")
    catalog = Catalog(models=(elsewhere, WAN_TEXT, WAN_PICTURE, LONGER))
    onward = variations.continued(made(WAN_TEXT, order()), "", catalog)
    assert onward is not None
    assert (onward.wish.use, onward.wish.family) == (Use.EXTEND, "longer")


@pytest.mark.parametrize(
    "others",
    [(), (replace(LONGER, gateway="club"),), (BY_ID,), (replace(LONGER, prompt_limit=1),)],
    ids=["none", "another gateway", "another model's ids", "a prompt that is too long"],
)
def test_continue_uses_the_last_frame_where_no_model_extends_the_video(
    others: tuple[Model, ...],
) -> None:
    catalog = Catalog(models=(WAN_TEXT, WAN_PICTURE, *others))
    onward = variations.continued(made(WAN_TEXT, order()), "and then", catalog)
    assert onward is not None
    assert (onward.wish.use, onward.video, onward.remix_of) == (None, None, None)
    assert [each.last_of for each in onward.pictures] == ["videos/a.mp4"]


def test_continue_of_a_video_that_is_too_long_to_extend_uses_the_last_frame() -> None:
    catalog = Catalog(models=(WAN_TEXT, WAN_PICTURE, LONGER))
    long = replace(made(WAN_TEXT, order()), video=replace(MP4, seconds=11.0))
    onward = variations.continued(long, "and then", catalog)
    assert onward is not None
    assert [each.last_of for each in onward.pictures] == ["videos/a.mp4"]


@pytest.mark.parametrize("of", ["picture", "video"])
def test_the_author_of_what_a_video_shows_counts_when_it_is_continued(of: str) -> None:
    bobs = replace(OURS, author="bob"), replace(KEPT, author="bob")
    wish = order(pictures=(bobs[0],)) if of == "picture" else order(video=bobs[1])
    done = made(WAN_PICTURE if of == "picture" else EDITOR, wish)
    catalog = Catalog(models=(WAN_TEXT, WAN_PICTURE, LONGER))
    extended = variations.continued(done, "", catalog)
    framed = variations.continued(done, "", Catalog(models=(WAN_TEXT, WAN_PICTURE)))
    assert extended is not None
    assert framed is not None
    assert [each.author for each in (*extended.files, *framed.files)] == ["bob", "bob"]


def test_remix_again_and_a_better_version_of_references_keep_their_pictures_and_use() -> None:
    wish = order(pictures=(OURS, OURS), use=Use.CHARACTER)
    done = made(CAST, wish)
    for again in (
        variations.again(done),
        variations.reworded(done, "a dog"),
        variations.again(replace(done, status=Status.FAILED)),
    ):
        assert (again.pictures, again.wish.use) == ((OURS, OURS), Use.CHARACTER)
        assert ALL.choose(again)[1].kind is Kind.REFERENCES
    sharp = replace(CAST, sizes={"720p": "720P", "1080p": "1080P"})
    better = variations.finer(done, Catalog(models=(sharp,)))
    assert better is not None
    assert (better.pictures, better.wish.use) == ((OURS, OURS), Use.CHARACTER)


def test_another_family_gets_the_same_references_or_the_same_video() -> None:
    lost = {"status": Status.FAILED, "reason": Reason.REFUSED}
    cast = made(CAST, order(pictures=(OURS,) * 3), **lost)
    other = variations.elsewhere(cast, ALL)
    assert other is not None
    assert (other.wish.family, other.pictures) == ("crowd", (OURS,) * 3)
    second = replace(EDITOR, name="second", family="second")
    edited = made(EDITOR, order(video=KEPT), **lost)
    moved = variations.elsewhere(edited, replace(ALL, models=(*ALL.models, second)))
    assert moved is not None
    assert (moved.wish.family, moved.video) == ("second", KEPT)
    assert variations.elsewhere(edited, ALL) is None


def test_remix_of_an_edited_video_edits_the_same_video_with_other_words() -> None:
    done = made(EDITOR, order(video=KEPT))
    again = variations.reworded(done, "as a cartoon")
    assert (again.video, again.remix_of, again.wish.prompt) == (KEPT, None, "as a cartoon")


def test_remix_of_an_extended_video_goes_on_from_the_same_video_as_before() -> None:
    first = made(BY_ID, order(family="by-id"))
    onward = variations.continued(first, "and then", Catalog(models=(BY_ID,)))
    assert onward is not None
    second = made(BY_ID, onward, gateway_id="v2")
    for again in (variations.reworded(second, "a dog"), variations.again(second)):
        assert again.remix_of is not None
        assert again.remix_of.gateway_id == "v1"
        assert ("previous_job_id", "v1") in ALL.choose(again)[1].parameters


def test_a_repeated_order_whose_video_a_sweep_removed_is_refused() -> None:
    done = replace(made(EDITOR, order(video=KEPT)), inputs_gone_at=9.0)
    with pytest.raises(Refused, match="given_expired"):
        variations.check_kept(done, Action.RETRY, variations.again(done))


def test_a_repeated_extension_by_id_whose_words_a_sweep_removed_is_refused() -> None:
    first = made(BY_ID, order(family="by-id"))
    onward = variations.continued(first, "and then", Catalog(models=(BY_ID,)))
    assert onward is not None
    failed = made(BY_ID, onward, status=Status.FAILED, words_gone_at=9.0)
    wordless = onward.wishing(replace(onward.wish, prompt=""))
    with pytest.raises(Refused, match="words_expired"):
        variations.check_kept(failed, Action.RETRY, wordless)


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (made(CAST, order(pictures=(CAT, CAT), use=Use.CHARACTER)), ("fact.keeps", 2)),
        (made(EDITOR, order(video=DANCE)), ("fact.changes", None)),
        (made(LONGER, order(video=DANCE, use=Use.EXTEND)), ("fact.goes_on", None)),
    ],
)
def test_the_card_says_what_the_files_of_an_order_are_for(
    done: Job, said: tuple[str, int | None]
) -> None:
    assert said in [(fact.id, fact.count) for fact in card(done).facts]
