"""The kind of an order: decided by its files and by what they are for."""

from dataclasses import replace
from typing import Any

import pytest

from bot.cli.words import explain
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.handed import check_author, parted
from bot.core.kinds import AS_TEXT, kind_of
from bot.core.models import References
from bot.core.orders import ANYBODY, VIDEO_BYTES, Clip, Kind, Made, Person, Transport, too_large
from bot.core.presets import ONWARD
from bot.core.wishes import AUTO, Use
from tests.unit.core.kinds import ALL, BY_ID, CAST, DANCE, EDITOR, LONGER
from tests.unit.core.orders import CAT, SONG, order

MADE = Made(
    gateway="main",
    base_url="https://gateway.test",
    gateway_id="v9",
    model="by-id",
    seconds=5,
    size=None,
    aspect=None,
    quality=None,
)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, Kind.TEXT),
        ({"pictures": (CAT,)}, Kind.PICTURE),
        ({"pictures": (CAT,), "use": Use.FRAMES}, Kind.PICTURE),
        ({"pictures": (CAT, CAT)}, Kind.KEY_FRAMES),
        ({"pictures": (CAT, CAT), "use": Use.FRAMES}, Kind.KEY_FRAMES),
        ({"pictures": (CAT,), "use": Use.CHARACTER}, Kind.REFERENCES),
        ({"pictures": (CAT, CAT), "use": Use.CHARACTER}, Kind.REFERENCES),
        ({"pictures": (CAT,) * 3}, Kind.REFERENCES),
        ({"pictures": (CAT,) * 10}, Kind.REFERENCES),
        ({"pictures": (CAT,), "sound": SONG}, Kind.SOUND),
        ({"pictures": (CAT,), "sound": SONG, "use": Use.FRAMES}, Kind.SOUND),
        ({"video": DANCE}, Kind.VIDEO),
        ({"video": DANCE, "use": Use.EDIT}, Kind.VIDEO),
        ({"video": DANCE, "use": Use.EXTEND}, Kind.EXTEND),
    ],
)
def test_the_files_and_their_use_decide_the_kind_of_an_order(
    changes: dict[str, Any], kind: Kind
) -> None:
    assert kind_of(order(**changes)) is kind


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"use": Use.FRAMES}, "frames_alone"),
        ({"use": Use.CHARACTER}, "character_alone"),
        ({"use": Use.EDIT}, "edit_alone"),
        ({"use": Use.EXTEND, "pictures": (CAT,)}, "extend_alone"),
        ({"use": Use.EDIT, "pictures": (CAT,), "sound": SONG}, "edit_alone"),
        ({"use": Use.FRAMES, "pictures": (CAT,) * 3}, "too_many_frames"),
        ({"pictures": (CAT,) * 11}, "too_many_pictures"),
        ({"sound": SONG}, "sound_alone"),
        ({"pictures": (CAT, CAT), "sound": SONG}, "sound_of_many"),
        ({"pictures": (CAT,), "sound": SONG, "use": Use.CHARACTER}, "sound_with_character"),
        ({"video": DANCE, "sound": SONG}, "video_with_sound"),
        ({"video": DANCE, "pictures": (CAT,)}, "video_with_pictures"),
        ({"video": DANCE, "use": Use.CHARACTER}, "video_no_picture"),
        ({"video": DANCE, "use": Use.FRAMES}, "video_no_picture"),
    ],
)
def test_files_that_do_not_go_together_are_refused_with_a_code_of_their_own(
    changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        kind_of(order(**changes))
    assert refused.value.code == code


def test_an_order_lists_its_pictures_then_the_video_then_the_sound() -> None:
    assert order(pictures=(CAT, CAT), video=DANCE, sound=SONG).files == (CAT, CAT, DANCE, SONG)
    assert order(video=DANCE).files == (DANCE,)


def test_the_video_is_parted_from_the_other_files_and_a_second_video_is_refused() -> None:
    assert parted([SONG, DANCE, CAT]) == ((CAT,), DANCE, SONG)
    with pytest.raises(Refused, match="too_many_videos"):
        parted([DANCE, DANCE])


@pytest.mark.parametrize(
    ("author", "code"),
    [("ann", None), (ANYBODY, None), ("bob", "not_your_video"), (None, "video_owner_unknown")],
)
def test_a_video_is_used_only_if_the_person_posted_it(author: str | None, code: str | None) -> None:
    clip = Clip(source="f9", filename="dance.mp4", size=9, author=author)
    if code is None:
        return check_author(clip, Person(id="ann", name="Ann"))
    with pytest.raises(Refused) as refused:
        check_author(clip, Person(id="ann", name="Ann"))
    assert refused.value.code == code
    return None


def test_a_video_with_too_many_bytes_is_refused_with_the_most_that_we_take() -> None:
    refused = too_large(DANCE, VIDEO_BYTES + 1)
    assert refused.code == "video_too_large"
    assert refused.values == {"megabytes": 100.000001, "most": 100}


# --- references ----------------------------------------------------------------------------------


def test_each_reference_gets_a_numbered_field_and_its_constants() -> None:
    _, request = ALL.choose(order(family="cast", pictures=(CAT,) * 3))
    assert request.places == tuple((f"metadata.media[{each}].url",) for each in range(3))
    constants = {**dict(request.parameters)}
    assert [constants[f"metadata.media[{each}].type"] for each in range(3)] == ["reference"] * 3
    assert constants["metadata.of"] == "pictures"


def test_references_keep_their_own_shape_and_leave_that_of_the_video_open() -> None:
    tall = replace(CAT, width=720, height=1280)
    _, request = ALL.choose(order(family="cast", pictures=(tall,) * 3, aspect="16:9"))
    assert request.aspect == "16:9"
    assert request.fit is not None
    assert (request.fit.width, request.fit.height, request.fit.is_own) == (None, None, True)
    _, request = ALL.choose(order(family="cast", pictures=(tall,) * 3))
    assert request.aspect == "16:9"


@pytest.mark.parametrize(
    ("count", "code", "values"),
    [
        (1, "too_few_references_but", {"count": 1, "least": 2, "others": "Crowd"}),
        (5, "too_many_references_but", {"count": 5, "most": 4, "others": "Crowd"}),
    ],
)
def test_too_few_or_too_many_references_are_refused_with_the_models_that_take_them(
    count: int, code: str, values: dict[str, object]
) -> None:
    with pytest.raises(Refused) as refused:
        ALL.choose(order(family="cast", pictures=(CAT,) * count, use=Use.CHARACTER))
    assert refused.value.code == code
    assert {name: refused.value.values[name] for name in values} == values
    assert explain(refused.value).endswith("Crowd.")


def test_too_many_references_for_every_model_are_refused_with_the_most() -> None:
    small = replace(CAST, references=References(least=2, most=4))
    with pytest.raises(Refused) as refused:
        replace(ALL, models=(small,)).choose(order(pictures=(CAT,) * 5))
    assert refused.value.code == "too_many_references"
    assert explain(refused.value) == (
        "Cast takes at most 4 pictures, and you sent 5. Please send fewer."
    )


def test_an_order_that_names_no_family_goes_to_one_that_takes_so_many_references() -> None:
    model, _ = ALL.choose(order(pictures=(CAT,) * 9))
    assert model.name == "crowd"


def test_references_need_a_prompt_and_get_no_movement_of_a_single_picture() -> None:
    with pytest.raises(Refused, match="prompt_missing"):
        ALL.choose(order(prompt="", pictures=(CAT,) * 3))


# --- videos --------------------------------------------------------------------------------------


def test_a_video_goes_into_its_field_and_its_seconds_count_for_the_price() -> None:
    model, request = ALL.choose(order(video=DANCE))
    assert (model.name, request.kind, request.places) == (
        "editor",
        Kind.VIDEO,
        (("metadata.video",),),
    )
    assert ("metadata.type", "video") in request.parameters
    # A network's length may be rounded down by a second.
    assert (request.seconds, request.input_seconds) == (5, 5)
    assert model.cost_of(request) == 1000
    assert EDITOR.video
    assert request.video_fit == replace(EDITOR.video.fit, most_seconds=5)


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({"seconds": None}, 10),
        ({"seconds": 9.9}, 10),
        ({"seconds": 4.2, "key": "given/a.mp4", "source": None}, 5),
        ({"seconds": 4.0, "video_of": "videos/a.mp4", "source": None}, 4),
    ],
)
def test_an_unknown_or_rounded_length_counts_at_its_worst_case(
    changes: dict[str, Any], counted: int
) -> None:
    assert ALL.choose(order(video=replace(DANCE, **changes)))[1].input_seconds == counted


def test_the_worst_day_includes_the_longest_video_of_an_order() -> None:
    assert EDITOR.dearest == 100 * (10 + 10)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seconds": 0.9}, "video_short"),
        ({"seconds": 11.0}, "video_long"),
        ({"seconds": 10.6, "key": "given/a.mp4", "source": None}, "video_long"),
        ({"size": VIDEO_BYTES + 1}, "video_too_large"),
    ],
)
def test_a_video_that_is_surely_too_short_too_long_or_too_large_is_refused_with_the_limit(
    changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        ALL.choose(order(video=replace(DANCE, **changes)))
    assert refused.value.code == code


@pytest.mark.parametrize("seconds", [1.5, 10.9])
def test_a_length_that_may_be_rounded_is_left_to_the_measurement(seconds: float) -> None:
    assert ALL.choose(order(video=replace(DANCE, seconds=seconds)))[0].name == "editor"


def test_a_kind_that_the_family_lacks_is_refused_with_the_families_that_have_it() -> None:
    with pytest.raises(Refused) as refused:
        ALL.choose(order(family="sora", video=DANCE))
    assert explain(refused.value) == "Sora does not change videos. That works with Editor."
    with pytest.raises(Refused) as refused:
        ALL.choose(order(family="sora", video=DANCE, use=Use.EXTEND))
    assert explain(refused.value) == (
        "Sora does not go on from a video. That works with Longer, By id."
    )


def test_changing_a_video_needs_a_prompt_and_going_on_needs_none() -> None:
    with pytest.raises(Refused, match="prompt_missing"):
        ALL.choose(order(prompt="", video=DANCE))
    _, request = ALL.choose(order(prompt="", video=DANCE, use=Use.EXTEND))
    assert (request.prompt, request.shown) == (ONWARD, "")


@pytest.mark.parametrize(
    ("given", "wanted", "seconds"), [(4.0, None, 10), (4.0, 7, 7), (9.0, None, 15), (2.0, None, 8)]
)
def test_a_video_that_begins_with_the_given_one_is_longer_than_it(
    given: float, wanted: int | None, seconds: int
) -> None:
    wish = order(family="longer", video=replace(DANCE, seconds=given), use=Use.EXTEND)
    _, request = ALL.choose(wish.wishing(replace(wish.wish, seconds=wanted)))
    assert (request.seconds, request.input_seconds) == (seconds, 0)


def test_a_wished_length_is_taken_for_a_video_whose_length_no_network_tells() -> None:
    """The video must be shorter, which shows only after its download."""
    wish = order(video=replace(DANCE, seconds=None), use=Use.EXTEND, seconds=8)
    request = Catalog(models=(LONGER,)).choose(wish)[1]
    assert request.video_fit is not None
    assert (request.seconds, request.video_fit.most_seconds) == (8, 7)


def test_a_length_that_leaves_nothing_to_add_is_refused() -> None:
    wish = order(family="longer", video=DANCE, use=Use.EXTEND, seconds=5)
    with pytest.raises(Refused) as refused:
        ALL.choose(wish)
    assert (refused.value.code, refused.value.values["can"]) == ("seconds_unavailable", ("6–15",))
    short = replace(LONGER, seconds=(5,))
    with pytest.raises(Refused, match="video_leaves_nothing"):
        replace(ALL, models=(short,)).choose(order(video=DANCE, use=Use.EXTEND))


def test_the_model_that_made_a_video_goes_on_from_its_id_without_a_file() -> None:
    wish = order(video=DANCE, use=Use.EXTEND, family="by-id", remix_of=MADE)
    _, request = ALL.choose(wish)
    assert ("previous_job_id", "v9") in request.parameters
    assert (request.places, request.video_fit, request.transport) == ((), None, None)


@pytest.mark.parametrize(
    "made",
    [None, replace(MADE, model="other"), replace(MADE, gateway="club")],
)
def test_a_model_that_goes_on_by_id_refuses_videos_of_others(made: Made | None) -> None:
    with pytest.raises(Refused, match="video_not_made_there"):
        ALL.choose(order(video=DANCE, use=Use.EXTEND, family="by-id", remix_of=made))


def test_a_video_at_a_gateway_that_can_remix_is_not_remixed_if_the_order_has_a_video() -> None:
    both = replace(BY_ID, kinds=(*BY_ID.kinds, Kind.REMIX))
    wish = order(video=DANCE, use=Use.EXTEND, family="by-id", remix_of=MADE)
    assert replace(ALL, models=(both,)).choose(wish)[1].kind is Kind.EXTEND


@pytest.mark.parametrize(
    ("transport", "most"),
    [
        (Transport.UPLOAD, 50_000_000),
        (Transport.URL, 50_000_000),
        (Transport.DATA_URI, AS_TEXT),
        (Transport.BASE64, AS_TEXT),
    ],
)
def test_a_video_that_is_sent_as_text_is_made_smaller(transport: Transport, most: int) -> None:
    assert EDITOR.video is not None
    model = replace(EDITOR, is_json=True, video=replace(EDITOR.video, transport=transport))
    _, request = replace(ALL, models=(model,)).choose(order(video=DANCE))
    assert request.video_fit is not None
    assert request.video_fit.most_bytes == most


def test_a_video_in_a_text_part_of_a_form_is_made_to_fit_into_it() -> None:
    assert EDITOR.video is not None
    model = replace(EDITOR, video=replace(EDITOR.video, transport=Transport.DATA_URI))
    _, request = replace(ALL, models=(model,)).choose(order(video=DANCE))
    assert request.video_fit is not None
    assert 700_000 < request.video_fit.most_bytes < 786_432


def test_auto_is_refused_by_a_model_that_cannot_choose_a_length_beside_a_video() -> None:
    with pytest.raises(Refused, match="auto_unavailable"):
        ALL.choose(order(video=DANCE, seconds=AUTO))


def test_without_links_only_the_kinds_that_need_one_are_lost() -> None:
    by_link = replace(
        EDITOR,
        kinds=(Kind.TEXT, Kind.VIDEO),
        video=replace(EDITOR.video, transport=Transport.URL),  # type: ignore[type-var]
    )
    catalog = replace(ALL, models=(by_link, replace(BY_ID, video=by_link.video)), linked=True)
    kinds = {model.name: model.kinds for model in catalog.unlinked().models}
    assert kinds == {"editor": (Kind.TEXT,), "by-id": (Kind.TEXT, Kind.EXTEND)}
