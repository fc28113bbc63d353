"""A wish on the command line, and the files that it names, as the catalogue takes them."""

import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from bot.core.errors import Refused
from bot.core.orders import (
    PICTURE_BYTES,
    SWITCHES,
    Address,
    Order,
    Person,
    Picture,
    Sound,
    shaping_of,
)
from bot.media.pictures import MOST_PIXELS

_LYING = (5, 6, 7, 8)
"""EXIF orientations of pictures whose sides change places."""


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
        pictures=tuple(_picture(path) for path in wish.pictures),
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
        with warnings.catch_warnings():
            # Pillow warns of what it takes for a bomb, and at twice that size it refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG", "JPEG", "WEBP", "GIF"]) as image:
                width, height = _upright(image)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(path) from error
    except OSError as error:
        if error.strerror:  # about the file; what Pillow says of its content has none
            raise Refused("file_unusable", file=str(path), why=error.strerror) from error
        raise Refused("picture_unreadable", file=str(path)) from error
    if width * height > MOST_PIXELS:
        raise _too_many_pixels(path)
    if size > PICTURE_BYTES:
        raise Refused("picture_too_large", megabytes=size / 1e6)
    return Picture(source=str(path), filename=path.name, size=size, width=width, height=height)


def _sound(path: Path) -> Sound:
    """Of unknown length: what it holds is for the studio to find out."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Refused("sound_unreadable", file=str(path), why=error.strerror) from error
    return Sound(source=str(path), filename=path.name, size=size)


def _too_many_pixels(path: Path) -> Refused:
    return Refused("picture_too_many_pixels", file=str(path), most=MOST_PIXELS // 1_000_000)


def _upright(image: Image.Image) -> tuple[int, int]:
    """Width and height as people see it."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except (LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error):
        orientation = None  # a broken EXIF block is no reason to refuse good pixels
    width, height = image.size
    return (height, width) if orientation in _LYING else (width, height)
