"""Presets: words to ask with, for people who have a picture and none, under names to choose by."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.errors import Refused
from bot.core.orders import Order
from bot.core.prompts import clean, spelt


@dataclass(frozen=True, slots=True)
class Preset:
    """`label` is what people choose by."""

    label: str
    prompt: str


Presets = Mapping[str, Preset]
"""By their ids. The first goes with a picture when the person wrote nothing."""


def preset_of(typed: str, presets: Presets) -> str | None:
    """The id of the preset of that id or label; else of the only one that begins so."""
    wanted = spelt(typed)
    names = {id_: {spelt(id_), spelt(each.label)} for id_, each in presets.items()}
    exact = [id_ for id_, each in names.items() if wanted in each]
    begun = [id_ for id_, each in names.items() if any(n.startswith(wanted) for n in each)]
    return exact[0] if exact else begun[0] if wanted and len(begun) == 1 else None


@dataclass(frozen=True, slots=True)
class Words:
    """All that is asked for in words: a preset's first, then the person's own."""

    own: str
    preset: str | None = None
    """Its id."""
    stock: str = ""
    """The words of the preset."""

    @property
    def prompt(self) -> str:
        return f"{self.stock} {self.own}".strip()


def words_of(order: Order, presets: Presets) -> Words:
    """The words of its preset, and its own; `Refused` where there are none."""
    own, name = clean(order.wish.prompt), None
    if order.wish.preset is not None:
        name = preset_of(order.wish.preset, presets)
        if name is None:
            can = ", ".join(dict.fromkeys(preset.label for preset in presets.values()))
            raise Refused("preset_unknown", preset=order.wish.preset, can=can)
    elif order.pictures and not own:
        name = next(iter(presets), None)
    words = Words(own, name, presets[name].prompt if name is not None else "")
    if not words.prompt:
        raise Refused("prompt_missing")
    return words
