"""A wish on the command line, and the files that it names, as the catalog takes them."""

from collections.abc import Sequence
from pathlib import Path

from bot.core.errors import PictureFormat, Refused, in_turn
from bot.core.orders import Address, Call, Order, Person, Picture, Sound, check_picture
from bot.core.wishes import Wish
from bot.media.decoding import upright_size

CALL = Call(
    event_id="terminal",
    address=Address(platform="terminal", channel="terminal"),
    person=Person(id="operator", name="operator"),
    locale="en",
)


def order_for(wish: Wish, pictures: Sequence[Path] = (), sound: Path | None = None) -> Order:
    """The order as the catalog takes it. Raises `Refused` for a file that can't be taken."""
    return Order(
        call=CALL,
        wish=wish,
        pictures=tuple(in_turn(_picture, pictures)),
        sound=_sound(sound) if sound else None,
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
