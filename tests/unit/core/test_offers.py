"""Offers are values that some model can make."""

from dataclasses import replace

from bot.core import offers
from bot.core.catalog import Catalog
from bot.core.wishes import AUTO, DRAFT
from tests.unit.core.orders import CAT, CATALOG, SORA, WAN_PICTURE, WAN_TEXT, changed, order

PLUS = replace(WAN_PICTURE, name="plus", seconds=(3,), sizes={"1080p": "1080P"})
TWO = Catalog(models=(WAN_PICTURE, PLUS))
"""One family with two models that can make different things."""


def test_offered_lengths_and_qualities_are_those_of_all_models_of_the_family() -> None:
    wish = order(pictures=(CAT,))
    assert offers.lengths(TWO, wish) == [3, 5, 10]
    assert offers.qualities(TWO, wish) == [DRAFT, "480p", "720p", "1080p"]


def test_values_that_no_model_combines_with_the_earlier_choices_are_not_offered() -> None:
    wish = order(pictures=(CAT,), quality="1080p")
    assert offers.lengths(TWO, wish) == [3]
    assert offers.qualities(TWO, changed(wish, quality=None, seconds=10)) == [DRAFT, "480p", "720p"]


def test_the_quality_draft_is_not_offered_where_there_is_one_quality() -> None:
    assert offers.qualities(Catalog(models=(SORA,)), order()) == ["720p"]


def test_offered_families_aspects_and_presets_come_from_the_catalog() -> None:
    assert offers.families(CATALOG, order(seconds=8)) == ["sora"]
    assert offers.aspects(CATALOG, order()) == ["16:9", "9:16"]
    assert offers.presets(CATALOG, order(pictures=(CAT,))) == ["life", "loop"]


def test_the_auto_length_is_offered_before_the_other_lengths() -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True), SORA))
    assert offers.lengths(catalog, order()) == [AUTO, 4, 5, 8, 10], "another makes 4 and 8"
    assert offers.lengths(catalog, order(family="wan")) == [AUTO, 5, 10]
    assert offers.longest(catalog, order()) == 10
    assert offers.lengths(catalog, order(family="sora")) == [4, 8]


def test_a_switch_is_offered_only_if_both_positions_are_possible() -> None:
    assert offers.positions(CATALOG, order(), "sound") == [True, False]
    assert offers.positions(CATALOG, order(family="sora"), "sound") == [], "it always has sound"
    assert offers.positions(CATALOG, order(), "watermark") == []
    assert offers.positions(CATALOG, order(audio=True), "sound") == [True, False]
