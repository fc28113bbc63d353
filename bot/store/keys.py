"""The storage keys of files in the JSON of rows.

The JSON is read without the core's types, since earlier versions wrote fewer fields.
"""

from collections.abc import Iterator, Mapping
from typing import Any


def of_video(video: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the keys of all files of a video: the video, its thumbnail, and its original."""
    if video:
        converted = video.get("converted") or {}
        yield from filter(None, (video["key"], video.get("thumbnail"), converted.get("key")))


def sizes_of(video: Mapping[str, Any] | None) -> Iterator[tuple[str, int | None]]:
    """Yield the keys of all files of a video, each with its size in bytes, or None if unknown."""
    if video:
        converted = video.get("converted") or {}
        sizes = {video["key"]: video["size"], converted.get("key"): converted.get("size")}
        yield from ((key, sizes.get(key)) for key in of_video(video))


def size_of(video: Mapping[str, Any]) -> int:
    """Return the size of a video and its original in bytes, without the thumbnail."""
    return int(video["size"]) + int((video.get("converted") or {}).get("size", 0))


def last_of(order: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of videos that the order continues, or changes."""
    for picture in order.get("pictures") or ():
        if picture.get("last_of"):
            yield picture["last_of"]
    if (order.get("video") or {}).get("video_of"):
        yield order["video"]["video_of"]


def of_order(order: Mapping[str, Any], *, own: bool = False) -> Iterator[str]:
    """Yield the keys of an order's files.

    `own`: without files of other jobs that the order begins from.
    """
    names = ("key", "whole") if own else ("key", "whole", "copy_of", "last_of")
    for picture in order.get("pictures") or ():
        yield from (picture[name] for name in names if picture.get(name))
    video, sound = order.get("video") or {}, order.get("sound") or {}
    if not own and video.get("video_of"):
        yield video["video_of"]
    yield from (each["key"] for each in (video, sound) if each.get("key"))
