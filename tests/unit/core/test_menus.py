"""A menu shows the chosen value, the alternatives and a back button."""

from dataclasses import replace

import pytest

from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.menus import MOST_CHOICES, settings_menu
from bot.core.preferences import SETTINGS, Preferences, chosen
from bot.core.replies import MOST_CARRIED, Action, Button, Reply
from bot.core.wishes import AUTO, DRAFT
from bot.i18n import say
from tests.unit.core.orders import CATALOG, WAN_TEXT


def lines(menu: Reply) -> list[str]:
    """Return the choices as people read them; the chosen one is between stars."""
    said = [(say(each.label, "en"), each.is_chosen) for each in choices(menu)]
    return [f"*{words}*" if is_chosen else words for words, is_chosen in said]


def choices(menu: Reply) -> list[Button]:
    """Return the choices without the back button."""
    return [each for each in menu.buttons if each.action is Action.SETTING]


def test_the_settings_menu_lists_all_settings_with_their_values() -> None:
    menu = settings_menu(Preferences(family="sora", seconds=8, private=True), CATALOG)
    assert lines(menu) == [
        "Model: Sora",
        "Length: 8 s",
        "Shape: no default",
        "Quality: no default",
        "Private results: on",
    ]
    assert [each.about for each in menu.buttons] == list(SETTINGS)


def test_the_menu_of_a_setting_shows_its_choices_the_chosen_one_and_a_back_button() -> None:
    menu = settings_menu(Preferences(family="sora", seconds=8), CATALOG, "seconds")
    assert lines(menu) == ["no default", "4 s", "*8 s*"]
    assert menu.buttons[-1] == Button(action=Action.LIST, about="settings", word="back")


def test_a_setting_without_a_choice_is_marked_as_no_default() -> None:
    assert lines(settings_menu(Preferences(), CATALOG, "model"))[0] == "*no default*"


@pytest.mark.parametrize(("private", "shown"), [(True, ["*on*", "off"]), (False, ["on", "*off*"])])
def test_the_menu_of_private_results_offers_on_and_off(private: bool, shown: list[str]) -> None:
    assert lines(settings_menu(Preferences(private=private), CATALOG, "private")) == shown


def test_a_chosen_model_that_was_removed_is_shown_as_no_default() -> None:
    gone = Preferences(family="veo", seconds=99)
    assert settings_menu(gone, CATALOG) == settings_menu(Preferences(), CATALOG)


@pytest.mark.parametrize("which", SETTINGS)
def test_every_value_that_a_menu_offers_can_be_chosen(which: str) -> None:
    auto = replace(WAN_TEXT, auto=True)
    catalog = Catalog(models=(auto, *CATALOG.models))
    for choice in choices(settings_menu(Preferences(), catalog, which)):
        after = chosen(Preferences(), catalog, which, str(choice.value))
        (now,) = [it for it in settings_menu(after, catalog, which).buttons if it.is_chosen]
        assert now.value == choice.value


def test_a_menu_has_at_most_as_many_choices_as_discord_shows_including_the_chosen_one() -> None:
    many = replace(WAN_TEXT, seconds=tuple(range(1, 41)), auto=True)
    menu = settings_menu(Preferences(seconds=40), Catalog(models=(many,)), "seconds")
    assert len(choices(menu)) == MOST_CHOICES + 1
    assert [each.value for each in menu.buttons if each.is_chosen] == ["40"]
    assert chosen(Preferences(), Catalog(models=(many,)), "seconds", "auto").seconds == AUTO


def test_every_value_of_a_menu_fits_into_a_button() -> None:
    names = ["A name of very many words that goes on and on", "ü ö ä" * 9, "none", "short"]
    models = tuple(replace(WAN_TEXT, family=each, label=each) for each in names)
    values = [
        str(it.value)
        for it in choices(settings_menu(Preferences(), Catalog(models=models), "model"))
    ]
    assert values[0] == "none"
    assert values.count("none") == 1, "a model of that name can't be told from none"
    for value in values:
        assert 0 < len(value.encode()) <= MOST_CARRIED
        assert not any(map(str.isspace, value))


def test_models_whose_shortened_names_are_equal_are_not_offered() -> None:
    names = [f"{'a' * MOST_CARRIED}{each}" for each in "bc"]
    models = tuple(replace(WAN_TEXT, family=each, label=each) for each in names)
    menu = settings_menu(Preferences(), Catalog(models=models), "model")
    assert [each.value for each in choices(menu)] == ["none"]


def test_the_quality_draft_has_a_name_of_its_own_in_the_menu() -> None:
    menu = settings_menu(Preferences(quality=DRAFT), CATALOG, "quality")
    assert "*Draft: small and cheap*" in lines(menu)


def test_a_menu_of_an_unknown_setting_is_refused() -> None:
    with pytest.raises(Refused, match="setting_unknown"):
        settings_menu(Preferences(), CATALOG, "mood")
