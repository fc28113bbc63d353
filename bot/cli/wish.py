"""Turn a wish and its files, as given on the command line, into an order."""

from collections.abc import Sequence
from pathlib import Path

from bot.core.errors import PictureFormat, Refused, in_turn
from bot.core.orders import Address, Call, Clip, Order, Person, Picture, Sound, check_picture
from bot.core.wishes import Wish
from bot.media.decoding import upright_size

CALL = Call(
    event_id="terminal",
    address=Address(platform="terminal", channel="terminal"),
    person=Person(id="operator", name="operator"),
    locale="en",
)


def order_for(
    wish: Wish,
    pictures: Sequence[Path] = (),
    sound: Path | None = None,
    video: Path | None = None,
) -> Order:
    """Return the order of this wish and files. Raises `Refused` for an unusable file."""
    return Order(
        call=CALL,
        wish=wish,
        pictures=tuple(in_turn(_picture, pictures)),
        sound=_sound(sound) if sound else None,
        video=_video(video) if video else None,
    )


def _picture(path: Path) -> Picture:
    try:
        size = path.stat().st_size
        check_picture(size, None, None)
        with path.open("rb"):
            pass  # raises OSError; the decoder would call an unreadable file damaged
        width, height = upright_size(path)
    except FileNotFoundError as error:
        raise Refused("file_absent", file=str(path)) from error
    except OSError as error:
        raise Refused("file_unusable", file=str(path), why=error.strerror) from error
    except PictureFormat as refused:
        raise Refused("picture_unreadable", file=str(path)) from refused
    return Picture(source=str(path), filename=path.name, size=size, width=width, height=height)


def _sound(path: Path) -> Sound:
    """Return the sound without its length, which the studio measures later."""
    return Sound(source=str(path), filename=path.name, size=_size(path, "sound_unreadable"))


def _video(path: Path) -> Clip:
    """Return the video without its length, which the studio measures later."""
    return Clip(source=str(path), filename=path.name, size=_size(path, "video_unreadable"))


def _size(path: Path, unreadable: str) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError as error:
        raise Refused("file_absent", file=str(path)) from error
    except OSError as error:
        raise Refused.of(unreadable, file=str(path), why=error.strerror) from error
