"""A wish: all that a person can say of a video, whichever door they come by.

A door (Discord, Telegram, the room, the command line) fills it by one table, `OPTIONS`; the
catalog answers it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from bot.core.errors import Refused


class Extra(StrEnum):
    """A wish that only some models take; the least missed first."""

    SEED = "seed"
    NEGATIVE_PROMPT = "negative_prompt"
    PROMPT_EXTEND = "prompt_extend"
    """Whether the vendor may write more words than the person did."""
    WATERMARK = "watermark"
    AUDIO = "audio"


ASPECTS: Mapping[str, float] = {
    f"{wide}:{high}": wide / high
    for wide, high in ((16, 9), (9, 16), (1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (21, 9))
}
"""The words people see → width over height."""
_SIDES = {f"{side}p": side for side in (360, 480, 512, 540, 720, 768, 1080)}
QUALITIES: Mapping[str, int] = {**_SIDES, "2k": 1440, "4k": 2160}
"""The words people see → the short side in pixels, from small to large."""
DRAFT = "draft"
"""In place of a quality: the smallest and cheapest that there is."""

ON_OFF: Mapping[bool, str] = {True: "on", False: "off"}
"""How people write what a switch is."""
_POSITIONS = {word: on for on, word in ON_OFF.items()} | {"yes": True, "no": False}

AUTO = -1
"""In place of a number of seconds: the model chooses, and the longest is what counts."""
AUTO_WORD = "auto"
"""How people write it."""


class Shaping(StrEnum):
    """How a picture gets another shape."""

    CROP = "crop"
    """The overhang is cut off."""
    PAD = "pad"
    """All of it stays, between black bars."""


def shaping_of(word: str) -> Shaping:
    """A shaping as typed. Raises `Refused("fit_unknown")`."""
    try:
        return Shaping(word.casefold())
    except ValueError:
        raise Refused("fit_unknown", wanted=word, can=", ".join(Shaping)) from None


_LENGTH = re.compile(r"(\d{1,9})\s*(?:s|secs?|seconds?)?")
_SEED = re.compile(r"[+-]?\d{1,18}")
"""Digits are few: Python refuses to read numbers of thousands."""
PAIR = re.compile(r"(\d{1,9})\s*[:：xX×*/∶]\s*(\d{1,9})")
"""A shape in any spelling."""


def length_of(word: str) -> int:
    """Seconds, or `AUTO`, as somebody typed them. Raises `Refused("seconds_unreadable")`."""
    told = word.strip().casefold()
    if told == AUTO_WORD:
        return AUTO
    found = _LENGTH.fullmatch(told)
    if found is None:
        raise Refused("seconds_unreadable", wanted=word)
    return int(found[1])


def aspect_of(word: str) -> str:
    """`16×9` and `16：9` are `16:9`; what is no such pair stays as it is."""
    found = PAIR.fullmatch(word.strip())
    return f"{int(found[1])}:{int(found[2])}" if found else word


def quality_of(word: str) -> str:
    """`720 p` is `720p`."""
    return "".join(word.split())


def seed_of(word: str) -> int:
    """A seed as typed. Raises `Refused("seed_unreadable")`."""
    if not _SEED.fullmatch(word.strip()):
        raise Refused("seed_unreadable", wanted=word)
    return int(word)


def switch_of(word: str) -> bool:
    """Whether somebody typed *on* or *off*. Raises `Refused("switch_unreadable")`."""
    try:
        return _POSITIONS[word.strip().casefold()]
    except KeyError:
        raise Refused("switch_unreadable", wanted=word) from None


Choice = str | int | bool | None
"""The value of any field of a wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Words and choices for one video; None leaves one to the catalog and the model."""

    prompt: str = ""
    family: str | None = None
    seconds: int | None = None
    """`AUTO` leaves the length to the model."""
    aspect: str | None = None
    quality: str | None = None
    preset: str | None = None
    """Id of words to ask with, put before the person's own."""
    fit: Shaping | None = None
    """How pictures get the shape they need."""
    negative_prompt: str = ""
    """Things not to be shown."""
    seed: int | None = None
    audio: bool | None = None
    """Whether the video should have sound."""
    prompt_extend: bool | None = None
    """Whether the vendor may add words of its own."""
    watermark: bool | None = None

    @property
    def chosen(self) -> dict[str, Choice]:
        """All that it asks for besides its words, by fields."""
        values = ((each.name, getattr(self, each.name)) for each in fields(self)[1:])
        return {name: value for name, value in values if value not in (None, "")}

    @property
    def words(self) -> dict[str, str]:
        """All that its person wrote at length, by fields."""
        return {name: getattr(self, name) for name in WORDS}

    def having(self, **chosen: Choice) -> "Wish":
        """The same with other values of these fields."""
        return replace(self, **chosen)  # type: ignore[arg-type]  # each field has a type of its own

    def without(self, names: Iterable[str]) -> "Wish":
        """The same that leaves these fields open."""
        return self.having(**{name: getattr(_OPEN, name) for name in names})


_OPEN = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice that every door offers. Its sentence is `option.NAME`."""

    field: str
    """The field of a `Wish` that it fills."""
    read: Callable[[str], Choice] = str
    """From what people type to the value. Raises `Refused`."""
    is_number: bool = False
    words: tuple[str, ...] = ()
    """All that can be typed, where that is always the same."""
    most: int | None = None
    """Characters, where people write at length."""


def _switch(extra: Extra) -> Option:
    return Option(field=extra, read=switch_of, words=tuple(ON_OFF.values()))


OPTIONS: Mapping[str, Option] = {
    "model": Option(field="family"),
    "seconds": Option(field="seconds", read=length_of, is_number=True),
    "aspect": Option(field="aspect", read=aspect_of, words=tuple(ASPECTS)),
    "quality": Option(field="quality", read=quality_of, words=(DRAFT, *QUALITIES)),
    "preset": Option(field="preset"),
    "fit": Option(field="fit", read=shaping_of, words=tuple(Shaping)),
    "negative": Option(field="negative_prompt", most=1000),
    "seed": Option(field="seed", read=seed_of, is_number=True),
    # To gateways it is `audio`; to people that is a file which they bring.
    "sound": _switch(Extra.AUDIO),
    "enhance": _switch(Extra.PROMPT_EXTEND),
    "watermark": _switch(Extra.WATERMARK),
}
"""By the names that people know, in the order in which they are shown."""
WORDS = ("prompt", *(option.field for option in OPTIONS.values() if option.most))
"""The fields that hold people's own words: they are shown and removed as such."""
SWITCHES: Mapping[str, Extra] = {
    name: Extra(option.field) for name, option in OPTIONS.items() if option.read is switch_of
}
"""Those that are on or off, and the field of each."""


def wish_of(prompt: str = "", **given: Choice) -> Wish:
    """The wish of these options, typed or read already; None is no choice. Raises `Refused`."""
    wish = Wish(prompt=prompt)
    for name, value in given.items():
        option = OPTIONS[name]
        if value is not None:
            read = option.read(value) if isinstance(value, str) else value
            wish = wish.having(**{option.field: read})
    return wish
