"""The keys of files in the JSON of rows, by their plain names: earlier versions wrote fewer."""

from collections.abc import Iterator, Mapping
from typing import Any


def of_video(video: Mapping[str, Any] | None) -> Iterator[str]:
    """All that is stored of it."""
    if video:
        converted = video.get("converted") or {}
        yield from filter(None, (video["key"], video.get("thumbnail"), converted.get("key")))


def sizes_of(video: Mapping[str, Any] | None) -> Iterator[tuple[str, int | None]]:
    """The same with the bytes of each, where they are known."""
    if video:
        converted = video.get("converted") or {}
        sizes = {video["key"]: video["size"], converted.get("key"): converted.get("size")}
        yield from ((key, sizes.get(key)) for key in of_video(video))


def size_of(video: Mapping[str, Any]) -> int:
    """Bytes, but for its still."""
    return int(video["size"]) + int((video.get("converted") or {}).get("size", 0))


def last_of(order: Mapping[str, Any]) -> Iterator[str]:
    """The videos from whose last moments it goes on."""
    for picture in order.get("pictures") or ():
        if picture.get("last_of"):
            yield picture["last_of"]


def of_order(order: Mapping[str, Any], *, own: bool = False) -> Iterator[str]:
    """Its pictures and its sound; with `own` without those of others that it begins from."""
    names = ("key", "whole") if own else ("key", "whole", "copy_of", "last_of")
    for picture in order.get("pictures") or ():
        yield from (picture[name] for name in names if picture.get(name))
    sound = order.get("sound") or {}
    if sound.get("key"):
        yield sound["key"]
