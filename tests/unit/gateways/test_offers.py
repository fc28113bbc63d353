"""Lists of models in three shapes, and hostile lists: what is read, and that nothing else is."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.core.orders import Kind
from bot.core.wishes import ASPECTS, QUALITIES
from bot.gateways.offers import Offer, ReadList, names, openrouter, served
from bot.gateways.offers.offer import MOST_OFFERS

VEO: dict[str, Any] = {
    "id": "google/veo-3.1",
    "canonical_slug": "google/veo-3.1-20260401",
    "name": "Google: Veo 3.1",
    "supported_durations": [8, 4, 6],
    "supported_resolutions": ["720p", "1080p", "4K"],
    "supported_aspect_ratios": ["16:9", "9:16"],
    "supported_sizes": None,
    "supported_frame_images": ["first_frame", "last_frame"],
    "generate_audio": True,
    "seed": True,
    "creativity": None,
    "upscale_factor": None,
    "allowed_passthrough_parameters": ["personGeneration", "negativePrompt"],
    "pricing_skus": {
        "duration_seconds_with_audio": "0.40",
        "duration_seconds_without_audio": "0.20",
        "duration_seconds_with_audio_4k": "0.60",
        "duration_seconds_without_audio_4k": "0.40",
    },
}


def one(row: object, read: ReadList = openrouter.read) -> Offer:
    """Return the offer of the only row of a list."""
    (offer,) = read({"data": [row]})
    return offer


def veo(**changed: object) -> Offer:
    return one({**VEO, **changed})


def test_a_row_of_openrouter_tells_kinds_lengths_sizes_sound_seed_and_prices() -> None:
    frames = {"16:9": "720p", "9:16": "720p"}
    assert veo() == Offer(
        model="google/veo-3.1",
        label="Veo 3.1",
        family="veo-3.1",
        kinds=(Kind.TEXT, Kind.PICTURE, Kind.KEY_FRAMES),
        seconds=(8, 4, 6),
        sizes={
            "720p": frames,
            "1080p": dict.fromkeys(frames, "1080p"),
            "4k": dict.fromkeys(frames, "4K"),
        },
        sound=True,
        seed=True,
        passthrough=("personGeneration", "negativePrompt"),
        prices={"720p": 0.4, "1080p": 0.4, "4k": 0.6},
        silent_prices={"720p": 0.2, "1080p": 0.2, "4k": 0.4},
    )


def test_null_in_a_row_of_openrouter_means_that_people_can_not_set_it() -> None:
    nulls = dict.fromkeys(key for key in VEO if key.startswith("supported_"))
    offer = veo(**nulls, generate_audio=None, seed=None)
    assert (offer.kinds, offer.seconds, offer.sizes) == ((Kind.TEXT,), (), {})
    assert (offer.sound, offer.seed) == (False, False)


def test_a_last_picture_needs_a_first_one() -> None:
    assert veo(supported_frame_images=["last_frame"]).kinds == (Kind.TEXT,)
    assert veo(supported_frame_images=["first_frame"]).kinds == (Kind.TEXT, Kind.PICTURE)


def test_sizes_in_pixels_are_used_if_resolutions_or_aspects_are_not_told() -> None:
    offer = veo(supported_aspect_ratios=None, supported_sizes=["1280x720", "720x1280", "7x9"])
    assert offer.sizes == {"720p": {"16:9": "1280x720", "9:16": "720x1280"}}
    assert (offer.places, offer.guessed) == ({"size": ("size",), "aspect": ()}, ())


def test_an_aspect_or_a_quality_that_can_not_be_set_is_a_guess_and_has_no_field() -> None:
    offer = veo(supported_aspect_ratios=None)
    assert offer.sizes["4k"] == {"16:9": "4K"}
    assert (offer.places, offer.guessed, offer.follows) == ({"aspect": ()}, ("sizes",), True)
    offer = veo(supported_resolutions=None)
    assert offer.sizes == {"720p": {"16:9": "720p", "9:16": "720p"}}
    assert (offer.places, offer.guessed, offer.follows) == ({"size": ()}, ("sizes",), False)


@pytest.mark.parametrize(
    ("skus", "price"),
    [
        ({"per-video-second": "0.1"}, 0.1),
        ({"per-video-second": "0.1", "per-video-second-720p": "0.05"}, 0.05),
        ({"duration_seconds_720p": "0.07"}, 0.07),
        ({"cents_per_video_output_second_720p": "3"}, 0.03),
        ({"cents_per_second_output": "12"}, 0.12),
        ({"text_to_video_duration_seconds": "0.1", "image_to_video_duration_seconds": "0.2"}, 0.2),
        ({"cents_per_video_output_second_720p_with_audio": "10"}, 0.1),
        ({"duration_seconds_720p": 0.07}, 0.07),
    ],
)
def test_a_price_of_a_second_is_read_under_each_of_its_names(
    skus: dict[str, object], price: float
) -> None:
    assert veo(pricing_skus=skus, generate_audio=None).prices["720p"] == price


def test_a_price_of_the_whole_video_counts_as_if_each_video_were_the_shortest() -> None:
    least = {"duration_seconds": "0.1", "minimum_cents_per_generation": "80"}
    assert veo(pricing_skus=least).prices["720p"] == 0.2
    pictures = {"duration_seconds": "0.1", "cents_per_image_input": "4"}
    assert veo(pricing_skus=pictures).prices["720p"] == 0.12, "two pictures, four seconds"


def test_a_quality_without_a_price_is_left_out_where_others_have_one() -> None:
    offer = veo(pricing_skus={"duration_seconds_720p": "0.1"})
    assert list(offer.sizes) == ["720p"]
    assert list(veo(pricing_skus={}).sizes) == ["720p", "1080p", "4k"]


@pytest.mark.parametrize(
    "price",
    ["-0.1", -1, "NaN", "Infinity", "1e999", "", "free", "9" * 5000, None, True, [], {}, 1e300],
)
def test_a_price_that_is_no_sensible_price_is_no_price(price: object) -> None:
    assert veo(pricing_skus={"duration_seconds": price}).prices == {}


@pytest.mark.parametrize("sku", ["video_tokens", "reference_duration_seconds", "x" * 10_000, ""])
def test_a_price_under_another_name_is_no_price_of_a_second(sku: str) -> None:
    assert veo(pricing_skus={sku: "0.1"}).prices == {}


def test_a_model_that_only_makes_videos_larger_is_left_out() -> None:
    assert openrouter.read({"data": [{**VEO, "upscale_factor": [2, 4]}]}) == ()
    assert openrouter.read({"data": [{**VEO, "creativity": [1]}]}) == ()


def test_equal_names_of_two_vendors_are_two_families() -> None:
    offers = openrouter.read({"data": [VEO, {**VEO, "id": "other/veo-3.1"}]})
    assert [offer.family for offer in offers] == ["veo-3.1", "other-veo-3.1"]


def test_new_api_tells_names_and_endpoint_types_and_models_for_videos_come_first() -> None:
    rows = [
        {"id": "gpt-4o", "object": "model", "supported_endpoint_types": ["openai"]},
        {"id": "sora-2", "object": "model", "supported_endpoint_types": ["openai-video"]},
        {"id": "old", "object": "model", "supported_endpoint_types": None},
    ]
    assert names.read({"object": "list", "data": rows, "success": True}) == (
        Offer(model="sora-2", endpoint_types=("openai-video",)),
        Offer(model="gpt-4o", endpoint_types=("openai",)),
        Offer(model="old"),
    )


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", ("t2v", "i2v")),
        ("Wan-AI/Wan2.2-T2V-A14B-Diffusers", ("t2v",)),
        ("Wan-AI/Wan2.2-I2V-A14B-Diffusers", ("i2v",)),
        ("/models/Wan2.1-FLF2V-14B-720P-diffusers/", ()),
        ("Lightricks/LTX-Video", ("t2v", "i2v")),
        ("acme/secret", ()),
    ],
)
def test_the_name_of_a_served_model_suggests_its_kinds_and_all_is_marked_as_guess(
    name: str, kinds: tuple[str, ...]
) -> None:
    offer = one({"id": name, "object": "model", "owned_by": "vllm"}, served.read)
    assert offer.kinds == kinds
    assert offer.guessed == (("kinds", "seconds", "sizes") if kinds else ())


def test_a_served_model_has_a_label_that_people_can_read() -> None:
    offer = one({"id": "Wan-AI/Wan2.2-TI2V-5B-Diffusers"}, served.read)
    assert (offer.label, offer.family) == ("Wan2.2 TI2V 5B", "wan2.2-ti2v-5b")


# --- hostile lists -------------------------------------------------------------------------------

READERS = (openrouter.read, names.read, served.read)
STRANGE: tuple[object, ...] = (
    *(None, True, False, 0, -1, 10**400, 1.5, float("nan"), "", "x" * 1_000_000, "\0\u202e"),
    *([], {}, [[]], [None], [{}], {"": ""}, ["\ud800"], [10**400, "16:9", -5, True, 2.5]),
)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("answer", [*STRANGE, *({"data": each} for each in STRANGE)])
def test_a_list_of_another_shape_has_no_models(read: ReadList, answer: object) -> None:
    assert read(answer) == ()


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("key", [*VEO, "supported_endpoint_types", "owned_by"])
def test_a_strange_value_in_one_field_breaks_nothing(read: ReadList, key: str) -> None:
    for strange in STRANGE:
        for offer in read({"data": [{**VEO, key: strange}, {**VEO, "id": "sound/one"}]}):
            assert set(offer.seconds) <= set(range(1, 3601))
            assert set(offer.sizes) <= set(QUALITIES)
            assert all(set(each) <= set(ASPECTS) for each in offer.sizes.values())
            assert offer.label.isprintable()
            assert len(json.dumps(offer.label)) < 300
            assert all(price >= 0 for price in offer.prices.values())


@pytest.mark.parametrize("read", READERS)
def test_of_ten_thousand_models_only_some_are_kept_and_equal_names_count_once(
    read: ReadList,
) -> None:
    many = [{**VEO, "id": f"acme/model-{number % 9000}"} for number in range(10_000)]
    offers = read({"data": many})
    assert len(offers) == len({offer.model for offer in offers}) == MOST_OFFERS


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "\x1b[31m", "ü", "x" * 121, "\u202eb"])
@pytest.mark.parametrize("read", READERS)
def test_a_name_that_is_no_plain_word_is_left_out(read: ReadList, name: str) -> None:
    assert read({"data": [{**VEO, "id": name}]}) == ()


def test_a_label_loses_control_characters_and_is_short() -> None:
    assert veo(name="Google: \x1b[31mVeo\u202e\n3").label == "[31mVeo 3"
    assert len(veo(name="y" * 100_000).label) <= 40
    assert replace(veo(name=None), label="") == replace(veo(), label="")


@pytest.mark.parametrize(
    ("others", "prices"),
    [
        ({}, {"720p": 0.0}),
        ({"video_tokens": "0"}, {"720p": 0.0}),
        ({"video_tokens": "0.000001"}, {}),
        ({"video_tokens": "-1"}, {}),
    ],
)
def test_a_second_for_nothing_is_believed_only_if_nothing_else_costs_money(
    others: dict[str, str], prices: dict[str, float]
) -> None:
    row = {**VEO, "supported_resolutions": ["720p"], "generate_audio": None}
    (offer,) = openrouter.read(
        {"data": [{**row, "pricing_skus": {"per_video_second": "0", **others}}]}
    )
    assert offer.prices == prices
