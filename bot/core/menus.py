"""The settings menus, where a person makes lasting choices, as values that a platform draws."""

from collections import Counter
from collections.abc import Sequence

from bot.core.catalog import Catalog
from bot.core.preferences import FIELDS, NONE, PRIVATE, Preferences, check_setting, held, offered
from bot.core.prompts import spelt
from bot.core.replies import MOST_CARRIED, Action, Button, Reply, Text
from bot.core.wishes import AUTO, AUTO_WORD, DRAFT, ON_OFF

MOST_CHOICES = 24
"""Most values of one menu. With the choice *no default* that makes 25, Discord's limit."""
_HINTS = ("seconds", "aspect", PRIVATE)
"""Settings whose menu has an explaining sentence."""


def settings_menu(preferences: Preferences, catalog: Catalog, which: str | None = None) -> Reply:
    """Return the menu of all settings with their values, or the choices of the setting `which`.

    A saved value that the catalog no longer offers is shown as *none*.
    Raises `Refused("setting_unknown")`.
    """
    now = held(preferences, catalog)
    if which is not None:
        check_setting(which)
        return _choices(now, catalog, which)
    values = {name: _label(catalog, name, getattr(now, FIELDS[name])) for name in FIELDS}
    values[PRIVATE] = _switch(on=now.private)
    opened = (
        Button(
            action=Action.SETTING,
            about=name,
            said=Text(id=f"settings.{name}", values={"value": said}),
        )
        for name, said in values.items()
    )
    return Reply(
        text=Text(id="settings.title"), facts=(Text(id="settings.hint"),), buttons=tuple(opened)
    )


def _choices(now: Preferences, catalog: Catalog, which: str) -> Reply:
    if which == PRIVATE:
        choices = [
            _button(which, word, _switch(on=on), is_chosen=on is now.private)
            for on, word in ON_OFF.items()
        ]
    else:
        chosen: str | int | None = getattr(now, FIELDS[which])
        none = _button(which, NONE, Text(id="settings.none"), is_chosen=chosen is None)
        values = _few(now, catalog, which, chosen)
        choices = [none, *(c for v in values if (c := _choice(catalog, which, v, chosen)))]
    back = Button(action=Action.LIST, about="settings", word="back")
    return Reply(
        text=Text(id=f"settings_ask.{which}"),
        facts=(Text(id=f"settings_hint.{which}"),) if which in _HINTS else (),
        buttons=(*choices, back),
    )


def _button(which: str, value: str, label: Text | str, *, is_chosen: bool) -> Button:
    words = label if isinstance(label, Text) else Text(id="button.open", values={"value": label})
    return Button(action=Action.SETTING, about=which, value=value, said=words, is_chosen=is_chosen)


def _few(
    now: Preferences, catalog: Catalog, which: str, chosen: str | int | None
) -> Sequence[str | int]:
    """Return at most `MOST_CHOICES` values of a setting, always with the chosen value.

    If there are more lengths than that, the lengths that most models make are kept.
    """
    values = offered(now, catalog, which)
    if len(values) <= MOST_CHOICES:
        return values
    made: Counter[str | int] = Counter(each for model in catalog.models for each in model.seconds)
    first = sorted(values, key=lambda it: (it != chosen, it != AUTO, -made.get(it, 0)))
    few = first[:MOST_CHOICES]
    return [each for each in values if each in few]


def _choice(
    catalog: Catalog, which: str, value: str | int, chosen: str | int | None
) -> Button | None:
    carried = str(value)
    if value == AUTO:
        carried = AUTO_WORD
    if which == "model":
        carried = _carried(catalog, carried)
    if not carried:
        return None
    label = _label(catalog, which, value)
    return _button(which, carried, label, is_chosen=value == chosen)


def _carried(catalog: Catalog, family: str) -> str:
    """Return the family's name as a button carries it, or "" if the button can't carry it.

    A name over `MOST_CARRIED` bytes is cut, if what is left names no other family.
    """
    word = spelt(family).encode()[:MOST_CARRIED].decode(errors="ignore")
    named = {model.family for model in catalog.named(word)}
    return word if named == {family} and word != NONE else ""


def _label(catalog: Catalog, which: str, value: str | int | None) -> Text | str:
    if value is None:
        return Text(id="settings.none")
    if which == "model":
        return catalog.label(str(value))
    if value == DRAFT:
        return Text(id="choice.draft")
    if which == "seconds":
        auto = value == AUTO
        return Text(id="settings.auto" if auto else "choice.seconds", values={"seconds": value})
    return str(value)


def _switch(*, on: bool) -> Text:
    return Text(id="settings.on" if on else "settings.off")
