"""A made video on its way to us: where it is, and a copy that can be kept.

The service and `zoetrope generate` share it, so that both judge the same file the same.
"""

from collections.abc import Sequence

from bot.core.errors import BotError, Broken, Temporary
from bot.core.jobs import UNNAMED, Reason, Video
from bot.core.outcomes import Done, Fetched, Locked, Look, Missing, Trouble, Unusable
from bot.core.ports import Gateway, Media

_BAD = frozenset({"not_a_video", "video_damaged"})
"""What the studio says of a file that will not get better."""


async def look(gateway: Gateway, gateway_id: str, sources: Sequence[str], *, prompt: str) -> Look:
    """Ask for the job once; `sources` are links to a video that was made at once.

    It is there whether or not the gateway knows an id of it.
    """
    if gateway_id == UNNAMED:
        return Done(tuple(sources))
    seen = await gateway.retrieve(gateway_id, prompt=prompt)
    if sources and isinstance(seen, Missing):
        return Done(tuple(sources))
    if isinstance(seen, Done):
        return Done(tuple(dict.fromkeys((*seen.sources, *sources))))
    return seen


async def fetch_video(
    gateway: Gateway, media: Media, gateway_id: str, sources: Sequence[str], *, prompt: str
) -> Video | Locked | Trouble | Unusable:
    """Fetch it once and keep it, if it is a video that plays."""
    async with media.scratch() as directory:
        file = directory / "download"
        fetch = await gateway.content(gateway_id, sources, file, prompt=prompt)
        if not isinstance(fetch, Fetched):
            return fetch
        try:
            return await media.keep_video(file)
        except Temporary as ours:
            return Trouble(str(ours))
        except Broken as broken:
            if broken.code in _BAD:
                return Unusable(Reason.CONTENT_BAD, _words(broken))
            # Cut, or too much for our worker: another time it may be whole, or we less busy.
            return Trouble(_words(broken), definite=True)


def _words(error: BotError) -> str:
    """With the figures, for the operator; other values may be anything."""
    figures = [f"{k} {v}" for k, v in error.values.items() if isinstance(v, int | float)]
    return f"{error.code}: {', '.join(figures)}" if figures else error.code
