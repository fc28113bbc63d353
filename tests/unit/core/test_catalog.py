"""The catalog turns a wish into a request, or refuses it and names the choices."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.models import Fields, Model, Quality
from bot.core.orders import SOUND_BYTES, Fit, Kind, SoundFit, Transport
from bot.core.wishes import Shaping
from tests.unit.core.orders import (
    CAT,
    CATALOG,
    SINGER,
    SINGING,
    SONG,
    SORA,
    WAN_PICTURE,
    WAN_TEXT,
    order,
)


def test_the_note_of_a_family_stands_in_descriptions_and_not_in_labels() -> None:
    """A menu has no room for a note."""
    noted = Catalog(models=(replace(WAN_TEXT, note="ends soon"),))
    assert (noted.label("wan"), noted.described("wan")) == ("Wan", "Wan (ends soon)")
    assert (CATALOG.described("wan"), CATALOG.described("gone")) == ("Wan", "gone")


def test_a_prompt_alone_goes_to_the_text_model_with_its_defaults() -> None:
    model, request = CATALOG.choose(order())
    assert model is WAN_TEXT
    assert (request.model, request.kind, request.seconds) == ("wan-t2v", Kind.TEXT, 5)
    assert (request.size, request.aspect, request.quality) == ("1280*720", "16:9", "720p")
    assert (request.transport, request.places, request.fit) == (None, (), None)
    assert request.parameters == (("size", "1280*720"), ("metadata.watermark", False))


def test_a_picture_goes_to_the_picture_model_of_the_same_family() -> None:
    model, request = CATALOG.choose(order(pictures=(CAT,), family="wan"))
    assert model is WAN_PICTURE
    assert request.transport is Transport.DATA_URI
    assert request.places == (("metadata.img_url",),)
    assert (request.size, request.aspect) == ("720P", None)
    assert request.fit == Fit(
        least_side=360, most_bytes=request.fit.most_bytes if request.fit else 0
    )


def test_a_picture_without_a_prompt_uses_the_words_of_the_first_preset() -> None:
    assert CATALOG.choose(order(pictures=(CAT,), prompt=" "))[1].prompt == "Bring it to life."


def test_without_a_chosen_aspect_the_one_nearest_to_the_picture_is_used() -> None:
    _, request = CATALOG.choose(order(pictures=(CAT,), family="sora"))
    assert (request.aspect, request.size) == ("9:16", "720x1280")


def test_a_model_with_exact_sizes_gets_the_picture_fitted_to_the_size() -> None:
    _, request = CATALOG.choose(order(pictures=(CAT,), family="sora", aspect="16:9"))
    assert request.fit is not None
    assert (request.fit.width, request.fit.height) == (1280, 720)


def test_where_the_video_follows_the_picture_a_chosen_aspect_crops_the_picture() -> None:
    _, request = CATALOG.choose(order(pictures=(CAT,), family="wan", aspect="1:1"))
    assert request.size == "720P"
    assert request.fit is not None
    assert (request.fit.width, request.fit.height) == (720, 720)


@pytest.mark.parametrize("name", ["wan", "Wan", "WAN-T2V"])
def test_a_family_is_found_by_its_id_its_label_and_the_names_of_its_models(name: str) -> None:
    assert CATALOG.choose(order(family=name))[0] is WAN_TEXT


def test_an_order_without_a_family_uses_the_configured_default() -> None:
    assert replace(CATALOG, default="sora").choose(order())[0] is SORA


def test_an_order_that_the_default_family_cannot_make_uses_another_family() -> None:
    """A default family that takes no pictures does not make orders with pictures impossible."""
    words_only = Catalog(models=(WAN_TEXT, SORA), default="wan")
    assert words_only.choose(order(pictures=(CAT,)))[0] is SORA


@pytest.mark.parametrize(
    ("changes", "code", "values"),
    [
        ({"prompt": " \u202e\u200b"}, "prompt_missing", {}),
        (
            {"prompt": "x" * 51, "family": "wan"},
            "prompt_too_long",
            {"length": 51, "limit": 50, "family": "Wan"},
        ),
        ({"seconds": 7}, "seconds_unavailable", {"wanted": 7, "family": "Wan", "can": ("5", "10")}),
        (
            {"quality": "1080p"},
            "quality_unavailable",
            {"wanted": "1080p", "family": "Wan", "can": ("720p", "480p", "draft")},
        ),
        (
            {"aspect": "4:3"},
            "aspect_unavailable",
            {"wanted": "4:3", "family": "Wan", "can": ("16:9", "9:16")},
        ),
        (
            {"quality": "8k", "family": "sora"},
            "quality_unavailable",
            {"wanted": "8k", "family": "Sora", "can": ("720p",)},
        ),
        ({"fit": Shaping.PAD}, "fit_alone", {}),
        ({"family": "veo"}, "family_unknown", {"family": "veo", "can": ("Wan", "Sora")}),
        ({"family": "wan-t2v", "pictures": (CAT,)}, "family_lacks_i2v", None),
        ({"pictures": (CAT, CAT)}, "none_takes_kf2v", {"kind": Kind.KEY_FRAMES}),
        ({"pictures": (CAT, CAT, CAT)}, "none_takes_r2v", {"kind": Kind.REFERENCES}),
        ({"pictures": (CAT,) * 11}, "too_many_pictures", {"count": 11, "most": 10}),
    ],
)
def test_an_impossible_order_is_refused_with_what_is_possible(
    changes: dict[str, Any], code: str, values: dict[str, object] | None
) -> None:
    with pytest.raises(Refused) as refused:
        CATALOG.choose(order(**changes))
    assert refused.value.code == code
    assert values is None or refused.value.values == values


# --- no family named ------------------------------------------------------------------------------

LONG = "x" * 51
"""A prompt that is too long for Wan."""


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ({}, "wan-t2v"),
        ({"seconds": 8}, "sora-2"),
        ({"prompt": LONG}, "sora-2"),
        ({"prompt": LONG, "quality": "draft"}, "sora-2"),
        ({"seconds": 8, "pictures": (CAT,), "preset": "loop"}, "sora-2"),
        ({"seconds": 10, "aspect": "1:1", "quality": "480p"}, "wan-t2v"),
        ({"negative_prompt": "rain"}, "wan-t2v"),
    ],
)
def test_an_order_without_a_family_finds_a_family_that_can_make_it(
    wish: dict[str, Any], name: str
) -> None:
    assert CATALOG.choose(order(**wish))[1].model == name


@pytest.mark.parametrize("wish", [{"seconds": 8}, {"prompt": LONG}, {"pictures": (CAT, CAT)}])
def test_a_chosen_family_is_never_replaced_by_another_family(wish: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        CATALOG.choose(order(family="wan", **wish))


def test_an_order_that_no_family_can_make_is_refused_in_terms_of_the_default_one() -> None:
    with pytest.raises(Refused) as refused:
        replace(CATALOG, default="sora").choose(order(seconds=8, negative_prompt="rain"))
    told = (refused.value.code, refused.value.values["family"], refused.value.values["others"])
    assert told == ("no_negative_prompt_but", "Sora", "Wan")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("so", "sora-2"),
        ("SORA 2", "sora-2"),
        ("sora—2", "sora-2"),
        ("W", "wan-t2v"),
        ("wan_t2v", "wan-t2v"),
    ],
)
def test_a_family_is_found_by_the_beginning_of_its_name(typed: str, name: str) -> None:
    assert CATALOG.choose(order(family=typed))[1].model == name


WANS = tuple(
    replace(WAN_TEXT, name=f"wan{n}", family=f"wan-{n}", label=f"Wan {n}") for n in (2.2, 2.5)
)


@pytest.mark.parametrize(
    ("typed", "can"),
    [("wan", ("Wan 2.2", "Wan 2.5")), ("", ("Wan 2.2", "Wan 2.5", "Sora")), ("-", None)],
)
def test_the_common_beginning_of_several_family_names_is_refused(
    typed: str, can: str | None
) -> None:
    with pytest.raises(Refused, match="family_unknown") as refused:
        Catalog(models=(*WANS, SORA)).choose(order(family=typed))
    assert can in (None, refused.value.values["can"])


def test_a_complete_family_name_wins_over_a_longer_name_that_begins_with_it() -> None:
    pro = replace(SORA, name="sora-2-pro", family="pro", label="Sora Pro")
    assert Catalog(models=(pro, SORA)).choose(order(family="Sora"))[1].model == "sora-2"


def test_a_preset_is_found_by_the_beginning_of_its_name() -> None:
    assert CATALOG.choose(order(preset="bring"))[1].prompt == "Bring it to life. a cat"


# --- one family, several models ------------------------------------------------------------------

FAST = replace(WAN_PICTURE, name="wan-fast", seconds=(3, 5), sizes={"480p": "480P", "1080p": "P"})
BOTH = Catalog(models=(WAN_PICTURE, FAST))


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ({}, "wan-i2v"),
        ({"seconds": 3}, "wan-fast"),
        ({"quality": "1080p"}, "wan-fast"),
        ({"family": "WAN-FAST"}, "wan-fast"),
        ({"family": "wan", "seconds": 5}, "wan-i2v"),
    ],
)
def test_the_first_model_of_a_family_that_can_make_the_whole_order_is_used(
    wish: dict[str, Any], name: str
) -> None:
    assert BOTH.choose(order(pictures=(CAT,), **wish))[1].model == name


def test_an_order_that_no_model_of_its_family_can_make_is_refused_with_all_choices() -> None:
    with pytest.raises(Refused) as refused:
        BOTH.choose(order(pictures=(CAT,), seconds=7))
    assert refused.value.values == {"wanted": 7, "family": "Wan", "can": ("5", "10", "3")}


# --- options that only some models take ----------------------------------------------------------


def test_extra_options_are_sent_in_the_fields_that_the_model_defines() -> None:
    nested = Fields(
        extras=("metadata.*", "metadata.parameters.*"),
        named={"negative_prompt": ("metadata.negative_prompt",)},
    )
    wan = Catalog(models=(replace(WAN_TEXT, places=nested),))
    wish = order(negative_prompt=" rain\u200b ", seed=7, audio=False)
    assert wan.choose(wish)[1].parameters[1:] == (
        ("metadata.watermark", False),
        ("metadata.parameters.watermark", False),
        ("metadata.negative_prompt", "rain"),
        ("metadata.seed", 7),
        ("metadata.parameters.seed", 7),
        ("metadata.audio", False),
        ("metadata.parameters.audio", False),
    )


def test_the_aspect_is_sent_in_every_field_that_a_model_defines_for_it() -> None:
    kling = replace(SORA, places=Fields(aspect=("aspect_ratio", "metadata.aspect_ratio")))
    assert Catalog(models=(kling,)).choose(order(aspect="9:16"))[1].parameters == (
        ("size", "720x1280"),
        ("aspect_ratio", "9:16"),
        ("metadata.aspect_ratio", "9:16"),
    )


SILENT = replace(SORA, silent=True)


@pytest.mark.parametrize(("model", "audio"), [(SORA, True), (SILENT, False)])
def test_a_switch_that_matches_what_a_model_always_does_is_not_sent(
    model: Model, audio: bool
) -> None:
    chosen = Catalog(models=(model,)).choose(order(audio=audio))[1]
    assert chosen.parameters == (("size", "1280x720"),)


@pytest.mark.parametrize(
    ("model", "wish", "code"),
    [
        (SORA, {"negative_prompt": "rain"}, "no_negative_prompt"),
        (SORA, {"seed": 5}, "no_seed"),
        (SORA, {"audio": False}, "always_audio"),
        (SILENT, {"audio": True}, "no_audio"),
        (WAN_TEXT, {"negative_prompt": "x" * 501}, "negative_prompt_too_long"),
        (WAN_TEXT, {"seed": 0}, "seed_unavailable"),
        (WAN_TEXT, {"seed": 2**31}, "seed_unavailable"),
        (WAN_TEXT, {"preset": "waltz"}, "preset_unknown"),
    ],
)
def test_an_extra_option_that_a_model_lacks_is_refused(
    model: Model, wish: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused, match=f"^{code}[(]"):
        Catalog(models=(model,)).choose(order(**wish))


def test_the_words_of_a_preset_come_before_the_persons_prompt() -> None:
    assert CATALOG.choose(order(preset="loop"))[1].prompt == "Loop. a cat"
    assert CATALOG.choose(order(preset="loop", prompt=""))[1].prompt == "Loop."
    assert CATALOG.choose(order(preset="a LOOP", prompt=""))[1].prompt == "Loop."


@pytest.mark.parametrize(
    ("typed", "made"), [("Draft", "480p"), ("480P", "480p"), ("draft", "480p")]
)
def test_a_quality_is_found_in_any_letter_case(typed: str, made: str) -> None:
    assert CATALOG.choose(order(quality=typed))[1].quality == made


# --- sounds --------------------------------------------------------------------------------------


def test_a_picture_and_a_sound_make_a_video_as_long_as_the_sound() -> None:
    request = SINGING.choose(order(pictures=(CAT,), sound=SONG))[1]
    assert (request.model, request.kind, request.seconds) == ("wan-s2v", Kind.SOUND, 8)
    assert request.places == (("metadata.img_url",), ("metadata.audio_url",))


@pytest.mark.parametrize("declared", [None, 0.0, 30.1, 40.0])
def test_a_sound_of_unknown_or_too_great_length_counts_as_the_longest_allowed(
    declared: float | None,
) -> None:
    sound = replace(SONG, seconds=declared)
    request = SINGING.choose(order(pictures=(CAT,), sound=sound))[1]
    assert request.sound_fit is not None
    assert (request.seconds, request.sound_fit.most_seconds) == (30, 30)


@pytest.mark.parametrize("wanted", [7, 8])
def test_a_chosen_length_that_equals_the_sounds_length_is_accepted(wanted: int) -> None:
    assert SINGING.choose(order(pictures=(CAT,), sound=SONG, seconds=wanted))[1].seconds == 8


@pytest.mark.parametrize(
    ("declared", "key", "seconds"),
    [(7.0, None, 8), (7.0, "ours", 7), (30.0, None, 30), (29.1, "ours", 30)],
)
def test_the_rounded_length_of_a_new_sound_counts_one_second_more(
    declared: float, key: str | None, seconds: int
) -> None:
    sound = replace(SONG, seconds=declared, key=key)
    assert SINGING.choose(order(pictures=(CAT,), sound=sound))[1].seconds == seconds


@pytest.mark.parametrize(("linked", "most"), [(True, 15_000_000), (False, 10_000)])
def test_a_sound_is_cut_to_the_admitted_length_and_to_a_size_that_can_be_sent(
    linked: bool, most: int
) -> None:
    assert SINGER.picture is not None
    small = replace(SINGER, picture=replace(SINGER.picture, url_above=10_000))
    catalog = Catalog(models=(small,), linked=linked)
    request = catalog.choose(order(pictures=(CAT,), sound=SONG))[1]
    assert request.sound_fit == SoundFit(least_seconds=3.0, most_seconds=8, most_bytes=most)


def test_an_order_without_a_sound_has_no_fit_for_sounds() -> None:
    assert SINGING.choose(order(pictures=(CAT,)))[1].sound_fit is None


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"pictures": ()}, "sound_alone"),
        ({"pictures": (CAT, CAT)}, "sound_of_many"),
        ({"sound": replace(SONG, seconds=2.9)}, "sound_short"),
        ({"sound": replace(SONG, size=SOUND_BYTES + 1)}, "sound_too_large"),
        ({"seconds": 6}, "sound_decides"),
        ({"seconds": 9}, "sound_decides"),
        ({"sound": replace(SONG, seconds=None), "seconds": 8}, "sound_decides"),
        ({"family": "wan-i2v"}, "family_lacks_s2v"),
    ],
)
def test_a_sound_with_no_picture_or_several_pictures_is_refused(
    wish: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused, match=f"^{code}[(]"):
        SINGING.choose(order(**{"pictures": (CAT,), "sound": SONG} | wish))


def test_a_sound_is_refused_where_no_model_takes_sounds() -> None:
    with pytest.raises(Refused, match="none_takes_s2v"):
        CATALOG.choose(order(pictures=(CAT,), sound=SONG))


# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("linked", "most"), [(False, 1_000), (True, 9_000)])
def test_without_links_a_picture_must_be_small_enough_to_be_sent_in_the_body(
    linked: bool, most: int
) -> None:
    assert WAN_PICTURE.picture is not None
    fit = replace(WAN_PICTURE.picture.fit, most_bytes=9_000, shaping=Shaping.PAD)
    rule = replace(WAN_PICTURE.picture, url_above=1_000, fit=fit)
    catalog = Catalog(models=(replace(WAN_PICTURE, picture=rule),), linked=linked)
    request = catalog.choose(order(pictures=(CAT,)))[1]
    assert request.fit == Fit(least_side=360, most_bytes=most, shaping=Shaping.PAD)
    assert request.url_above == 1_000


def test_without_links_a_model_that_takes_pictures_by_link_only_keeps_the_prompt_alone() -> None:
    assert SORA.picture is not None
    by_link = replace(SORA.picture, transport=Transport.URL)
    sora, wan = replace(SORA, picture=by_link), replace(WAN_PICTURE, picture=by_link)
    unlinked = Catalog(models=(sora, wan, WAN_TEXT), linked=True).unlinked()
    assert unlinked == Catalog(models=(replace(sora, kinds=(Kind.TEXT,)), WAN_TEXT))
    assert CATALOG.unlinked() == CATALOG


def test_a_video_may_follow_the_picture_even_if_text_videos_have_one_aspect() -> None:
    assert SORA.picture is not None
    vidu = replace(
        SORA,
        sizes={"1080p": {"16:9": "1080p"}},
        picture=replace(SORA.picture, exact=False, follows=True),
    )
    catalog = Catalog(models=(vidu,))
    assert catalog.choose(order(pictures=(CAT,)))[1].aspect is None
    tall = catalog.choose(order(pictures=(CAT,), aspect="9:16"))[1]
    assert tall.fit is not None
    assert (tall.size, tall.fit.width, tall.fit.height) == ("1080p", 1080, 1920)
    with pytest.raises(Refused, match="aspect_unavailable"):
        catalog.choose(order(aspect="9:16"))


def test_a_video_without_a_price_costs_at_least_one_unit() -> None:
    assert WAN_TEXT.cost(5, "720p") == 1
    assert replace(WAN_TEXT, prices={"720p": 0}).cost(5, "720p") == 1


def test_a_video_costs_by_its_quality_and_an_unknown_quality_costs_the_most() -> None:
    by_quality = replace(WAN_TEXT, prices={"720p": 100_000, "480p": 50_000})
    each = [by_quality.cost(5, quality) for quality in ("480p", "720p", "1080p", None)]
    assert each == [250_000, 500_000, 500_000, 500_000]
    assert by_quality.dearest == 1_000_000


def test_the_dearest_video_considers_longer_lengths_of_a_quality_and_silent_prices() -> None:
    """The dearest video is the worst case that the operator is told before the start."""
    priced = replace(WAN_TEXT, prices={"720p": 100_000, "480p": 50_000})
    longer = replace(priced, at={"720p": Quality(seconds=(20,))})
    assert (longer.longest, longer.dearest) == (20, 2_000_000)
    assert replace(priced, silent_prices={"720p": 300_000}).dearest == 3_000_000


def test_people_are_told_the_price_of_their_quality_and_nothing_if_it_is_free() -> None:
    by_quality = replace(WAN_TEXT, prices={"720p": 100_000, "480p": 0})
    catalog = Catalog(models=(by_quality,))
    told = [
        catalog.cost(catalog.choose(order(quality=quality))[1], "USD") for quality in (None, "480p")
    ]
    assert told == ["0.50 USD", None]


def test_a_picture_is_cropped_or_padded_as_its_person_chose() -> None:
    for wish, shaping in ((None, Shaping.CROP), (Shaping.PAD, Shaping.PAD)):
        _, request = CATALOG.choose(order(pictures=(CAT,), fit=wish))
        assert request.fit is not None
        assert request.fit.shaping is shaping


def test_the_typical_duration_is_known_for_every_model_and_guessed_for_a_removed_one() -> None:
    assert [CATALOG.typical(name) for name in ("sora-2", "gone")] == [100.0, 180.0]
