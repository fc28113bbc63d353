"""What is offered is what some model makes."""

from dataclasses import replace

from bot.core import offers
from bot.core.catalog import Catalog
from bot.core.models import DRAFT
from tests.unit.core.orders import CAT, CATALOG, SORA, WAN_PICTURE, order

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
    assert offers.qualities(TWO, replace(wish, quality=None, seconds=10)) == [DRAFT, "480p", "720p"]


def test_there_is_no_draft_of_what_comes_in_one_quality() -> None:
    assert offers.qualities(Catalog(models=(SORA,)), order()) == ["720p"]


def test_families_shapes_and_presets_are_asked_of_the_catalogue_too() -> None:
    assert offers.families(CATALOG, order(seconds=8)) == ["sora"]
    assert offers.aspects(CATALOG, order()) == ["16:9", "9:16"]
    assert offers.presets(CATALOG, order(pictures=(CAT,))) == ["life", "loop"]
