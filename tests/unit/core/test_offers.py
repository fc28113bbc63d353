"""Offers are what some model makes."""

from dataclasses import replace

from bot.core import offers
from bot.core.catalog import Catalog
from bot.core.wishes import AUTO, DRAFT
from tests.unit.core.orders import CAT, CATALOG, SORA, WAN_PICTURE, WAN_TEXT, changed, order

PLUS = replace(WAN_PICTURE, name="plus", seconds=(3,), sizes={"1080p": "1080P"})
TWO = Catalog(models=(WAN_PICTURE, PLUS))
"""One family, two models: what one can't do, the other may."""


def test_lengths_and_qualities_are_those_of_the_whole_family() -> None:
    wish = order(pictures=(CAT,))
    assert offers.lengths(TWO, wish) == [3, 5, 10]
    assert offers.qualities(TWO, wish) == [DRAFT, "480p", "720p", "1080p"]


def test_what_goes_with_nothing_chosen_before_is_not_offered() -> None:
    wish = order(pictures=(CAT,), quality="1080p")
    assert offers.lengths(TWO, wish) == [3]
    assert offers.qualities(TWO, changed(wish, quality=None, seconds=10)) == [DRAFT, "480p", "720p"]


def test_there_is_no_draft_of_what_comes_in_one_quality() -> None:
    assert offers.qualities(Catalog(models=(SORA,)), order()) == ["720p"]


def test_families_shapes_and_presets_are_asked_of_the_catalog_too() -> None:
    assert offers.families(CATALOG, order(seconds=8)) == ["sora"]
    assert offers.aspects(CATALOG, order()) == ["16:9", "9:16"]
    assert offers.presets(CATALOG, order(pictures=(CAT,))) == ["life", "loop"]


def test_a_length_that_the_model_may_choose_stands_before_the_others() -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True), SORA))
    assert offers.lengths(catalog, order()) == [AUTO, 4, 5, 8, 10], "another makes 4 and 8"
    assert offers.lengths(catalog, order(family="wan")) == [AUTO, 5, 10]
    assert offers.longest(catalog, order()) == 10
    assert offers.lengths(catalog, order(family="sora")) == [4, 8]


def test_a_switch_is_offered_where_it_can_be_both() -> None:
    assert offers.positions(CATALOG, order(), "sound") == [True, False]
    assert offers.positions(CATALOG, order(family="sora"), "sound") == [], "it always has sound"
    assert offers.positions(CATALOG, order(), "watermark") == []
    assert offers.positions(CATALOG, order(audio=True), "sound") == [True, False]
