"""The rule for files that come along with a wish: all of them are used, or nothing is made.

A file that is passed over would be missing in a video that is paid. Files are read in the order in
which they were sent, so those of a message come after those of the one that it replies to: of two
pictures the video begins with the earlier one.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from bot.core.errors import Refused, about
from bot.core.orders import ANYBODY, Person, Picture, Sound

Given = Picture | Sound

_BESIDE = {"no_picture": "file_unused", "no_sound": "file_unused", "moves_already": "video_unused"}
"""Refusals of a file that stands alone, and the same of one of several: the others may go."""


def parted(given: Iterable[Given]) -> tuple[tuple[Picture, ...], Sound | None]:
    """The pictures and the sound. Raises `Refused` for several sounds."""
    files = tuple(given)
    sounds = [each for each in files if isinstance(each, Sound)]
    if len(sounds) > 1:
        raise Refused("too_many_sounds", count=len(sounds))
    pictures = tuple(each for each in files if isinstance(each, Picture))
    return pictures, (sounds[0] if sounds else None)


@contextmanager
def one_of(number: int, of: int) -> Iterator[None]:
    """Refusals within are about one of several files."""
    try:
        with about(number, of):
            yield
    except Refused as refused:
        code = _BESIDE.get(refused.code) if of > 1 else None
        if code is None:
            raise
        beside = Refused(code, **refused.values)
        beside.which, beside.in_reply = refused.which, refused.in_reply
        raise beside from refused


def check_author(given: Given, person: Person) -> None:
    """Raise `Refused` for what somebody else gave, or nobody knows who."""
    if given.author not in (person.id, ANYBODY):
        if isinstance(given, Sound):
            raise Refused("not_your_sound")
        raise Refused("picture_owner_unknown" if given.author is None else "not_your_picture")


@contextmanager
def beside(own: Sequence[Given]) -> Iterator[None]:
    """Refusals within are about the message replied to; with `own` files it may not be meant."""
    try:
        yield
    except Refused as refused:
        refused.in_reply = bool(own)
        raise
