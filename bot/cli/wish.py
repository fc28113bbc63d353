"""A wish on the command line, and the files that it names, as the catalogue takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.core.errors import PictureFormat, Refused, in_turn
from bot.core.orders import (
    SWITCHES,
    Address,
    Order,
    Person,
    Picture,
    Sound,
    check_picture,
    shaping_of,
)
from bot.media.decoding import upright_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One order from the command line."""

    prompt: str
    pictures: tuple[Path, ...] = ()
    sound: Path | None = None
    family: str | None = None
    seconds: int | None = None
    aspect: str | None = None
    quality: str | None = None
    fit: str | None = None
    preset: str | None = None
    negative: str = ""
    seed: int | None = None
    switches: Mapping[str, bool | None] = field(default_factory=dict)
    """By their words; None leaves one to the model."""


def order_for(wish: Wish) -> Order:
    """The wish as the catalogue takes it. Raises `Refused` for a file that can't be taken."""
    switched: dict[str, Any] = {SWITCHES[word]: on for word, on in wish.switches.items()}
    return Order(
        event_id="terminal",
        address=Address(platform="terminal", channel="terminal"),
        person=Person(id="operator", name="operator"),
        locale="en",
        prompt=wish.prompt,
        pictures=tuple(in_turn(_picture, wish.pictures)),
        sound=_sound(wish.sound) if wish.sound else None,
        family=wish.family,
        # A sound decides itself, once it is measured.
        seconds=None if wish.sound else wish.seconds,
        aspect=wish.aspect,
        quality=wish.quality,
        fit=shaping_of(wish.fit) if wish.fit else None,
        preset=wish.preset,
        negative_prompt=wish.negative,
        seed=wish.seed,
        **switched,
    )


def _picture(path: Path) -> Picture:
    try:
        size = path.stat().st_size
        check_picture(size, None, None)
        with path.open("rb"):
            pass  # the decoder does not tell a file that can't be read from one that is damaged
        width, height = upright_size(path)
    except OSError as error:
        raise Refused("file_unusable", file=str(path), why=error.strerror) from error
    except PictureFormat as refused:
        raise Refused("picture_unreadable", file=str(path)) from refused
    return Picture(source=str(path), filename=path.name, size=size, width=width, height=height)


def _sound(path: Path) -> Sound:
    """Of unknown length: what it holds is for the studio to find out."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Refused("sound_unreadable", file=str(path), why=error.strerror) from error
    return Sound(source=str(path), filename=path.name, size=size)
