"""A wish: all that a person can choose for a video.

Each way to order (Discord, Telegram, the room, the command line) fills a wish by one table,
`OPTIONS`. The catalog turns a wish into a request.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from bot.core.errors import Refused


class Extra(StrEnum):
    """A field that only some models support; the least important first."""

    SEED = "seed"
    NEGATIVE_PROMPT = "negative_prompt"
    PROMPT_EXTEND = "prompt_extend"
    """Whether the vendor may extend the person's prompt."""
    WATERMARK = "watermark"
    AUDIO = "audio"


ASPECTS: Mapping[str, float] = {
    f"{wide}:{high}": wide / high
    for wide, high in ((16, 9), (9, 16), (1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (21, 9))
}
"""Aspect ratios: the text that people see → width over height."""
_SIDES = {f"{side}p": side for side in (360, 480, 512, 540, 720, 768, 1080)}
QUALITIES: Mapping[str, int] = {**_SIDES, "2k": 1440, "4k": 2160}
"""Qualities, from small to large: the text that people see → the short side in pixels."""
DRAFT = "draft"
"""A value of `Wish.quality`: the smallest and cheapest quality of the model."""

ON_OFF: Mapping[bool, str] = {True: "on", False: "off"}
"""How people write the state of a switch."""
_POSITIONS = {word: on for on, word in ON_OFF.items()} | {"yes": True, "no": False}

AUTO = -1
"""A value of `Wish.seconds`: the model chooses the length, and its longest one counts."""
AUTO_WORD = "auto"
"""How people write `AUTO`."""


class Shaping(StrEnum):
    """How a picture is changed to another aspect ratio."""

    CROP = "crop"
    """The parts beyond the new shape are cut off."""
    PAD = "pad"
    """The whole picture stays, between black bars."""


def shaping_of(word: str) -> Shaping:
    """Return the shaping that a person typed. Raises `Refused("fit_unknown")`."""
    try:
        return Shaping(word.casefold())
    except ValueError:
        raise Refused("fit_unknown", wanted=word, can=tuple(Shaping)) from None


class Use(StrEnum):
    """The purpose of an order's files."""

    FRAMES = "frames"
    """The first picture begins the video, and a second one ends it."""
    CHARACTER = "character"
    """The video keeps the people and things in the pictures."""
    EDIT = "edit"
    """The prompt changes a video."""
    EXTEND = "extend"
    """The new video goes on from the end of a video."""


def use_of(word: str) -> Use:
    """Return the use of files that a person typed. Raises `Refused("use_unknown")`."""
    try:
        return Use(word.casefold())
    except ValueError:
        raise Refused("use_unknown", wanted=word, can=tuple(Use)) from None


_LENGTH = re.compile(r"(\d{1,9})\s*(?:s|secs?|seconds?)?")
_SEED = re.compile(r"[+-]?\d{1,18}")
"""A seed has few digits, because Python refuses to parse numbers with thousands of digits."""
PAIR = re.compile(r"(\d{1,9})\s*[:：xX×*/∶]\s*(\d{1,9})")
"""An aspect ratio in any spelling."""


def length_of(word: str) -> int:
    """Return the seconds that a person typed, or `AUTO`.

    Raises `Refused("seconds_unreadable")`.
    """
    lowered = word.strip().casefold()
    if lowered == AUTO_WORD:
        return AUTO
    found = _LENGTH.fullmatch(lowered)
    if found is None:
        raise Refused("seconds_unreadable", wanted=word)
    return int(found[1])


def aspect_of(word: str) -> str:
    """Return `16:9` for `16×9` or `16：9`. Any text that is not such a pair stays as it is."""
    found = PAIR.fullmatch(word.strip())
    return f"{int(found[1])}:{int(found[2])}" if found else word


def quality_of(word: str) -> str:
    """Return a quality as typed, without its spaces: `720p` for `720 p`."""
    return "".join(word.split())


def seed_of(word: str) -> int:
    """Return the seed that a person typed. Raises `Refused("seed_unreadable")`."""
    if not _SEED.fullmatch(word.strip()):
        raise Refused("seed_unreadable", wanted=word)
    return int(word)


def switch_of(word: str) -> bool:
    """True for *on* or *yes*, False for *off* or *no*. Raises `Refused("switch_unreadable")`."""
    try:
        return _POSITIONS[word.strip().casefold()]
    except KeyError:
        raise Refused("switch_unreadable", wanted=word) from None


Choice = str | int | bool | None
"""The type of any field of a wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The prompt and choices for one video. None leaves a field to the catalog and the model."""

    prompt: str = ""
    family: str | None = None
    seconds: int | None = None
    """`AUTO` leaves the length to the model."""
    aspect: str | None = None
    quality: str | None = None
    preset: str | None = None
    """Id of a preset, whose text is put before the person's prompt."""
    fit: Shaping | None = None
    """How pictures are changed to the shape that the model needs."""
    negative_prompt: str = ""
    """A description of things that the video must not show."""
    seed: int | None = None
    audio: bool | None = None
    """Whether the video should have sound."""
    prompt_extend: bool | None = None
    """Whether the vendor may extend the prompt."""
    watermark: bool | None = None
    use: Use | None = None
    """The purpose of the order's files; None: their kinds and their number decide."""

    @property
    def chosen(self) -> dict[str, Choice]:
        """Return the chosen values except the prompt, by field name."""
        values = ((each.name, getattr(self, each.name)) for each in fields(self)[1:])
        return {name: value for name, value in values if value not in (None, "")}

    @property
    def words(self) -> dict[str, str]:
        """Return the fields with the person's own text, by field name."""
        return {name: getattr(self, name) for name in WORDS}

    def having(self, **chosen: Choice) -> "Wish":
        """Return this wish with other values for these fields."""
        return replace(self, **chosen)  # type: ignore[arg-type]  # each field has a type of its own

    def without(self, names: Iterable[str]) -> "Wish":
        """Return this wish with these fields left open."""
        return self.having(**{name: getattr(_OPEN, name) for name in names})


_OPEN = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice that every way to order offers. The id of its description is `option.NAME`."""

    field: str
    """The field of `Wish` that this option fills."""
    read: Callable[[str], Choice] = str
    """Parses the text that a person typed. Raises `Refused`."""
    is_number: bool = False
    words: tuple[str, ...] = ()
    """All texts that can be typed, if they are always the same."""
    most: int | None = None
    """The most characters, if the option is free text."""


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
    # Gateways call this field `audio`. People would take that word for a file that they send.
    "sound": _switch(Extra.AUDIO),
    "enhance": _switch(Extra.PROMPT_EXTEND),
    "watermark": _switch(Extra.WATERMARK),
    "use": Option(field="use", read=use_of, words=tuple(Use)),
}
"""All options by the names that people see, in display order."""
WORDS = ("prompt", *(option.field for option in OPTIONS.values() if option.most))
"""The fields of a wish that hold text of people. Sweeps empty them in the rows of old jobs."""
SWITCHES: Mapping[str, Extra] = {
    name: Extra(option.field) for name, option in OPTIONS.items() if option.read is switch_of
}
"""The options that are on or off: name → field."""


def wish_of(prompt: str = "", **given: Choice) -> Wish:
    """Return the wish for these options: typed text or parsed values; None chooses nothing.

    Raises `Refused`.
    """
    wish = Wish(prompt=prompt)
    for name, value in given.items():
        option = OPTIONS[name]
        if value is not None:
            read = option.read(value) if isinstance(value, str) else value
            wish = wish.having(**{option.field: read})
    return wish
