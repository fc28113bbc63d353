"""The catalogue turns a wish into a request that the model can do, or says what it can."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.orders import Fit, Kind, Transport
from tests.unit.core.orders import CAT, CATALOG, SORA, WAN_PICTURE, WAN_TEXT, order


def test_words_alone_go_to_the_text_model_with_its_own_defaults() -> None:
    model, request = CATALOG.choose(order())
    assert model is WAN_TEXT
    assert (request.model, request.kind, request.seconds) == ("wan-t2v", Kind.TEXT, 5)
    assert (request.size, request.aspect, request.quality) == ("1280*720", "16:9", "720p")
    assert (request.transport, request.place, request.fit) == (None, None, None)
    assert request.extras == (("watermark", False),)


def test_a_picture_goes_to_the_picture_model_of_the_same_family() -> None:
    model, request = CATALOG.choose(order(pictures=(CAT,), family="wan"))
    assert model is WAN_PICTURE
    assert (request.transport, request.place) == (Transport.DATA_URI, "img_url")
    assert (request.size, request.aspect) == ("720P", None)
    assert request.fit == Fit(least_side=360)


def test_a_picture_without_words_brings_the_preset_along() -> None:
    assert CATALOG.choose(order(pictures=(CAT,), prompt=" "))[1].prompt == "Bring it to life."


def test_without_a_wish_the_shape_nearest_to_the_picture_is_taken() -> None:
    _, request = CATALOG.choose(order(pictures=(CAT,), family="sora"))
    assert (request.aspect, request.size) == ("9:16", "720x1280")


def test_a_model_that_wants_the_exact_size_gets_the_picture_fitted_to_it() -> None:
    _, request = CATALOG.choose(order(pictures=(CAT,), family="sora", aspect="16:9"))
    assert request.fit is not None
    assert (request.fit.width, request.fit.height) == (1280, 720)


def test_where_the_video_follows_the_picture_a_shape_is_met_by_cropping() -> None:
    _, request = CATALOG.choose(order(pictures=(CAT,), family="wan", aspect="1:1"))
    assert request.size == "720P"
    assert request.fit is not None
    assert (request.fit.width, request.fit.height) == (720, 720)


@pytest.mark.parametrize("name", ["wan", "Wan", "WAN-T2V"])
def test_a_family_answers_to_its_id_its_label_and_its_wire_names(name: str) -> None:
    assert CATALOG.choose(order(family=name))[0] is WAN_TEXT


def test_people_who_name_no_family_get_the_configured_one() -> None:
    assert replace(CATALOG, default="sora").choose(order())[0] is SORA


def test_the_default_yields_to_what_was_given() -> None:
    """A default family that can't take pictures does not make pictures impossible."""
    words_only = Catalog(models=(WAN_TEXT, SORA), default="wan")
    assert words_only.choose(order(pictures=(CAT,)))[0] is SORA


@pytest.mark.parametrize(
    ("changes", "code", "values"),
    [
        ({"prompt": " \u202e\u200b"}, "prompt_missing", {}),
        ({"prompt": "x" * 51}, "prompt_too_long", {"length": 51, "limit": 50, "family": "Wan"}),
        ({"seconds": 7}, "seconds_unavailable", {"wanted": 7, "family": "Wan", "can": "5, 10"}),
        (
            {"quality": "1080p"},
            "quality_unavailable",
            {"wanted": "1080p", "family": "Wan", "can": "720p, 480p"},
        ),
        (
            {"aspect": "4:3"},
            "aspect_unavailable",
            {"wanted": "4:3", "family": "Wan", "can": "16:9, 9:16"},
        ),
        ({"family": "veo"}, "family_unknown", {"family": "veo", "can": "Wan, Sora"}),
        ({"family": "wan-t2v", "pictures": (CAT,)}, "family_lacks_i2v", None),
        ({"pictures": (CAT, CAT)}, "kind_unavailable", {"kind": Kind.KEY_FRAMES}),
        ({"pictures": (CAT, CAT, CAT)}, "too_many_pictures", {"count": 3}),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(
    changes: dict[str, Any], code: str, values: dict[str, object] | None
) -> None:
    with pytest.raises(Refused) as refused:
        CATALOG.choose(order(**changes))
    assert refused.value.code == code
    assert values is None or refused.value.values == values


def test_every_video_counts_even_where_nothing_has_a_price() -> None:
    assert WAN_TEXT.cost(5) == 1
    assert replace(WAN_TEXT, price=0).cost(5) == 1
    assert replace(WAN_TEXT, price=100_000).cost(5) == 500_000
