"""A made video on its way to us: where it is, and a copy that can be kept.

The service and `zoetrope generate` share it, so that both judge the same file the same.
"""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.core.errors import BotError, Broken, NotAVideo, Temporary, VideoDamaged, VideoTruncated
from bot.core.jobs import UNNAMED, Reason, Video
from bot.core.outcomes import (
    Accepted,
    Done,
    Fetch,
    Fetched,
    Locked,
    Missing,
    Polled,
    Trouble,
    Unusable,
)
from bot.core.ports import Gateway, Media

_STORED = "stored:"
"""How a source begins that is no address: a video that came as the answer and is in our storage."""
MOST_SOURCES = 4
"""Links that are asked besides our own address; each may take a quarter of an hour."""


async def receive(media: Media, video: Path, *, name: str) -> Accepted:
    """Keep a video that came as the answer, for the steps that follow. Raises `Temporary`."""
    return _accepted(await media.receive(video, name))


async def received(media: Media, name: str) -> Accepted | None:
    """The video that came as the answer to a POST of which nobody wrote the end down.

    Raises `Temporary`.
    """
    key = await media.received(name)
    return None if key is None else _accepted(key)


def _accepted(key: str) -> Accepted:
    return Accepted(UNNAMED, (f"{_STORED}{key}",))


def received_in(sources: Sequence[str]) -> list[str]:
    """The keys of videos that came as the answer."""
    return [each.removeprefix(_STORED) for each in sources if each.startswith(_STORED)]


async def poll(gateway: Gateway, gateway_id: str, sources: Sequence[str], *, prompt: str) -> Polled:
    """Ask for the job once; `sources` are links to a video that was made at once.

    It is there whether or not the gateway knows an id of it.
    """
    if gateway_id == UNNAMED:
        return Done(tuple(sources))
    return beside(sources, await gateway.retrieve(gateway_id, prompt=prompt))


def beside(sources: Sequence[str], seen: Polled) -> Polled:
    """A look at a job with links from when it was ordered."""
    if sources and isinstance(seen, Missing):
        return Done(tuple(sources))
    if isinstance(seen, Done):
        return replace(seen, sources=tuple(dict.fromkeys((*seen.sources, *sources))))
    return seen


async def fetch_video(
    gateway: Gateway, media: Media, gateway_id: str, sources: Sequence[str], *, prompt: str
) -> Video | Locked | Trouble | Unusable:
    """Fetch it and keep the first copy that plays: by our own id, else from what it named.

    Our own address says best why there is none; a link may be closed to us alone.
    """
    own = [] if gateway_id == UNNAMED else [None]
    why: Locked | Trouble | Unusable = Trouble("no link")
    async with media.scratch() as directory:
        for number, address in enumerate((*own, *sources[:MOST_SOURCES])):
            file = directory / "download"
            if kept := received_in([address or ""]):
                fetch = await _copy_of(media, kept[0], file)
            else:
                fetch = await gateway.content(gateway_id, address, file, prompt=prompt)
            got, is_final = await _judged(fetch, media, file)
            if isinstance(got, Video) or is_final:
                return got
            if number == 0 or not own:
                why = got
    return why


async def _copy_of(media: Media, key: str, into: Path) -> Fetch:
    """A copy of what was received: it is to be changed, and tried again if need be."""
    try:
        async with media.file(key) as kept:
            return Fetched(await asyncio.to_thread(_copied, kept, into))
    except (Temporary, OSError) as ours:
        return Trouble(type(ours).__name__)
    except Broken as broken:
        return Unusable(Reason.CONTENT_GONE, broken.code)


def _copied(source: Path, into: Path) -> int:
    """The bytes of the copy."""
    return shutil.copyfile(source, into).stat().st_size


async def _judged(
    fetch: Fetch, media: Media, file: Path
) -> tuple[Video | Locked | Trouble | Unusable, bool]:
    """The video if it can be kept, else why not; and whether other addresses can't help."""
    if not isinstance(fetch, Fetched):
        # Then it is so wherever it lies: it is not fetched twice.
        is_too_large = isinstance(fetch, Unusable) and fetch.reason is Reason.CONTENT_TOO_LARGE
        return fetch, is_too_large
    try:
        return await media.keep_video(file), True
    except Temporary as ours:
        return Trouble(str(ours)), True
    except (NotAVideo, VideoDamaged) as bad:
        return Unusable(Reason.CONTENT_BAD, _words(bad)), False
    except Broken as broken:
        # Cut, or too much for our worker: another time it may be whole, or we less busy.
        may_be_whole_elsewhere = isinstance(broken, VideoTruncated)
        return Trouble(_words(broken), definite=True), not may_be_whole_elsewhere


def _words(error: BotError) -> str:
    """With the figures, for the operator; other values may be anything."""
    figures = [f"{k} {v}" for k, v in error.values.items() if isinstance(v, int | float)]
    return f"{error.code}: {', '.join(figures)}" if figures else error.code
