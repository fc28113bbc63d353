"""Preferences fill what an order leaves open, and never make an order impossible."""

from dataclasses import replace
from typing import Any, TypeVar

import pytest

from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.orders import Made, Order
from bot.core.preferences import Preferences, applied, chosen, held
from bot.core.wishes import AUTO, DRAFT
from tests.unit.core.orders import CAT, CATALOG, SORA, WAN_TEXT, changed, order

WISH = order()
LIKED = Preferences(family="sora", seconds=8, aspect="9:16", quality="720p")
Chosen = TypeVar("Chosen", Order, Preferences)


def _with(chosen: Chosen, name: str, value: object) -> Chosen:
    change: dict[str, Any] = {name: value}
    made = changed(chosen, **change) if isinstance(chosen, Order) else replace(chosen, **change)
    assert isinstance(made, type(chosen))
    return made


def test_preferences_fill_what_an_order_leaves_open() -> None:
    wish = changed(WISH, family="sora", seconds=8, aspect="9:16", quality="720p")
    assert applied(LIKED, WISH, CATALOG) == wish


@pytest.mark.parametrize(
    ("name", "value"), [("family", "wan"), ("seconds", 4), ("aspect", "16:9"), ("quality", DRAFT)]
)
def test_an_explicit_choice_wins_over_a_preference(name: str, value: object) -> None:
    asked = _with(WISH, name, value)
    assert getattr(applied(LIKED, asked, CATALOG).wish, name) == value


def test_a_preference_that_contradicts_the_order_is_dropped_and_other_preferences_stay() -> None:
    """Wan makes no videos of eight seconds."""
    made = applied(LIKED, changed(WISH, family="wan"), CATALOG)
    assert made == changed(WISH, family="wan", aspect="9:16", quality="720p")


def test_a_preferred_model_is_dropped_only_if_it_cannot_make_the_order() -> None:
    made = applied(LIKED, changed(WISH, seconds=10), CATALOG)
    assert made == changed(WISH, seconds=10, aspect="9:16", quality="720p")


def test_a_preferred_model_wins_over_preferred_details_it_cannot_make() -> None:
    liked = Preferences(family="sora", seconds=10, quality="480p", aspect="1:1")
    assert applied(liked, WISH, CATALOG) == changed(WISH, family="sora")


def test_a_preferred_aspect_is_not_applied_to_an_order_with_a_picture() -> None:
    shown = changed(WISH, pictures=(CAT,))
    assert applied(LIKED, shown, CATALOG).wish.aspect is None


def test_no_possible_order_is_refused_because_of_preferences() -> None:
    """Tries every explicit length with every preference."""
    for length in (None, 4, 5, 8, 10):
        for family in (None, "wan", "sora"):
            wish = changed(WISH, seconds=length, family=family)
            for liked in (LIKED, Preferences(seconds=4), Preferences(family="gone", seconds=AUTO)):
                try:
                    CATALOG.choose(wish)
                except Refused:
                    continue
                CATALOG.choose(applied(liked, wish, CATALOG))


def test_an_impossible_order_is_refused_without_any_preference_applied() -> None:
    wish = changed(WISH, family="wan", seconds=7)
    assert applied(LIKED, wish, CATALOG) == wish


def test_a_preferred_model_that_was_removed_is_not_replaced_by_one_with_a_longer_name() -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, family="sora-two"),))
    assert applied(Preferences(family="sora"), WISH, catalog) == WISH
    assert held(Preferences(family="sora"), catalog) == Preferences()


def test_preferences_do_not_change_variations_and_remixes() -> None:
    made = Made(
        gateway="main",
        base_url="https://gateway.test",
        gateway_id="v1",
        model="sora-2",
        seconds=4,
        size=None,
        aspect=None,
        quality=None,
    )
    for wish in (changed(WISH, is_whole=True), changed(WISH, remix_of=made)):
        assert applied(LIKED, wish, CATALOG) == wish


@pytest.mark.parametrize(
    ("name", "value", "after"),
    [
        ("model", "Sora", Preferences(family="sora")),
        ("model", "sor", Preferences(family="sora")),
        ("seconds", "10 s", Preferences(seconds=10)),
        ("aspect", "9:16", Preferences(aspect="9:16")),
        ("quality", "720P", Preferences(quality="720p")),
        ("quality", "draft", Preferences(quality=DRAFT)),
        ("private", "on", Preferences(private=True)),
    ],
)
def test_a_preference_may_be_typed_by_label_beginning_or_value(
    name: str, value: str, after: Preferences
) -> None:
    assert chosen(Preferences(), CATALOG, name, value) == after


@pytest.mark.parametrize("name", ["model", "seconds", "aspect", "quality"])
def test_the_value_none_removes_a_preference(name: str) -> None:
    after = chosen(LIKED, CATALOG, name, "None")
    field = "family" if name == "model" else name
    assert after == _with(LIKED, field, None)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("model", "kling", "setting_unavailable"),
        ("seconds", "7", "setting_unavailable"),
        ("seconds", "auto", "setting_unavailable"),
        ("seconds", "long", "seconds_unreadable"),
        ("aspect", "5:4", "setting_unavailable"),
        ("quality", "4k", "setting_unavailable"),
        ("private", "maybe", "switch_unreadable"),
        ("mood", "good", "setting_unknown"),
    ],
)
def test_a_preference_for_something_that_no_model_makes_is_refused(
    name: str, value: str, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        chosen(Preferences(), CATALOG, name, value)
    assert refusal.value.code == code


def test_choosing_a_preferred_model_drops_the_preferences_it_cannot_make() -> None:
    liked = Preferences(seconds=10, aspect="9:16", quality="480p")
    catalog = Catalog(models=(WAN_TEXT, SORA))
    assert chosen(liked, catalog, "model", "sora") == Preferences(family="sora", aspect="9:16")
