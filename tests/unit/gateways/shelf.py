"""A video from all the addresses that a gateway named, downloaded as the service does."""

from collections.abc import Sequence
from pathlib import Path

from bot.core import fetching
from bot.core.jobs import Video
from bot.core.outcomes import Fetch, Fetched
from bot.core.ports import Gateway
from tests.unit.core.scripted import ScriptedStudio


class FileStore(ScriptedStudio):
    """A studio that keeps each file unchanged, under one path."""

    def __init__(self, into: Path) -> None:
        super().__init__(into.parent)
        self._into = into

    async def keep_video(self, source: Path) -> Video:
        source.replace(self._into)
        size = self._into.stat().st_size
        return Video(key="v", size=size, width=16, height=9, seconds=1.0)


async def fetched(gateway: Gateway, gateway_id: str, sources: Sequence[str], into: Path) -> Fetch:
    """Download from our own address first, then from each of `sources`."""
    got = await fetching.fetch_video(gateway, FileStore(into), gateway_id, sources, prompt="")
    return Fetched(got.size) if isinstance(got, Video) else got
