"""The rules for the files of an order: all files are used, or the order is refused.

An ignored file would be missing in a paid video. Files are read in the order in which they were
sent, so files of the replied-to message come first: of two pictures, the video begins with the
earlier.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from bot.core.errors import Refused, about
from bot.core.orders import ANYBODY, Clip, Given, Person, Picture, Sound

_BESIDE = {"no_picture": "file_unused", "no_sound": "file_unused", "moves_already": "video_unused"}
"""Codes for a refused single file, with the codes for one of several files."""


def parted(given: Iterable[Given]) -> tuple[tuple[Picture, ...], Clip | None, Sound | None]:
    """Return the pictures, the video and the sound. Raises `Refused` for several of the latter."""
    files = tuple(given)
    sounds = [each for each in files if isinstance(each, Sound)]
    if len(sounds) > 1:
        raise Refused("too_many_sounds", count=len(sounds))
    videos = [each for each in files if isinstance(each, Clip)]
    if len(videos) > 1:
        raise Refused("too_many_videos", count=len(videos))
    pictures = tuple(each for each in files if isinstance(each, Picture))
    return pictures, (videos[0] if videos else None), (sounds[0] if sounds else None)


@contextmanager
def one_of(number: int, of: int) -> Iterator[None]:
    """Record in a refusal raised in the context that it is about file `number` of `of`."""
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
    """Raise `Refused` if another or an unknown person sent the file."""
    if given.author not in (person.id, ANYBODY):
        if isinstance(given, Sound):
            raise Refused("not_your_sound")
        if isinstance(given, Clip):
            raise Refused("video_owner_unknown" if given.author is None else "not_your_video")
        raise Refused("picture_owner_unknown" if given.author is None else "not_your_picture")


@contextmanager
def beside(own: Sequence[Given]) -> Iterator[None]:
    """Mark refusals inside as about the replied-to message, which may not be meant if the
    person's message has files of its `own`."""
    try:
        yield
    except Refused as refused:
        refused.in_reply = bool(own)
        raise
