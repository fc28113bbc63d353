"""Wishes that a single model can fulfil, each tried on the other models too."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core import replies
from bot.core.catalog import Catalog
from bot.core.choosing import lengths, listed, switches
from bot.core.errors import Refused
from bot.core.models import Fields, Model, Quality
from bot.core.orders import Kind, VideoRequest
from bot.core.wishes import AUTO, OPTIONS, SWITCHES, WORDS, Extra, length_of, switch_of
from bot.i18n import say
from tests.contract.options import TYPED

from .orders import order

SEEDANCE = Model(
    name="seedance",
    family="seedance",
    label="Seedance",
    gateway="g",
    dialect="new-api",
    kinds=(Kind.TEXT,),
    seconds=(5, 4, 6, 12),
    auto=True,
    sizes={"720p": "720p", "480p": "480p", "1080p": "1080p"},
    shapes=("16:9", "9:16"),
    at={"1080p": Quality(seconds=(4,), extras={"mode": "pro"})},
    prompt_limit=100,
    typical=60,
    takes=(Extra.AUDIO, Extra.PROMPT_EXTEND, Extra.WATERMARK),
    unasked={Extra.AUDIO: True, Extra.PROMPT_EXTEND: True, Extra.WATERMARK: False},
    places=Fields(size=("metadata.resolution",), aspect=("metadata.ratio",), extras=("*",)),
    prices={"720p": 20, "480p": 10, "1080p": 40},
    silent_prices={"720p": 8, "480p": 4, "1080p": 16},
)


def chosen(model: Model = SEEDANCE, **wish: object) -> VideoRequest:
    return Catalog(models=(model,)).choose(order(**wish))[1]


def test_an_auto_length_counts_and_costs_as_the_longest_possible() -> None:
    request = chosen(seconds=AUTO)
    assert (request.auto, request.seconds) == (True, 12)
    assert SEEDANCE.cost_of(request) == 12 * 20
    assert chosen(seconds=AUTO, quality="1080p").seconds == 4


def test_an_auto_length_is_refused_for_a_model_that_cannot_choose_it() -> None:
    with pytest.raises(Refused, match="auto_unavailable") as refused:
        chosen(replace(SEEDANCE, auto=False), seconds=AUTO)
    assert refused.value.values["can"] == ("5", "4", "6", "12")


PLAIN = replace(
    SEEDANCE, name="plain", family="plain", label="Plain", auto=False, takes=(), places=Fields()
)

ABLE = replace(SEEDANCE, takes=tuple(Extra))
EXTRAS = {
    name: option
    for name, option in OPTIONS.items()
    if option.field in set(Extra) and name not in SWITCHES
}
"""Options that are no switches; a switch may be refused in two ways."""


@pytest.mark.parametrize("name", EXTRAS)
def test_an_extra_option_is_sent_to_a_model_that_takes_it(name: str) -> None:
    field, value = EXTRAS[name].field, TYPED[name][1]
    assert (field, value) in chosen(ABLE, **{field: value}).parameters


@pytest.mark.parametrize("field", WORDS)
def test_a_prompt_longer_than_the_limit_is_refused(field: str) -> None:
    with pytest.raises(Refused, match=f"^{field}_too_long"):
        chosen(ABLE, **{field: "x" * 20_001})


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"seconds": AUTO}, "auto_unavailable"),
        *(({it.field: TYPED[name][1]}, f"no_{it.field}") for name, it in EXTRAS.items()),
    ],
)
def test_an_option_that_a_model_lacks_is_refused_with_the_models_that_have_it(
    wish: dict[str, Any], code: str
) -> None:
    """A single model says what it can do.

    A model of its own family that has the option is preferred.
    """
    able = replace(ABLE, negative_limit=50)
    with pytest.raises(Refused, match=code) as refused:
        chosen(PLAIN, **wish)
    assert refused.value.code == code
    with pytest.raises(Refused, match=f"{code}_but") as refused:
        Catalog(models=(PLAIN, able)).choose(order(family="plain", **wish))
    assert refused.value.values["others"] == able.label
    said = say(replies.error(refused.value).text, "en")
    assert able.label in said
    assert "{" not in said
    same = replace(able, family="plain")
    with pytest.raises(Refused, match="quality_unavailable"):
        Catalog(models=(PLAIN, same)).choose(order(family="plain", quality="4k", **wish))
    assert Catalog(models=(PLAIN, same)).choose(order(family="plain", **wish))[0] is same


def test_a_quality_has_its_own_lengths_and_brings_its_own_extras() -> None:
    request = chosen(quality="1080p")
    assert request.seconds == 4
    assert ("mode", "pro") in request.parameters
    assert ("mode", "pro") not in chosen().parameters
    with pytest.raises(Refused, match="seconds_unavailable") as refused:
        chosen(quality="1080p", seconds=12)
    assert refused.value.values["can"] == ("4",)


def test_without_a_chosen_quality_one_that_has_the_length_is_used() -> None:
    model = replace(SEEDANCE, at={"720p": Quality(seconds=(5,))})
    assert chosen(model, seconds=5).quality == "720p"
    assert chosen(model, seconds=12).quality == "480p"
    assert chosen(model, seconds=12, quality="draft").quality == "480p"


def test_a_quality_for_pictures_only_is_refused_for_a_prompt_alone() -> None:
    model = replace(SEEDANCE, at={"480p": Quality(kinds=(Kind.PICTURE,))})
    with pytest.raises(Refused, match="quality_unavailable") as refused:
        chosen(model, quality="480p")
    assert refused.value.values["can"] == ("720p", "1080p", "draft")
    assert chosen(model, quality="draft").quality == "720p"


def test_a_prompt_alone_has_the_models_aspects_and_uses_the_first_by_default() -> None:
    assert ("metadata.ratio", "16:9") in chosen().parameters
    assert ("metadata.ratio", "9:16") in chosen(aspect="9:16").parameters
    with pytest.raises(Refused, match="aspect_unavailable") as refused:
        chosen(aspect="1:1")
    assert refused.value.values["can"] == ("16:9", "9:16")


def test_sound_is_a_choice_with_its_own_price() -> None:
    loud, silent, unsaid = chosen(audio=True), chosen(audio=False), chosen()
    assert [each.audio for each in (loud, silent, unsaid)] == [True, False, True]
    assert [SEEDANCE.cost_of(each) for each in (loud, silent, unsaid)] == [100, 40, 100]
    assert ("audio", False) in silent.parameters
    assert "audio" not in dict(unsaid.parameters)


@pytest.mark.parametrize("extra", ["audio", "prompt_extend"])
def test_a_switch_off_that_the_gateway_would_drop_is_refused_unpaid(extra: str) -> None:
    model = replace(SEEDANCE, drops_false=(Extra.AUDIO, Extra.PROMPT_EXTEND, Extra.WATERMARK))
    off: dict[str, Any] = {extra: False}
    on: dict[str, Any] = {extra: True}
    assert (extra, False) in chosen(**off).parameters
    with pytest.raises(Refused, match=f"always_{extra}"):
        chosen(model, **off)
    assert (extra, True) in chosen(model, **on).parameters


def test_a_switch_off_that_equals_the_default_is_not_sent() -> None:
    model = replace(SEEDANCE, drops_false=(Extra.WATERMARK,))
    assert "watermark" not in dict(chosen(model, watermark=False).parameters)
    assert ("watermark", True) in chosen(model, watermark=True).parameters


def test_a_switch_that_a_model_lacks_is_refused_unless_it_equals_the_default() -> None:
    model = replace(SEEDANCE, takes=())
    assert "watermark" not in dict(chosen(model, watermark=False).parameters)
    for extra, on, code in (
        ("watermark", True, "no_watermark"),
        ("prompt_extend", False, "always_prompt_extend"),
    ):
        wish: dict[str, Any] = {extra: on}
        with pytest.raises(Refused, match=code):
            chosen(model, **wish)
    with pytest.raises(Refused, match="no_prompt_extend"):
        chosen(replace(model, unasked={}), prompt_extend=True)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((5, 10, 3), "5, 10, 3"),
        ((5, 2, 3, 4, 6, 7, 15), "2–7, 15"),
        ((4, 5, 6), "4, 5, 6"),
        (("720p", "480p", "720p"), "720p, 480p"),
    ],
)
def test_consecutive_numbers_are_listed_as_a_range(values: tuple[object, ...], text: str) -> None:
    assert listed(values) == text


# --- switches -------------------------------------------------------------------------------------

SILENT = replace(SEEDANCE, name="mute", family="mute", label="Mute", silent=True, takes=())
ALWAYS = replace(SEEDANCE, name="loud", family="loud", label="Loud", takes=())


def refused(*models: Model, **wish: object) -> str:
    """Return the refusal as the person reads it."""
    with pytest.raises(Refused) as caught:
        Catalog(models=models).choose(order(**wish))
    return say(replies.error(caught.value).text, "en")


@pytest.mark.parametrize(
    ("wish", "first", "alone", "besides"),
    [
        ({"audio": True}, SILENT, "Mute makes silent videos only.", "With sound: Seedance."),
        (
            {"audio": False},
            ALWAYS,
            "Loud always makes videos with sound here.",
            "Without: Seedance.",
        ),
        (
            {"prompt_extend": False},
            ALWAYS,
            "You can't tell Loud to use your prompt unchanged here.",
            "That works with Seedance.",
        ),
        (
            {"watermark": True},
            ALWAYS,
            "Loud can't add a watermark here.",
            "That works with Seedance.",
        ),
        (
            {"watermark": False},
            replace(ALWAYS, unasked={}),
            "Loud can't leave out the watermark here.",
            "Without one: Seedance.",
        ),
        (
            {"prompt_extend": True},
            replace(ALWAYS, unasked={}),
            "Loud can't add to your prompt here.",
            "That works with Seedance.",
        ),
    ],
)
def test_an_impossible_switch_is_refused_with_the_models_that_have_it(
    wish: dict[str, object], first: Model, alone: str, besides: str
) -> None:
    named = {"family": first.family, **wish}
    assert refused(first, **wish) == refused(first, **named) == alone
    assert refused(first, SEEDANCE, **named) == f"{alone} {besides}"
    picture = replace(SEEDANCE, kinds=(Kind.PICTURE,))
    assert refused(first, picture, **named) == alone, "it makes nothing of words alone"


def test_if_the_family_has_a_model_with_the_switch_that_models_refusal_is_told() -> None:
    mute = replace(SILENT, family="one", label="One")
    short = replace(SEEDANCE, name="short", family="one", label="One", seconds=(4,), auto=False)
    assert refused(mute, short, audio=True, seconds=12) == (
        "One does not make 12 seconds. You can choose 4."
    )
    assert refused(mute, short, audio=True, seconds=AUTO).startswith("One can't choose the length")


def test_an_auto_length_that_no_model_offers_is_refused_with_the_possible_lengths() -> None:
    assert refused(replace(SEEDANCE, auto=False), seconds=AUTO) == (
        "Seedance can't choose the length by itself. You can choose 5, 4, 6 or 12 seconds."
    )


def test_switches_and_lengths_are_listed_for_all_models_together() -> None:
    assert switches([SEEDANCE]) == ["sound", "enhance", "watermark"]
    assert switches([SILENT]) == []
    assert switches([SILENT, ALWAYS]) == ["sound"], "the one has it, the other has not"
    assert lengths([SEEDANCE]) == "4, 5, 6, 12 s, auto"
    assert lengths([replace(SEEDANCE, auto=False)]) == "4, 5, 6, 12 s"


def test_the_dearest_video_uses_the_silent_price_if_silence_costs_more() -> None:
    assert SEEDANCE.dearest == 12 * 40
    assert replace(SEEDANCE, silent_prices={"720p": 50}).dearest == 12 * 50


def test_typed_values_may_have_capitals_and_blanks() -> None:
    assert [switch_of(word) for word in (" Off", "ON ", "No")] == [False, True, False]
    assert [length_of(word) for word in ("Auto ", " 5 s", "5S")] == [AUTO, 5, 5]


@pytest.mark.parametrize("word", ["9" * 5000, "-1", "5.5", "s", "", "²"])
def test_a_typed_length_that_is_no_number_is_refused(word: str) -> None:
    with pytest.raises(Refused, match="seconds_unreadable"):
        length_of(word)
