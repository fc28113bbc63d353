"""Find, download and check a finished video.

The service and `zoetrope generate` share this module, so that both judge files alike.
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
"""The prefix of a source that is a key in our storage: a video that came as the response."""
MOST_SOURCES = 4
"""The most links to try after the gateway's content address. Each may take 15 minutes."""


async def receive(media: Media, video: Path, *, name: str) -> Accepted:
    """Store a video that came as the response to a POST. Raises `Temporary`."""
    return _accepted(await media.receive(video, name))


async def received(media: Media, name: str) -> Accepted | None:
    """Return the stored video of a POST whose outcome was not written; None if there is none.

    Raises `Temporary`.
    """
    key = await media.received(name)
    return None if key is None else _accepted(key)


def _accepted(key: str) -> Accepted:
    return Accepted(UNNAMED, (f"{_STORED}{key}",))


def received_in(sources: Sequence[str]) -> list[str]:
    """Return the storage keys among the sources, of videos that came as the response."""
    return [each.removeprefix(_STORED) for each in sources if each.startswith(_STORED)]


async def poll(gateway: Gateway, gateway_id: str, sources: Sequence[str], *, prompt: str) -> Polled:
    """Poll the job once. `sources`: links to a video that was made at once.

    Such a video counts as made even if the gateway gave or knows no id.
    """
    if gateway_id == UNNAMED:
        return Done(tuple(sources))
    return beside(sources, await gateway.retrieve(gateway_id, prompt=prompt))


def beside(sources: Sequence[str], seen: Polled) -> Polled:
    """Return a poll's result combined with the links in the response to the POST."""
    if sources and isinstance(seen, Missing):
        return Done(tuple(sources))
    if isinstance(seen, Done):
        return replace(seen, sources=tuple(dict.fromkeys((*seen.sources, *sources))))
    return seen


async def fetch_video(
    gateway: Gateway, media: Media, gateway_id: str, sources: Sequence[str], *, prompt: str
) -> Video | Locked | Trouble | Unusable:
    """Download the video by its id, else from `sources`, and store the first good copy.

    If all fail, return the error of the download by id, as a link may be closed to us alone.
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
    """Copy a received video, as the copy may be changed and a retry needs the original."""
    try:
        async with media.file(key) as kept:
            return Fetched(await asyncio.to_thread(_copied, kept, into))
    except (Temporary, OSError) as ours:
        return Trouble(type(ours).__name__)
    except Broken as broken:
        return Unusable(Reason.CONTENT_GONE, broken.code)


def _copied(source: Path, into: Path) -> int:
    """Copy a file and return its size in bytes."""
    return shutil.copyfile(source, into).stat().st_size


async def _judged(
    fetch: Fetch, media: Media, file: Path
) -> tuple[Video | Locked | Trouble | Unusable, bool]:
    """Check and store a downloaded file. Return the stored video, or why it can't be stored.

    The second value is True if no other link to the video is to be tried.
    """
    if not isinstance(fetch, Fetched):
        # A video that is too large is so at every link, so it is not downloaded twice.
        is_too_large = isinstance(fetch, Unusable) and fetch.reason is Reason.CONTENT_TOO_LARGE
        return fetch, is_too_large
    try:
        return await media.keep_video(file), True
    except Temporary as ours:
        return Trouble(str(ours)), True
    except (NotAVideo, VideoDamaged) as bad:
        return Unusable(Reason.CONTENT_BAD, _words(bad)), False
    except Broken as broken:
        # Truncated, or too slow for our worker: a retry may succeed.
        may_be_whole_elsewhere = isinstance(broken, VideoTruncated)
        return Trouble(_words(broken), definite=True), not may_be_whole_elsewhere


def _words(error: BotError) -> str:
    """Return the code with its numbers, for the operator. Other values may be private."""
    figures = [f"{k} {v}" for k, v in error.values.items() if isinstance(v, int | float)]
    return f"{error.code}: {', '.join(figures)}" if figures else error.code
