"""Presets: ready prompts under short names, for people who have a picture but no prompt."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.errors import PromptMissing, Refused
from bot.core.kinds import kind_of
from bot.core.orders import Kind, Order
from bot.core.prompts import clean, spelt

ONWARD = "The scene goes on naturally, in the same style."
"""The prompt of an order that goes on from a video without a prompt."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A ready prompt. `label` is its name for people."""

    label: str
    prompt: str


Presets = Mapping[str, Preset]
"""Presets by id. The first one is used for a picture that comes without a prompt."""


def preset_of(typed: str, presets: Presets) -> str | None:
    """Return the id of the preset with this id or label, or of the only one that begins with it.

    Returns None if there is no such preset.
    """
    wanted = spelt(typed)
    names = {id_: {spelt(id_), spelt(each.label)} for id_, each in presets.items()}
    exact = [id_ for id_, each in names.items() if wanted in each]
    begun = [id_ for id_, each in names.items() if any(n.startswith(wanted) for n in each)]
    return exact[0] if exact else begun[0] if wanted and len(begun) == 1 else None


@dataclass(frozen=True, slots=True)
class Words:
    """The text of an order: a preset's prompt and the person's own prompt."""

    own: str
    preset: str | None = None
    """The preset's id."""
    stock: str = ""
    """The preset's prompt."""

    @property
    def prompt(self) -> str:
        """The preset's prompt, followed by the person's own prompt."""
        return f"{self.stock} {self.own}".strip()


def words_of(order: Order, presets: Presets) -> Words:
    """Return the text of an order.

    Raises `Refused` if the preset is unknown, or if there is neither a preset nor a prompt.
    """
    own, name = clean(order.wish.prompt), None
    if order.wish.preset is not None:
        name = preset_of(order.wish.preset, presets)
        if name is None:
            can = tuple(dict.fromkeys(preset.label for preset in presets.values()))
            raise Refused("preset_unknown", preset=order.wish.preset, can=can)
    elif order.pictures and not own and kind_of(order) is not Kind.REFERENCES:
        name = next(iter(presets), None)
    words = Words(own, name, presets[name].prompt if name is not None else "")
    if words.prompt:
        return words
    if order.video is not None and kind_of(order) is Kind.EXTEND:
        return Words("", stock=ONWARD)
    raise PromptMissing()
