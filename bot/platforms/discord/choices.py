"""What can be chosen while a command is filled in: pure functions over the catalogue.

They only suggest. What is typed nevertheless is judged by the catalogue itself.
"""

from collections.abc import Iterable
from typing import TypeVar

from discord import SelectOption
from discord.app_commands import Choice

from bot import i18n
from bot.core.catalog import ASPECTS, QUALITIES, Catalog, Model
from bot.core.orders import Kind
from bot.core.replies import Text

MOST = 25
MOST_NAME = 100
"""Discord's limits: choices, and characters of one."""

Value = TypeVar("Value", str, int)


def models(catalog: Catalog, kind: Kind, *, family: str | None = None) -> list[Model]:
    """The models that make a video from that, of one family if it is known."""
    able = [model for model in catalog.models if kind in model.kinds]
    wanted = (family or "").casefold()
    named = [model for model in able if wanted in (model.family.casefold(), model.label.casefold())]
    return named or able


def families(catalog: Catalog, kind: Kind, typed: str = "") -> list[Choice[str]]:
    """By label; the value is the family's id."""
    found = {model.family: model.label for model in models(catalog, kind)}
    choices = [Choice(name=label[:MOST_NAME], value=family) for family, label in found.items()]
    return _fitting(choices, typed)


def seconds(able: Iterable[Model], typed: str, locale: str) -> list[Choice[int]]:
    """Every length that one of these models makes."""
    lengths = sorted({length for model in able for length in model.seconds})
    choices = [Choice(name=_seconds(length, locale), value=length) for length in lengths]
    return _fitting(choices, typed)


def aspects(able: Iterable[Model], typed: str) -> list[Choice[str]]:
    """Every shape that one of these models makes."""
    known = {aspect for model in able for aspect in model.aspects}
    return _fitting([Choice(name=each, value=each) for each in ASPECTS if each in known], typed)


def qualities(able: Iterable[Model], typed: str) -> list[Choice[str]]:
    """Every quality that one of these models makes."""
    known = {quality for model in able for quality in model.sizes}
    return _fitting([Choice(name=each, value=each) for each in QUALITIES if each in known], typed)


def options(choices: Iterable[Choice[str]] | Iterable[Choice[int]]) -> list[SelectOption]:
    """The same choices for a menu."""
    return [SelectOption(label=choice.name, value=str(choice.value)) for choice in choices]


def _fitting(choices: list[Choice[Value]], typed: str) -> list[Choice[Value]]:
    wanted = typed.strip().casefold()
    return [choice for choice in choices if wanted in choice.name.casefold()][:MOST]


def _seconds(length: int, locale: str) -> str:
    return i18n.say(Text(id="choice.seconds", values={"seconds": length}), locale)
